// preferences: when the account is logged in, and whether the network's contact list is brought over.
#include "gateway/commands/commands.hpp"

namespace wherry::commands {

namespace {

constexpr const char *always = "always", *while_online = "while I am online";

std::vector<Field> preference_fields(const Call& call) {
  const accounts::LiveAccount* account = call.account();
  Field logged_in;
  logged_in.name = "logged_in";
  logged_in.label = "Logged in to the network";
  logged_in.type = Field::Type::choice;
  logged_in.choices = {always, while_online};
  if (account) logged_in.value = account->row.policy == store::AccountPolicy::always_on ? always : while_online;
  std::vector<Field> fields{std::move(logged_in)};
  if (!call.transport.network().has_contact_list) return fields;
  Field contacts;
  contacts.name = "import_contacts";
  contacts.label = "Bring my contact list over";
  contacts.type = Field::Type::boolean;
  if (account) contacts.value = account->row.imports ? "1" : "0";
  fields.push_back(std::move(contacts));
  return fields;
}

asio::awaitable<Result<Output>> change_preferences(Call call) {
  store::AccountRow row = call.account()->row;
  row.policy =
      call.input.at("logged_in") == always ? store::AccountPolicy::always_on : store::AccountPolicy::follow_presence;
  if (const auto contacts = call.input.find("import_contacts"); contacts != call.input.end())
    row.imports = contacts->second == "1";
  try {
    co_await call.transport.accounts().put(std::move(row));
  } catch (const db::DatabaseLost&) {
    co_return Error{Errc::unavailable, "Your preferences could not be stored just now; please try again later."};
  }
  Output output;
  output.text = "Your preferences are stored.";
  co_return output;
}

}  // namespace

const Command preferences{"preferences", "when you are logged in, and your contact list", Who::registered,
                          preference_fields, change_preferences};

}  // namespace wherry::commands

// preferences: when the account is logged in, whether the network's contact list is brought over, and what is rather
// refused than said in words.
#include "gateway/commands/commands.hpp"

namespace wherry::commands {

namespace {

constexpr const char *always = "always", *while_online = "while I am online";

Field boolean_field(std::string name, std::string label, bool value) {
  Field field;
  field.name = std::move(name);
  field.label = std::move(label);
  field.type = Field::Type::boolean;
  field.value = value ? "1" : "0";
  return field;
}

// What a network that refers to no messages says in words.
struct Refusal {
  const char *name, *label;
  bool store::Refusals::*refuses;
};
constexpr Refusal refusals[] = {
    {"refuse_edits", "Refuse corrections instead of sending them as another message", &store::Refusals::edits},
    {"refuse_reactions", "Refuse reactions instead of sending them as a line", &store::Refusals::reactions},
    {"refuse_replies", "Refuse replies instead of sending them with a quotation", &store::Refusals::replies}};

std::vector<Field> preference_fields(const Call& call) {
  const accounts::LiveAccount* account = call.account();
  Field logged_in;
  logged_in.name = "logged_in";
  logged_in.label = "Logged in to the network";
  logged_in.type = Field::Type::choice;
  logged_in.choices = {always, while_online};
  if (account) logged_in.value = account->row.policy == store::AccountPolicy::always_on ? always : while_online;
  std::vector<Field> fields{std::move(logged_in)};
  if (call.transport.network().has_contact_list)
    fields.push_back(boolean_field("import_contacts", "Bring my contact list over", account && account->row.imports));
  if (call.transport.network().refers_to_messages) return fields;
  for (const Refusal& refusal : refusals)
    fields.push_back(boolean_field(refusal.name, refusal.label, account && account->row.refuses.*refusal.refuses));
  return fields;
}

asio::awaitable<Result<Output>> change_preferences(Call call) {
  const store::AccountRow& row = call.account()->row;
  const base::AccountId id = row.id;
  store::Preferences wanted{row.policy, row.imports, row.refuses};
  wanted.policy =
      call.input.at("logged_in") == always ? store::AccountPolicy::always_on : store::AccountPolicy::follow_presence;
  if (const auto contacts = call.input.find("import_contacts"); contacts != call.input.end())
    wanted.imports = contacts->second == "1";
  for (const Refusal& refusal : refusals) {
    if (const auto answer = call.input.find(refusal.name); answer != call.input.end())
      wanted.refuses.*refusal.refuses = answer->second == "1";
  }
  try {
    co_await call.transport.accounts().set_preferences(id, wanted);
  } catch (const db::DatabaseLost&) {
    co_return Error{Errc::unavailable, "Your preferences could not be stored just now; please try again later."};
  }
  if (!call.transport.accounts().find(id)) co_return Error{Errc::rejected, "You are no longer registered."};
  Output output;
  output.text = "Your preferences are stored.";
  co_return output;
}

}  // namespace

const Command preferences{"preferences", "choose when you are logged in, and what is refused rather than said in words",
                          Who::registered, preference_fields, change_preferences};

}  // namespace wherry::commands

// accounts: all that the user has here.
#include "gateway/commands/commands.hpp"

namespace wherry::commands {

namespace {

asio::awaitable<Result<Output>> show_accounts(Call call) {
  Output output;
  for (const base::AccountId id : call.transport.accounts().of(call.user)) {
    const accounts::LiveAccount& account = *call.transport.accounts().find(id);
    const char* state = account.row.logged_out ? "logged out" : account.is_online() ? "logged in" : "not logged in";
    const std::string name = account.name_at_network();
    output.rows.push_back({call.transport.face_of(account.alias()).str(), name.empty() ? state : name + ", " + state});
  }
  if (output.rows.empty()) output.text = "You have no account here yet.";
  co_return output;
}

}  // namespace

const Command list_accounts{"accounts", "the accounts that you have here", Who::everybody, no_fields, show_accounts};

}  // namespace wherry::commands

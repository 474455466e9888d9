// status: whether the account is logged in, and what went wrong.
#include "gateway/commands/commands.hpp"

namespace wherry::commands {

namespace {

using accounts::LiveAccount;

std::string state_of(const LiveAccount& account) {
  if (account.row.logged_out) return "logged out: write “log in” to come back";
  switch (account.state) {
    case LiveAccount::State::online: return "logged in";
    case LiveAccount::State::connecting: return "logging in";
    case LiveAccount::State::needs_login: return "the network no longer accepts your login: write “register”";
    case LiveAccount::State::offline: break;
  }
  return account.is_wanted() ? "the network cannot be reached just now" : "not logged in while you are away";
}

asio::awaitable<Result<Output>> show_status(Call call) {
  const LiveAccount& account = *call.account();
  Output output;
  if (std::string name = account.name_at_network(); !name.empty())
    output.rows.push_back({"Registered as", std::move(name)});
  output.rows.push_back({"Status", state_of(account)});
  if (!account.trouble.empty()) output.rows.push_back({"Reason", account.trouble});
  output.rows.push_back({"Contacts", std::to_string(account.contacts.size())});
  co_return output;
}

}  // namespace

const Command status{"status", "whether you are logged in", Who::registered, no_fields, show_status};

}  // namespace wherry::commands

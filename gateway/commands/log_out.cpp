// log out, log in: ends the session at the network until the user wants it again. The account stays as it is.
#include "gateway/commands/commands.hpp"

namespace wherry::commands {

namespace {

asio::awaitable<Result<Output>> change(Call call, bool logged_out, std::string done) {
  const base::AccountId id = call.account()->id();
  try {
    co_await call.transport.accounts().set_logged_out(id, logged_out);
  } catch (const db::DatabaseLost&) {
    co_return Error{Errc::unavailable, "That could not be stored just now; please try again later."};
  }
  call.transport.lane().tell_user_all(id);
  Output output;
  output.text = std::move(done);
  co_return output;
}

asio::awaitable<Result<Output>> end_session(Call call) {
  std::string done = "You are logged out. Your account, contacts and preferences stay. Write “log in” to come back.";
  return change(std::move(call), true, std::move(done));
}

asio::awaitable<Result<Output>> begin_session(Call call) {
  const accounts::LiveAccount& account = *call.account();
  const bool is_refused = account.state == accounts::LiveAccount::State::needs_login;
  std::string done = account.row.logged_out || is_refused
                         ? "You are being logged in. Write “status” to see how it goes."
                         : "You are not logged out. Write “status” to see whether the network is there.";
  return change(std::move(call), false, std::move(done));
}

}  // namespace

const Command log_out{"log out", "end the session at the network until you log in again", Who::registered, no_fields,
                      end_session};
const Command log_in{"log in", "begin the session at the network again", Who::registered, no_fields, begin_session};

}  // namespace wherry::commands

#include "gateway/child/look_ups.hpp"

#include "gateway/base/log.hpp"
#include "gateway/child/values.hpp"

#include <limits>
#include <utility>

namespace wherry::child {

namespace {

Error busy() {
  return Error{Errc::unavailable, "Too many addresses are being looked up just now; please try again later.", {}};
}

}  // namespace

LookUps::LookUps(asio::any_io_executor executor, RpcPeer& peer, std::chrono::seconds limit)
    : executor_(executor),
      peer_(peer),
      limit_(limit),
      strangers_(executor, most_of_strangers, 0),
      all_(executor, most_of_accounts, std::numeric_limits<std::size_t>::max()) {}

asio::awaitable<Result<ContactId>> LookUps::look_up(std::string typed, AccountId account) {
  if (account != AccountId{}) {
    Result<ContactId> found = busy();
    std::exception_ptr failed;
    try {
      found = co_await ask_for_account(std::move(typed), account);
    } catch (...) {
      failed = std::current_exception();
    }
    forget_idle(account);
    if (failed) std::rethrow_exception(failed);
    co_return found;
  }
  const auto turn = co_await strangers_.take();
  if (!turn) co_return busy();
  co_return co_await ask(std::move(typed), account);
}

asio::awaitable<Result<ContactId>> LookUps::ask_for_account(std::string typed, AccountId account) {
  std::shared_ptr<Turns>& known = accounts_[account];
  if (!known) known = std::make_shared<Turns>(executor_, most_of_account, most_waiting_of_account);
  const std::shared_ptr<Turns> own = known;
  const auto turn = co_await own->take();
  if (!turn) co_return busy();
  const auto turn_among_all = co_await all_.take();
  co_return co_await ask(std::move(typed), account);
}

void LookUps::forget_idle(AccountId account) {
  const auto found = accounts_.find(account);
  if (found != accounts_.end() && found->second.use_count() == 1) accounts_.erase(found);
}

asio::awaitable<Result<ContactId>> LookUps::ask(std::string typed, AccountId account) {
  nlohmann::json params;
  params["typed"] = std::move(typed);
  params["account"] = account.value;
  const auto answer = co_await peer_.call("parse_contact", to_line(params), limit_, RpcPeer::Limit::usual);
  if (!answer && answer.error().code == Errc::uncertain)  // a look-up changes nothing: asking again is harmless
    co_return Error{Errc::unavailable, "The network's connector did not answer; please try again later.", {}};
  if (!answer) co_return answer.error();
  auto contact = parse_contact_answer(*answer);
  if (contact) co_return contact;
  log::warn("child.bad_contact", {{"error", contact.error().text}});
  co_return Error{Errc::unavailable, "The network's connector answered in a way that cannot be understood.", {}};
}

}  // namespace wherry::child

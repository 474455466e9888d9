#include "gateway/child/look_ups.hpp"

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
      bad_contacts_(base::LogLimit::of_stanzas()),
      strangers_(std::make_shared<Turns>(executor, most_of_strangers, 0)),
      all_(std::make_shared<Turns>(executor, most_of_accounts, std::numeric_limits<std::size_t>::max())) {}

asio::awaitable<Result<ContactId>> LookUps::look_up(std::string typed, AccountId account) {
  if (account == AccountId{}) {
    auto place = std::make_shared<Place>();
    const bool has_place = co_await take(strangers_, place);
    if (!has_place) co_return busy();
    co_return co_await ask(std::move(typed), account, std::move(place));
  }
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

asio::awaitable<Result<ContactId>> LookUps::ask_for_account(std::string typed, AccountId account) {
  std::shared_ptr<Turns> own = accounts_[account].lock();
  if (!own) {
    own = std::make_shared<Turns>(executor_, most_of_account, most_waiting_of_account);
    accounts_[account] = own;
  }
  auto place = std::make_shared<Place>();
  const bool has_own = co_await take(std::move(own), place);
  if (!has_own) co_return busy();
  const bool has_both = co_await take(all_, place);
  if (!has_both) co_return busy();
  co_return co_await ask(std::move(typed), account, std::move(place));
}

asio::awaitable<bool> LookUps::take(std::shared_ptr<Turns> turns, std::shared_ptr<Place> place) {
  auto turn = co_await turns->take(limit_);
  if (!turn) co_return false;
  place->push_back(Taken{std::move(turns), std::move(*turn)});
  co_return true;
}

void LookUps::forget_idle(AccountId account) {
  const auto found = accounts_.find(account);
  if (found != accounts_.end() && found->second.expired()) accounts_.erase(found);
}

asio::awaitable<Result<ContactId>> LookUps::ask(std::string typed, AccountId account, std::shared_ptr<Place> place) {
  nlohmann::json params;
  params["typed"] = std::move(typed);
  params["account"] = account.value;
  const auto limit = account == AccountId{} ? std::chrono::seconds(RpcPeer::Call::no_limit) : limit_;
  const auto answer =
      co_await peer_.call("parse_contact", to_line(params), limit, RpcPeer::Limit::look_up, std::move(place));
  if (!answer && answer.error().code == Errc::uncertain)  // a look-up changes nothing: asking again is harmless
    co_return Error{Errc::unavailable, "The network's connector did not answer; please try again later.", {}};
  if (!answer) co_return answer.error();
  auto contact = parse_contact_answer(*answer);
  if (contact) co_return contact;
  bad_contacts_.write(log::Level::warn, "child.bad_contact", {{"error", contact.error().text}});
  co_return Error{Errc::unavailable, "The network's connector answered in a way that cannot be understood.", {}};
}

}  // namespace wherry::child

#include "gateway/child/known_accounts.hpp"

#include "gateway/base/log.hpp"
#include "gateway/child/values.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace wherry::child {

KnownAccounts::KnownAccounts(asio::any_io_executor executor, RpcPeer& peer, std::chrono::seconds limit)
    : executor_(executor), peer_(peer), limit_(limit), changed_(executor) {}

void KnownAccounts::put(const Account& account, EventSink& events) {
  Known& known = known_[account.id];
  known.account = account;
  known.idempotency.reset();
  known.events = &events;
  known.version = ++last_version_;
  change(account.id);
}

void KnownAccounts::remove(AccountId account) {
  known_.erase(account);
  change(account);
}

EventSink* KnownAccounts::find(AccountId account) const {
  const auto found = known_.find(account);
  return found == known_.end() ? nullptr : found->second.events;
}

std::optional<Idempotency> KnownAccounts::idempotency(AccountId account) const {
  const auto found = known_.find(account);
  return found == known_.end() ? std::nullopt : found->second.idempotency;
}

void KnownAccounts::change(AccountId account) {
  untold_.insert(account);
  changed_.notify();
}

void KnownAccounts::begin_anew() {
  untold_.clear();
  for (auto& [id, known] : known_) {
    known.told = 0;
    known.idempotency.reset();
    untold_.insert(id);
  }
}

bool KnownAccounts::is_told(AccountId account) const {
  const auto found = known_.find(account);
  return found != known_.end() && found->second.told == found->second.version;
}

asio::awaitable<void> KnownAccounts::wait_told(AccountId account) {
  while (!is_told(account)) {
    const auto found = known_.find(account);
    if (found == known_.end()) throw std::runtime_error("the account is not registered any more");
    if (!found->second.waiting) found->second.waiting = std::make_shared<base::Signal>(executor_);
    const std::shared_ptr<base::Signal> told = found->second.waiting;
    co_await told->wait();
  }
}

asio::awaitable<void> KnownAccounts::tell() {
  base::TaskGroup tasks(executor_);
  std::exception_ptr failed;
  try {
    for (;;) {
      while (untold_.empty() || at_once_ >= most_at_once || bytes_at_once_ >= most_bytes_at_once)
        co_await changed_.wait();
      co_await peer_.wait_room();
      if (untold_.empty()) continue;
      Telling next = telling(*untold_.begin());
      untold_.erase(untold_.begin());
      ++at_once_;
      bytes_at_once_ += next.params.size();
      tasks.spawn("child.tell", tell_one(std::move(next)));
    }
  } catch (...) {
    failed = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state();
  co_await tasks.end();
  at_once_ = bytes_at_once_ = 0;
  std::rethrow_exception(failed);
}

KnownAccounts::Telling KnownAccounts::telling(AccountId account) const {
  const auto found = known_.find(account);
  if (found == known_.end())
    return {account, 0, "forget_account", R"({"account":)" + std::to_string(account.value) + "}"};
  return {account, found->second.version, "know_account", to_line(to_json(found->second.account))};
}

asio::awaitable<void> KnownAccounts::tell_one(Telling one) {
  const std::size_t bytes = one.params.size();
  const auto answer = co_await peer_.call(std::move(one.method), std::move(one.params), limit_, RpcPeer::Limit::none);
  --at_once_;
  bytes_at_once_ -= bytes;
  changed_.notify();
  // Only what was surely not said is not told; who refuses or forgets to answer has heard it.
  if (!answer && (answer.error().code == Errc::unavailable || answer.error().code == Errc::rejected)) {
    log::warn("child.not_told", {{"account", one.account.value}, {"why", answer.error().text}});
    co_return;
  }
  if (one.version != 0 && answer) note_idempotency(one.account, one.version, *answer);
  if (one.version != 0) note_told(one.account, one.version);
}

void KnownAccounts::note_idempotency(AccountId account, std::uint64_t version, const nlohmann::json& answer) {
  const auto found = known_.find(account);
  if (found == known_.end() || version != found->second.version) return;  // of what is registered now
  const auto idempotency = parse_idempotency(answer);
  if (idempotency) found->second.idempotency = *idempotency;
  else log::warn("child.bad_answer", {{"method", "know_account"}, {"error", idempotency.error().text}});
}

void KnownAccounts::note_told(AccountId account, std::uint64_t version) {
  const auto found = known_.find(account);
  if (found == known_.end()) return;
  found->second.told = std::max(found->second.told, version);  // the answer to an older one may come later
  if (!is_told(account) || !found->second.waiting) return;
  found->second.waiting->notify();
  found->second.waiting = nullptr;
}

}  // namespace wherry::child

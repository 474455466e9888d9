#include "gateway/accounts/session_keeper.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace wherry::accounts {

using State = LiveAccount::State;
using Clock = std::chrono::steady_clock;

namespace {

constexpr const char* no_proof = "The network does not answer; the connection is being made again.";
constexpr std::chrono::seconds healthy_after{60};  // a session that lasted so long starts the back-off anew

asio::awaitable<void> wait(asio::steady_timer& timer) {
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

// From the loop's next turn on: a coroutine that is cancelled in its first turn and ends in it never says so
// (Boost 1.81, co_spawn_entry_point), and a session may refuse at once.
asio::awaitable<void> run_session(std::shared_ptr<connector::Session> session) {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  co_await session->run();
}

}  // namespace

SessionKeeper::SessionKeeper(asio::any_io_executor executor, SessionOwner& owner, SessionLimits limits)
    : executor_(executor),
      owner_(owner),
      limits_(limits),
      loop_ended_(executor),
      loop_tasks_(executor),
      pace_(executor) {}

void SessionKeeper::start(connector::Connector& connector) {
  connector_ = &connector;
  proof_of_life_ = connector.describe().proof_of_life;
}

bool SessionKeeper::is_wanted(base::AccountId id) const {
  const LiveAccount* account = owner_.find(id);
  return connector_ && !stopping_ && account && account->is_wanted();
}

void SessionKeeper::reconsider(base::AccountId id) {
  const auto found = loops_.find(id);
  if (is_wanted(id)) {
    if (found != loops_.end()) return;
    const auto loop = std::make_shared<Loop>(executor_);
    loops_.emplace(id, loop);
    loop_tasks_.spawn("session", keep(id, loop));
  } else if (found != loops_.end()) {
    const std::shared_ptr<Loop> loop = found->second;  // it may end within emit()
    loop->is_interrupted = true;
    loop->timer.cancel();
    loop->end_run.emit(asio::cancellation_type::terminal);
  }
}

void SessionKeeper::retry_now(base::AccountId id) {
  failing_.erase(id);
  if (const auto found = loops_.find(id); found != loops_.end()) found->second->timer.cancel();
}

void SessionKeeper::logged_in(base::AccountId id) {
  if (const auto found = loops_.find(id); found != loops_.end()) found->second->was_online = true;
  end_login(id);
}

bool SessionKeeper::is_running(base::AccountId id) const {
  const auto found = loops_.find(id);
  return found != loops_.end() && found->second->is_running && !found->second->is_interrupted &&
         !found->second->is_unproven;
}

bool SessionKeeper::uses_present_registration(base::AccountId id) const {
  const LiveAccount* account = owner_.find(id);
  return account && is_running(id) && loops_.at(id)->registration == account->registration;
}

asio::awaitable<void> SessionKeeper::await_end(base::AccountId id) {
  while (loops_.contains(id)) co_await loop_ended_.wait();
}

asio::awaitable<void> SessionKeeper::stop() {
  stopping_ = true;
  std::vector<base::AccountId> ids;
  for (const auto& [id, loop] : loops_) ids.push_back(id);
  for (const base::AccountId id : ids) reconsider(id);
  pace_.cancel();
  co_await loop_tasks_.join();
  co_await pace_.join();
}

// ---- One account's loop ----

asio::awaitable<void> SessionKeeper::keep(base::AccountId id, std::shared_ptr<Loop> loop) {
  std::exception_ptr failure;
  try {
    while (is_wanted(id)) co_await attempt(id, loop);
    close(id);
  } catch (...) {
    failure = std::current_exception();
  }
  loops_.erase(id);
  end_login(id);
  loop_ended_.notify();
  if (failure) std::rethrow_exception(failure);
}

// The pause before it, too.
asio::awaitable<void> SessionKeeper::attempt(base::AccountId id, std::shared_ptr<Loop> loop) {
  co_await pause(id, loop);
  if (is_wanted(id)) co_await await_turn(id, loop);
  if (is_wanted(id)) {
    const Ended ended = co_await run(id, loop);
    if (!stopping_) note_end(id, *loop, ended);
  }
  end_login(id);
}

// Who has come meanwhile is shown why.
asio::awaitable<void> SessionKeeper::pause(base::AccountId id, std::shared_ptr<Loop> loop) {
  while (is_wanted(id)) {  // who goes and comes in one turn has ended the wait, and not the pause
    const auto failing = failing_.find(id);
    if (failing == failing_.end() || failing->second.next_attempt <= Clock::now()) co_return;
    loop->timer.expires_at(failing->second.next_attempt);
    owner_.set_state(*owner_.find(id), State::offline, failing->second.trouble);
    co_await wait(loop->timer);
  }
}

void SessionKeeper::put_off(base::AccountId id, const std::string& trouble) {
  const auto seed = static_cast<std::uint64_t>(id.value);
  const auto [entry, is_new] = failing_.try_emplace(id, Failing{base::Backoff(limits_.backoff, seed), {}, {}});
  Failing& failing = entry->second;
  if (is_new) failing.backoff.next();  // none before the first attempt
  failing.next_attempt = Clock::now() + failing.backoff.next();
  failing.trouble = trouble;
}

// The session's run is a coroutine of its own with a signal of its own: it may change its cancellation state to end in
// good order, and it is ended alone.
asio::awaitable<SessionKeeper::Ended> SessionKeeper::run(base::AccountId id, std::shared_ptr<Loop> loop) {
  Ended ended;
  const auto began = Clock::now();
  loop->was_online = loop->is_unproven = false;
  base::TaskGroup watching(executor_);
  try {
    const std::shared_ptr<connector::Session> session = open(id, *loop);
    loop->is_running = true;
    if (proof_of_life_.count() > 0) watching.spawn("session.watch", watch(id, loop, session));
    auto end_run = loop->end_run.slot();
    co_await asio::co_spawn(executor_, run_session(session),
                            asio::bind_cancellation_slot(end_run, asio::use_awaitable));
    ended.has_returned = true;
  } catch (const std::exception& e) {
    ended.trouble = e.what();
  }
  loop->is_running = false;
  loop->end_run.slot().clear();
  co_await watching.end();
  if (loop->is_unproven) ended = Ended{no_proof, false, {}};
  ended.lasted = Clock::now() - began;
  co_return ended;
}

// While the session runs: asks it whether it is alive, whenever it says that it is online.
asio::awaitable<void> SessionKeeper::watch(base::AccountId id, std::shared_ptr<Loop> loop,
                                           std::shared_ptr<connector::Session> session) {
  for (;;) {
    co_await base::sleep(std::chrono::milliseconds(proof_of_life_) / 2);
    const LiveAccount* account = owner_.find(id);
    if (!account || !account->is_online() || loop->is_interrupted) continue;
    const std::string trouble = co_await probe(session);
    if (trouble.empty() || !loop->is_running || loop->is_interrupted) continue;
    log::warn("session.no_proof_of_life", {{"account", id.value}, {"error", trouble}});
    loop->is_unproven = true;
    if (LiveAccount* shown = owner_.find(id)) owner_.set_state(*shown, State::offline, no_proof);
    loop->end_run.emit(asio::cancellation_type::terminal);
    co_return;
  }
}

// What is wrong with it; empty: it is alive.
asio::awaitable<std::string> SessionKeeper::probe(std::shared_ptr<connector::Session> session) {
  try {
    const auto proven = co_await base::within(std::chrono::milliseconds(proof_of_life_) / 2, session->probe());
    co_return proven ? std::string() : proven.error().text;
  } catch (const base::TimedOut&) {
    co_return "it did not answer in time";
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    co_return e.what();
  } catch (const std::exception& e) {
    co_return e.what();
  }
}

// The one that failed before, unless its user was away meanwhile: each stay has a session of its own.
std::shared_ptr<connector::Session> SessionKeeper::open(base::AccountId id, Loop& loop) {
  LiveAccount& account = *owner_.find(id);
  if (std::exchange(loop.is_interrupted, false)) account.session.reset();
  loop.registration = account.registration;
  if (!account.session) account.session = connector_->open(id);
  const std::shared_ptr<connector::Session> session = account.session;
  owner_.set_state(account, State::connecting, account.trouble);
  return session;
}

void SessionKeeper::note_end(base::AccountId id, Loop& loop, const Ended& ended) {
  LiveAccount* account = owner_.find(id);
  if (!account) return;
  const bool is_over = loop.is_interrupted || !account->is_wanted();
  if (is_over) account->session.reset();
  if (ended.lasted >= healthy_after) failing_.erase(id);
  else if (is_over ? !loop.was_online : !ended.has_returned) put_off(id, is_over ? account->trouble : ended.trouble);
  if (account->state == State::needs_login) return;
  if (loop.is_unproven) account->session.reset();  // what is stuck in it stays behind
  if (is_over) return owner_.set_state(*account, State::offline, "");
  // It returned, and not because it was asked to: only a new registration can help (contract of Session::run), unless
  // there has been one.
  if (ended.has_returned && loop.registration != account->registration) {
    account->session.reset();
    return owner_.set_state(*account, State::offline, "");
  }
  if (ended.has_returned) return owner_.set_state(*account, State::needs_login, account->trouble);
  log::warn("session.failed", {{"account", id.value}, {"error", ended.trouble}});
  owner_.set_state(*account, State::offline, ended.trouble);
}

// Nobody wants it any more.
void SessionKeeper::close(base::AccountId id) {
  LiveAccount* account = stopping_ ? nullptr : owner_.find(id);
  if (!account) return;
  account->session.reset();
  if (account->state != State::needs_login) owner_.set_state(*account, State::offline, "");
}

// ---- Few log in at once ----

asio::awaitable<void> SessionKeeper::await_turn(base::AccountId id, std::shared_ptr<Loop> loop) {
  loop->turn = Turn::waiting;
  waiting_.push_back(id);
  give_turns();
  while (loop->turn == Turn::waiting && is_wanted(id)) {
    if (!std::exchange(making_room_, true)) pace_.spawn("session.make_room", make_room());
    loop->timer.expires_at(asio::steady_timer::time_point::max());
    co_await wait(loop->timer);
  }
  if (std::exchange(loop->turn, Turn::none) == Turn::waiting) std::erase(waiting_, id);
}

void SessionKeeper::give_turns() {
  while (!waiting_.empty() && logging_in_.size() < limits_.logins_at_once) {
    const base::AccountId id = waiting_.front();
    waiting_.pop_front();
    const auto found = loops_.find(id);
    if (found == loops_.end() || found->second->turn != Turn::waiting) continue;
    found->second->turn = Turn::given;
    logging_in_[id] = Clock::now();
    found->second->timer.cancel();
  }
}

void SessionKeeper::end_login(base::AccountId id) {
  if (logging_in_.erase(id) > 0 && !stopping_) give_turns();
}

// As long as somebody waits: whoever takes too long no longer counts.
asio::awaitable<void> SessionKeeper::make_room() {
  while (!waiting_.empty() && !logging_in_.empty()) {
    const auto oldest = std::min_element(logging_in_.begin(), logging_in_.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
    const base::AccountId id = oldest->first;
    const auto left = oldest->second + limits_.login_patience - Clock::now();
    if (left.count() > 0) co_await base::sleep(left);
    else end_login(id);
  }
  making_room_ = false;
}

}  // namespace wherry::accounts

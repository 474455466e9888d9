// Keeps the sessions of one network's accounts up: one loop for each account that is wanted (LiveAccount::is_wanted).
//
//   exponential backoff  1 s to 60 s, ±20 %; anew when a session has lasted a minute, or its user registers again. Who
//                        goes and comes does not shorten it, and a login that is broken off counts as one that failed
//   few log in at once   of those that are not online yet, in the order in which they came; one that takes long makes
//                        room
//   online is proven     where the network says within what time (Network::proof_of_life): a session is asked when half
//                        of it has passed, and has the other half to answer; else it ends, and another is opened
#pragma once

#include "gateway/accounts/live_account.hpp"
#include "gateway/base/backoff.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

namespace wherry::accounts {

// So that a start with ten thousand accounts is no storm.
struct SessionLimits {
  std::size_t logins_at_once = 50;
  std::chrono::milliseconds login_patience{10'000};  // a login that takes longer no longer counts
  base::BackoffPolicy backoff{};                     // between the attempts of one account
};

// Whose sessions they are. It outlives the keeper.
struct SessionOwner {
  // Null: it is gone.
  virtual LiveAccount* find(base::AccountId id) = 0;
  virtual void set_state(LiveAccount& account, LiveAccount::State state, std::string trouble) = 0;

 protected:
  ~SessionOwner() = default;
};

class SessionKeeper {
 public:
  SessionKeeper(asio::any_io_executor executor, SessionOwner& owner, SessionLimits limits);

  // From now on sessions are opened.
  void start(connector::Connector& connector);
  // After whatever may have changed what is_wanted() says: begins to keep the session up, or ends it.
  void reconsider(base::AccountId id);
  // The next attempt is now, and the back-off starts anew.
  void retry_now(base::AccountId id);
  // The session says that it is online: the next one may log in.
  void logged_in(base::AccountId id);

  // Whether the account has a session that is to be listened to: not one that has ended, or is to end.
  bool is_running(base::AccountId id) const;
  // … and began to log in with what is registered now: else that it is refused says nothing of the account.
  bool uses_present_registration(base::AccountId id) const;

  // Waits until nothing is left of the account's session.
  asio::awaitable<void> await_end(base::AccountId id);
  // The account is gone.
  void forget(base::AccountId id) { failing_.erase(id); }
  // Ends every session.
  asio::awaitable<void> stop();

 private:
  enum class Turn {
    none,
    waiting,  // for its turn to log in
    given,
  };
  struct Loop {  // of one account; shared with its coroutine
    explicit Loop(const asio::any_io_executor& executor) : timer(executor) {}
    asio::steady_timer timer;           // its pause, or its wait for a turn
    asio::cancellation_signal end_run;  // of its session
    Turn turn = Turn::none;
    bool is_running = false;         // its session
    std::uint64_t registration = 0;  // with which this attempt began
    bool is_interrupted = false;     // its session is not wanted any more; it may be wanted again before it has ended
    bool was_online = false;         // in this attempt
    bool is_unproven = false;        // its session ends because it did not prove to be alive
  };
  struct Failing {  // an account whose last attempt failed; it outlives the loop
    base::Backoff backoff;
    std::chrono::steady_clock::time_point next_attempt;  // not before
    std::string trouble;
  };
  struct Ended {  // how a session's run did
    std::string trouble;
    bool has_returned = false;
    std::chrono::steady_clock::duration lasted{};
  };

  bool is_wanted(base::AccountId id) const;
  asio::awaitable<void> keep(base::AccountId id, std::shared_ptr<Loop> loop);
  asio::awaitable<void> attempt(base::AccountId id, std::shared_ptr<Loop> loop);
  asio::awaitable<Ended> run(base::AccountId id, std::shared_ptr<Loop> loop);
  asio::awaitable<void> watch(base::AccountId id, std::shared_ptr<Loop> loop,
                              std::shared_ptr<connector::Session> session);
  asio::awaitable<std::string> probe(std::shared_ptr<connector::Session> session);
  asio::awaitable<void> pause(base::AccountId id, std::shared_ptr<Loop> loop);
  asio::awaitable<void> await_turn(base::AccountId id, std::shared_ptr<Loop> loop);
  asio::awaitable<void> make_room();
  std::shared_ptr<connector::Session> open(base::AccountId id, Loop& loop);
  void note_end(base::AccountId id, Loop& loop, const Ended& ended);
  void put_off(base::AccountId id, const std::string& trouble);
  void close(base::AccountId id);
  void end_login(base::AccountId id);
  void give_turns();

  asio::any_io_executor executor_;
  SessionOwner& owner_;
  SessionLimits limits_;
  connector::Connector* connector_ = nullptr;  // null: not started
  std::chrono::seconds proof_of_life_{0};      // as Network::proof_of_life
  bool stopping_ = false;
  std::unordered_map<base::AccountId, std::shared_ptr<Loop>> loops_;
  std::unordered_map<base::AccountId, Failing> failing_;
  std::deque<base::AccountId> waiting_;  // for a turn; some may have gone meanwhile
  std::map<base::AccountId, std::chrono::steady_clock::time_point> logging_in_;  // and since when
  bool making_room_ = false;
  base::Signal loop_ended_;  // somebody's
  base::TaskGroup loop_tasks_, pace_;
};

}  // namespace wherry::accounts

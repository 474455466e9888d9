// How fast accounts log in to one server: so many within any minute, in the order in which they came. A server refuses
// a host that is faster, and with it all of its users.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <deque>

namespace wherry::msn {

namespace asio = boost::asio;

class LoginPace {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds window{60};

  explicit LoginPace(int per_window) : per_window_(static_cast<std::size_t>(per_window)) {}

  // Waits for the turn. Who is cancelled while waiting gives it back.
  asio::awaitable<void> await_turn();

  // When one who comes now would have a turn.
  Time next(Time now) const;
  // Takes that turn, and gives it back.
  Time reserve(Time now);
  void release(Time turn);

 private:
  std::size_t per_window_;
  std::deque<Time> turns_;  // in order; those that the next ones depend on
};

}  // namespace wherry::msn

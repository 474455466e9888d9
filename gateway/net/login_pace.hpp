// How often this gateway logs in at one server, all networks and users together: servers count by
// address, and refuse a host that is faster, with all of its users.
#pragma once

#include "gateway/base/signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace wherry::net {

namespace asio = boost::asio;

class LoginPace {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // That of a server ("host:5190"), as long as somebody has it; of several rates the lowest holds.
  static std::shared_ptr<LoginPace> of(const std::string& server, int a_minute, const asio::any_io_executor& executor);
  LoginPace(int a_minute, const asio::any_io_executor& executor) : most_(a_minute), changed_(executor) {}

  // Waits for a turn to log in. `first`: before those who wait, for somebody who sits there.
  asio::awaitable<void> turn(bool first);
  // The server wants nobody for so long.
  void hold(std::chrono::seconds time);

  // When the next one may log in. Pure; for turn() and tests.
  Time next(Time now) const;
  void note(Time now);

 private:
  asio::awaitable<void> wait(std::uint64_t place);

  int most_;  // in any minute
  std::deque<Time> latest_;
  Time held_until_{};
  std::deque<std::uint64_t> waiting_;
  std::uint64_t next_place_ = 0;
  base::Signal changed_;
};

}  // namespace wherry::net

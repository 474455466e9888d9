// How often this gateway logs in at one server, all networks and users together: servers count by address.
#pragma once

#include "gateway/base/signal.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace wherry::oscar {

class Pace {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // That of a server ("host:5190"), as long as somebody has it; of several rates the lowest holds.
  static std::shared_ptr<Pace> of(const std::string& server, int a_minute, const asio::any_io_executor& executor);
  Pace(int a_minute, const asio::any_io_executor& executor) : most_(a_minute), changed_(executor) {}

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

}  // namespace wherry::oscar

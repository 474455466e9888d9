// One end of a connection as a pure object: the caller owns the socket and tells the time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace wherry::oscar {

struct Machine {
  using Time = std::chrono::steady_clock::time_point;
  virtual ~Machine() = default;

  virtual void feed(std::string_view octets, Time now) = 0;
  virtual void tick(Time now) = 0;
  virtual Time next_tick() const = 0;  // when tick() is wanted, at the latest
  virtual void closed() = 0;           // the peer has closed the connection
  virtual std::string take_output() = 0;
  virtual bool has_output() const = 0;
  virtual bool ended() const = 0;  // nothing more is said, except what take_output() still has
};

}  // namespace wherry::oscar

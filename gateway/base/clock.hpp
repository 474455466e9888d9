// The time of day, so that tests can move it by hand (tests/support/fake_clock.hpp).
#pragma once

#include <chrono>
#include <cstdint>

namespace wherry::base {

using Time = std::chrono::system_clock::time_point;

struct Clock {
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Time now() const override { return std::chrono::system_clock::now(); }
};

// Milliseconds since 1970 UTC: the form times have in rows and JSON.
inline std::int64_t to_milliseconds(Time time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}
inline Time from_milliseconds(std::int64_t milliseconds) { return Time(std::chrono::milliseconds(milliseconds)); }

}  // namespace wherry::base

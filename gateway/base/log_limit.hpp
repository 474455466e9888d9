// How many lines of one kind go to the log: so many a second on average, so many at once. Who causes them must not
// flood it.
#pragma once

#include "gateway/base/log.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace wherry::base {

// Pure, but for write(): the caller tells the time.
class LogLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // The defaults are for a process's own lines.
  explicit LogLimit(Time now, double per_second = 50, double burst = 200)
      : rate_(per_second), burst_(burst), lines_(burst), at_(now) {}
  // For what anybody can cause by a stanza.
  static LogLimit of_stanzas(Time now = std::chrono::steady_clock::now()) { return LogLimit(now, 1, 20); }

  // Nothing where the line must be left out; else how many were left out before it.
  std::optional<int> admit(Time now) {
    lines_ = std::min(burst_, lines_ + rate_ * std::chrono::duration<double>(now - at_).count());
    at_ = now;
    if (lines_ < 1) {
      ++skipped_;
      return std::nullopt;
    }
    --lines_;
    return std::exchange(skipped_, 0);
  }

  // Writes the line where it is admitted; before it, how many of its kind were left out.
  void write(log::Level level, std::string_view event, log::Fields fields) {
    const auto skipped = admit(std::chrono::steady_clock::now());
    if (!skipped) return;
    if (*skipped > 0) log::write(level, "log.suppressed", {{"event", event}, {"lines", *skipped}});
    log::write(level, event, fields);
  }

 private:
  double rate_, burst_, lines_;
  Time at_;
  int skipped_ = 0;
};

}  // namespace wherry::base

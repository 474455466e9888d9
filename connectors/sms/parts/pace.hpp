// How fast a link may send: a rate that halves when the peer says "throttled" and comes back in steps. Pure.
#pragma once

#include "gateway/net/token_bucket.hpp"

#include <chrono>
#include <optional>

namespace wherry::sms {

class Pace {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `rate`: segments a second, 0 without a limit; `burst`: at most so many at once.
  Pace(double rate, double burst, Time now) : configured_(rate), burst_(burst), second_(now) {
    if (rate > 0) bucket_.emplace(rate, burst, now);
  }

  // Zero: one may be sent, and counts as sent. Otherwise how long to wait before asking again.
  std::chrono::nanoseconds take(Time now);
  void accepted(Time now);
  void throttled(Time now);

  double rate() const { return bucket_ ? bucket_->rate() : 0; }  // 0: without a limit

 private:
  void count(Time now);

  double configured_, burst_;
  std::optional<net::TokenBucket> bucket_;
  Time paused_until_{};
  Time second_;  // the present second of counting
  int this_second_ = 0, last_second_ = 0;
  double ceiling_ = 0;  // what was too fast
  bool throttled_now_ = false;
};

}  // namespace wherry::sms

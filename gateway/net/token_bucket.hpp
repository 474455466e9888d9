// A rate limit: so many a second on average, so many at once. Pure: the caller tells the time.
#pragma once

#include <algorithm>
#include <chrono>

namespace wherry::net {

class TokenBucket {
 public:
  using Time = std::chrono::steady_clock::time_point;

  TokenBucket(double per_second, double burst, Time now) : rate_(per_second), burst_(burst), tokens_(burst), at_(now) {}

  // Takes one token and returns zero, or takes none and returns how long to wait for one.
  std::chrono::nanoseconds take(Time now) {
    tokens_ = std::min(burst_, tokens_ + rate_ * std::chrono::duration<double>(now - at_).count());
    at_ = now;
    if (tokens_ >= 1.0) {
      tokens_ -= 1.0;
      return std::chrono::nanoseconds(0);
    }
    return std::chrono::nanoseconds(static_cast<std::int64_t>((1.0 - tokens_) / rate_ * 1e9) + 1);
  }

  void set_rate(double per_second) { rate_ = per_second; }
  double rate() const { return rate_; }

 private:
  double rate_, burst_, tokens_;
  Time at_;
};

}  // namespace wherry::net

// How many lines of one source go to the log: a source that floods must not flood the log. Pure: the caller tells the time.
#pragma once

#include "gateway/net/token_bucket.hpp"

#include <optional>
#include <utility>

namespace wherry::net {

class LogLimit {
 public:
  using Time = TokenBucket::Time;

  explicit LogLimit(Time now) : bucket_(50, 200, now) {}

  // Nothing where the line must be left out; else how many were left out before it.
  std::optional<int> admit(Time now) {
    if (bucket_.take(now).count() == 0) return std::exchange(skipped_, 0);
    ++skipped_;
    return std::nullopt;
  }

 private:
  TokenBucket bucket_;
  int skipped_ = 0;
};

}  // namespace wherry::net

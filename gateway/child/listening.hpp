// How long the gateway has listened to a child that said nothing. Pure: the caller tells the time.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace wherry::child {

class Listening {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  void begin(Time now) { since_ = now; }
  void end(Time now) {
    listened_ += now - since_.value_or(now);
    since_.reset();
  }
  // Since the last call. Whoever calls every so often knows that a longer time was one in which the gateway itself did
  // nothing, and what the child had said lay unread: so of each time at most `most` counts.
  Duration take(Time now, Duration most) {
    if (since_) listened_ += now - std::exchange(*since_, now);
    return std::min(most, std::exchange(listened_, Duration::zero()));
  }

 private:
  std::optional<Time> since_;  // listening; none: busy with what the child has said
  Duration listened_ = Duration::zero();
};

}  // namespace wherry::child

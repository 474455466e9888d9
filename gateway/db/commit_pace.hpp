// When the next commit begins. What comes seldom is committed at once; under load commits keep a distance, so that what
// comes meanwhile shares one. Pure: the caller tells the time.
#pragma once

#include <algorithm>
#include <chrono>

namespace wherry::db {

class CommitPace {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  // One commit per `distance` on average, and `burst` of them at once after a rest. No distance: all at once.
  CommitPace(Duration distance, int burst) : distance_(distance), saved_(distance * burst) {}

  // Zero: the commit begins now, and counts. Else: how long until it may.
  Duration begin(Time now) {
    due_ = std::max(due_, now - saved_ + distance_);
    if (due_ > now) return due_ - now;
    due_ += distance_;
    return Duration::zero();
  }

 private:
  Duration distance_, saved_;
  Time due_{};  // when the commit after those that were saved up is due
};

}  // namespace wherry::db

#include "connectors/sms/parts/pace.hpp"

#include <algorithm>
#include <utility>

namespace wherry::sms {

namespace {

constexpr std::chrono::seconds throttle_pause{1};
constexpr double least_rate = 0.5;

}  // namespace

std::chrono::nanoseconds Pace::take(Time now) {
  if (now < paused_until_) return paused_until_ - now;
  if (!bucket_) return std::chrono::nanoseconds(0);
  return bucket_->take(now);
}

// Closes the seconds that have passed; each one without a refusal raises a lowered rate by a tenth of what was too
// fast.
void Pace::count(Time now) {
  if (now < second_ + std::chrono::seconds(1)) return;
  last_second_ = now < second_ + std::chrono::seconds(2) ? this_second_ : 0;
  this_second_ = 0;
  second_ = now;
  const bool calm = !std::exchange(throttled_now_, false);
  if (!bucket_ || ceiling_ == 0 || !calm) return;
  const double raised = bucket_->rate() + std::max(least_rate, ceiling_ / 10);
  if (configured_ > 0) {
    bucket_->set_rate(std::min(raised, configured_));
  } else if (raised >= ceiling_ * 2) {
    bucket_.reset();  // it was a passing weakness
    ceiling_ = 0;
  } else {
    bucket_->set_rate(raised);
  }
}

void Pace::accepted(Time now) {
  count(now);
  ++this_second_;
}

void Pace::throttled(Time now) {
  count(now);
  const bool first = now >= paused_until_;  // the others of the same window say the same thing
  paused_until_ = now + throttle_pause;
  throttled_now_ = true;
  if (!first) return;
  const double measured = std::max({this_second_, last_second_, 1});
  ceiling_ = bucket_ ? std::min(bucket_->rate(), measured) : measured;
  const double halved = std::max(least_rate, ceiling_ / 2);
  if (bucket_) bucket_->set_rate(halved);
  else bucket_.emplace(halved, std::min(burst_, std::max(1.0, halved)), now);
}

}  // namespace wherry::sms

#include "connectors/msn/pace.hpp"

#include "gateway/base/within.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>

namespace wherry::msn {

LoginPace::Time LoginPace::next(Time now) const {
  if (turns_.size() < per_window_) return now;
  return std::max(now, turns_[turns_.size() - per_window_] + window);
}

LoginPace::Time LoginPace::reserve(Time now) {
  const Time turn = next(now);
  turns_.insert(std::upper_bound(turns_.begin(), turns_.end(), turn), turn);
  while (turns_.size() > per_window_ && turns_.front() + window <= now) turns_.pop_front();
  return turn;
}

void LoginPace::release(Time turn) {
  const auto found = std::find(turns_.begin(), turns_.end(), turn);
  if (found != turns_.end()) turns_.erase(found);
}

asio::awaitable<void> LoginPace::await_turn() {
  const Time now = std::chrono::steady_clock::now();
  const Time turn = reserve(now);
  if (turn <= now) co_return;
  try {
    co_await base::sleep(turn - now);
  } catch (const boost::system::system_error&) {
    release(turn);
    throw;
  }
}

}  // namespace wherry::msn

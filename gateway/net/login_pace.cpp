#include "gateway/net/login_pace.hpp"

#include "gateway/base/within.hpp"

#include <algorithm>
#include <map>

namespace wherry::net {

namespace {

// A minute by the server's clock, which begins when it hears of us.
constexpr std::chrono::seconds counted_minute{61};

}  // namespace

std::shared_ptr<LoginPace> LoginPace::of(const std::string& server, int a_minute,
                                         const asio::any_io_executor& executor) {
  static std::map<std::string, std::weak_ptr<LoginPace>> paces;  // used on the loop's thread alone
  std::erase_if(paces, [](const auto& entry) { return entry.second.expired(); });
  auto& known = paces[server];
  auto pace = known.lock();
  if (!pace) known = pace = std::make_shared<LoginPace>(a_minute, executor);
  pace->most_ = std::min(pace->most_, a_minute);
  return pace;
}

LoginPace::Time LoginPace::next(Time now) const {
  Time next = std::max(now, held_until_);
  const auto most = static_cast<std::size_t>(most_);
  if (latest_.size() >= most) next = std::max(next, latest_[latest_.size() - most] + counted_minute);
  return next;
}

void LoginPace::note(Time now) {
  latest_.push_back(now);
  while (latest_.size() > static_cast<std::size_t>(most_)) latest_.pop_front();
}

void LoginPace::hold(std::chrono::seconds time) {
  held_until_ = std::max(held_until_, std::chrono::steady_clock::now() + time);
}

asio::awaitable<void> LoginPace::turn(bool first) {
  const std::uint64_t place = next_place_++;
  if (first) waiting_.push_front(place);
  else waiting_.push_back(place);
  std::exception_ptr cancelled;
  try {
    co_await wait(place);
    note(std::chrono::steady_clock::now());
  } catch (...) {
    cancelled = std::current_exception();
  }
  std::erase(waiting_, place);
  changed_.notify();
  if (cancelled) std::rethrow_exception(cancelled);
}

asio::awaitable<void> LoginPace::wait(std::uint64_t place) {
  for (;;) {
    const Time now = std::chrono::steady_clock::now();
    const Time due = next(now);
    if (waiting_.front() != place) co_await changed_.wait();
    else if (due > now) co_await base::sleep(due - now);
    else co_return;
  }
}

}  // namespace wherry::net

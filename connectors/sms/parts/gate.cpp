#include "connectors/sms/parts/gate.hpp"

#include <boost/asio/redirect_error.hpp>

#include <utility>

namespace wherry::sms {

using std::chrono::steady_clock;

Gate::Gate(asio::any_io_executor executor, std::size_t window, double rate)
    : window_(window),
      pace_(rate, static_cast<double>(window), steady_clock::now()),
      changed_(executor),
      timer_(executor) {}

asio::awaitable<bool> Gate::enter(std::uint64_t ticket) {
  if (!open_) co_return false;
  if (waiting_.empty() && inside_ < window_ && pace_.take(steady_clock::now()).count() == 0) {
    ++inside_;
    co_return true;
  }
  bool granted = false;
  auto start = [this, ticket, &granted](base::Resume resume) {
    waiting_.emplace(ticket, Waiting{std::move(resume), &granted});
    changed_.notify();
    timer_.cancel();
  };
  co_await base::suspend(std::move(start));
  co_return granted;
}

void Gate::leave() {
  --inside_;
  if (!waiting_.empty()) changed_.notify();
}

void Gate::accepted() { pace_.accepted(steady_clock::now()); }
void Gate::throttled() { pace_.throttled(steady_clock::now()); }

void Gate::open() { open_ = true; }

void Gate::close() {
  open_ = false;
  for (auto& [ticket, waiting] : std::exchange(waiting_, {})) waiting.resume();
}

std::chrono::nanoseconds Gate::let_in() {
  while (open_ && !waiting_.empty() && inside_ < window_) {
    const auto wait = pace_.take(steady_clock::now());
    if (wait.count() > 0) return wait;
    ++inside_;
    const auto first = waiting_.begin();
    *first->second.granted = true;
    first->second.resume();
    waiting_.erase(first);
  }
  return std::chrono::nanoseconds(0);
}

asio::awaitable<void> Gate::run() {
  for (;;) {
    const auto wait = let_in();
    if (wait.count() == 0) {
      co_await changed_.wait();
      continue;
    }
    timer_.expires_after(wait);
    boost::system::error_code woken;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

}  // namespace wherry::sms

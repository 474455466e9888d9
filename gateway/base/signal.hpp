// A condition that coroutines wait for: wakes them when notified; the wait can be cancelled.
#pragma once

#include "gateway/base/suspend.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace wherry::base {

class Signal {
 public:
  // Of those who wait. A coroutine is woken on its own executor, so that it is not needed.
  explicit Signal(const asio::any_io_executor& /*executor*/) {}
  ~Signal() { notify(); }
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  // Wakes everybody who waits now, in the order in which they came. Nobody waiting: nothing is remembered, so test the
  // condition before waiting.
  void notify() {
    if (waiting_.after == &waiting_) return;
    std::vector<Resume> woken;
    while (waiting_.after != &waiting_) woken.push_back(static_cast<Waiter*>(waiting_.after)->leave());
    Resume::all(std::move(woken), nullptr);
  }

  // Returns at the next notify(), or throws operation_aborted when the coroutine is cancelled.
  asio::awaitable<void> wait() {
    Waiter waiter;  // in this coroutine, which stays where it is until it is resumed: a wait takes no memory of its own
    const auto state = co_await asio::this_coro::cancellation_state;
    auto start = [this, &waiter, slot = state.slot()](Resume resume) mutable {
      waiter.enter(waiting_, std::move(resume));
      // asio clears the slot when it resumes the coroutine.
      if (slot.is_connected()) slot.assign([&waiter](asio::cancellation_type) { waiter.wake(); });
    };
    co_await suspend(std::move(start));
    const auto now = co_await asio::this_coro::cancellation_state;
    if (now.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
  }

 private:
  // A ring of those who wait, which begins and ends at the signal.
  struct Link {
    Link* before = this;
    Link* after = this;
  };
  struct Waiter : Link {
    Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    void enter(Link& ring, Resume r) {
      resume.emplace(std::move(r));
      before = ring.before;
      after = &ring;
      before->after = this;
      ring.before = this;
    }
    Resume leave() {
      before->after = after;
      after->before = before;
      before = after = this;
      return *std::exchange(resume, std::nullopt);
    }
    void wake() {
      if (resume) leave()();
    }
    std::optional<Resume> resume;  // none: it is woken already
  };

  Link waiting_;
};

}  // namespace wherry::base

// A condition that coroutines wait for: wakes them when notified; the wait can be cancelled.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace wherry {
namespace asio = boost::asio;
}

namespace wherry::base {

class Signal {
 public:
  explicit Signal(asio::any_io_executor executor)
      : timer_(std::move(executor), asio::steady_timer::time_point::max()) {}

  // Wakes everybody who waits now. Nobody waiting: nothing is remembered, so test the condition before waiting.
  void notify() { timer_.cancel(); }

  // Returns at the next notify(), or throws operation_aborted when the coroutine is cancelled.
  asio::awaitable<void> wait() {
    boost::system::error_code woken;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
  }

 private:
  asio::steady_timer timer_;
};

}  // namespace wherry::base

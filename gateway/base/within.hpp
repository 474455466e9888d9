// A time limit on any awaitable.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace wherry::base {

namespace asio = boost::asio;

struct TimedOut : std::runtime_error {
  TimedOut() : std::runtime_error("timed out") {}
};

// Waits; throws operation_aborted when cancelled.
inline asio::awaitable<void> sleep(std::chrono::steady_clock::duration duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

// The result of `operation`; when `limit` passes first the operation is cancelled and TimedOut thrown.
template <class T>
asio::awaitable<T> within(std::chrono::steady_clock::duration limit, asio::awaitable<T> operation) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor, limit);
  auto result = co_await (std::move(operation) || timer.async_wait(asio::use_awaitable));
  if (result.index() == 1) throw TimedOut();
  if constexpr (!std::is_void_v<T>) co_return std::get<0>(std::move(result));
}

}  // namespace wherry::base

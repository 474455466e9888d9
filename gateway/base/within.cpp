#include "gateway/base/within.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace wherry::base {

asio::awaitable<void> sleep(std::chrono::steady_clock::duration duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> within(std::chrono::steady_clock::duration limit, asio::awaitable<void> operation) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, limit);
  auto both = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(operation), asio::deferred),
                                                      timer.async_wait(asio::deferred));
  const auto [order, failure, timer_error] =
      co_await both.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (order[0] == 0) {
    if (failure) std::rethrow_exception(failure);
    co_return;
  }
  if (!failure) co_return;                                          // it ended well all the same
  if (timer_error) throw boost::system::system_error(timer_error);  // we were cancelled ourselves
  throw TimedOut();
}

asio::awaitable<void> together(asio::awaitable<void> a, asio::awaitable<void> b) {
  const auto executor = co_await asio::this_coro::executor;
  auto both = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(a), asio::deferred),
                                                      asio::co_spawn(executor, std::move(b), asio::deferred));
  const auto [order, failure_a, failure_b] =
      co_await both.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  // In order of time: the later failure is only the echo of our cancellation.
  const std::exception_ptr& first = order[0] == 0 ? failure_a : failure_b;
  const std::exception_ptr& second = order[0] == 0 ? failure_b : failure_a;
  if (first) std::rethrow_exception(first);
  if (second) std::rethrow_exception(second);
}

asio::awaitable<void> apart(asio::awaitable<void> operation) {
  const auto executor = co_await asio::this_coro::executor;
  co_await asio::co_spawn(executor, std::move(operation), asio::use_awaitable);
}

}  // namespace wherry::base

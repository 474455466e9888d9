// A time limit on a coroutine, and coroutines that end together.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <utility>

namespace wherry {
namespace asio = boost::asio;
}

namespace wherry::base {

struct TimedOut : std::runtime_error {
  TimedOut() : std::runtime_error("timed out") {}
};

// Waits; throws operation_aborted when cancelled.
asio::awaitable<void> sleep(std::chrono::steady_clock::duration duration);

// Runs `operation`, and throws what it throws. When `limit` passes first it is cancelled, its end awaited, and TimedOut
// thrown, unless it succeeded in that very moment.
asio::awaitable<void> within(std::chrono::steady_clock::duration limit, asio::awaitable<void> operation);

// Runs both at once. The first failure cancels the other and is thrown; otherwise returns when both have.
asio::awaitable<void> together(asio::awaitable<void> a, asio::awaitable<void> b);

// Runs `operation` as a coroutine of its own: what it does to its cancellation state (a last write in spite of being
// cancelled, say) stays its own. Cancelling the caller cancels it.
asio::awaitable<void> apart(asio::awaitable<void> operation);

// As within, for an operation with a result.
template <class T>
asio::awaitable<T> within(std::chrono::steady_clock::duration limit, asio::awaitable<T> operation) {
  // Not a lambda: g++ 12 (house.md §8).
  struct Store {
    static asio::awaitable<void> run(asio::awaitable<T> inner, std::shared_ptr<std::unique_ptr<T>> out) {
      *out = std::make_unique<T>(co_await std::move(inner));
    }
  };
  auto result = std::make_shared<std::unique_ptr<T>>();
  co_await within(limit, Store::run(std::move(operation), result));
  co_return std::move(**result);
}

}  // namespace wherry::base

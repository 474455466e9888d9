// Runs a coroutine to its end on a loop of its own, with a generous limit: the frame of most asynchronous tests.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>

namespace wherry::tests {

namespace asio = boost::asio;

// Whatever the coroutine throws is thrown here. Throws when it has not ended after `limit`.
inline void run(asio::io_context& loop, asio::awaitable<void> task,
                std::chrono::seconds limit = std::chrono::seconds(60)) {
  std::optional<std::exception_ptr> ended;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error) { ended = error; });
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!ended && std::chrono::steady_clock::now() < deadline) {
    if (loop.stopped()) loop.restart();
    loop.run_one_for(std::chrono::milliseconds(100));
  }
  if (!ended) throw std::runtime_error("the test's coroutine did not end in time");
  if (*ended) std::rethrow_exception(*ended);
}

}  // namespace wherry::tests

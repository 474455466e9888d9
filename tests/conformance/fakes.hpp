// What a connector is given, for tests: an event sink that remembers, a user who answers, a storage in memory.
#pragma once

#include "gateway/base/signal.hpp"
#include "gateway/base/within.hpp"
#include "gateway/conformance/memory_storage.hpp"
#include "gateway/connector/contract.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <stdexcept>

namespace wherry::tests {

namespace asio = boost::asio;

using conformance::MemoryStorage;

// Keeps every event. `broken`: the store is lost. `held`: nothing becomes durable until release().
class Sink final : public connector::EventSink {
 public:
  // `storage`: where what is given with an event is written.
  explicit Sink(const asio::any_io_executor& executor, MemoryStorage* storage = nullptr)
      : storage_(storage), changed_(executor), released_(executor) {}

  asio::awaitable<void> publish(connector::Event event, connector::Changes changes) override {
    ++asked;
    changed_.notify();
    while (held) {
      ++waiting;
      most_waiting = std::max(most_waiting, waiting);
      co_await released_.wait();
      --waiting;
    }
    if (broken) throw std::runtime_error("the store is lost");
    if (storage_) storage_->apply(std::move(changes));
    events.push_back(std::move(event));
    changed_.notify();
  }
  void release() {
    held = false;
    released_.notify();
  }

  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& event : events) {
      if (const T* one = std::get_if<T>(&event)) found.push_back(*one);
    }
    return found;
  }
  // Until there are `count` events of type T.
  template <class T>
  asio::awaitable<void> wait_for(std::size_t count) {
    while (all<T>().size() < count) co_await base::within(std::chrono::seconds(60), changed_.wait());
  }
  // Until an AccountChanged after the first `before` of them says that the session is online.
  asio::awaitable<void> wait_online(std::size_t before) {
    for (;;) {
      const auto told = all<connector::AccountChanged>();
      if (std::any_of(told.begin() + static_cast<std::ptrdiff_t>(before), told.end(),
                      [](const auto& state) { return state.online; }))
        co_return;
      co_await base::within(std::chrono::seconds(60), changed_.wait());
    }
  }
  asio::awaitable<void> wait_asked(std::size_t count) {
    while (asked < count) co_await base::within(std::chrono::seconds(60), changed_.wait());
  }

  std::vector<connector::Event> events;
  std::size_t asked = 0, waiting = 0, most_waiting = 0;
  bool broken = false, held = false;

 private:
  MemoryStorage* storage_;
  base::Signal changed_, released_;
};

// Answers each form with what is prepared by field name, or gives up when told to.
class User final : public connector::Dialogue {
 public:
  explicit User(const asio::any_io_executor& executor) : changed_(executor) {}

  asio::awaitable<connector::Result<connector::Answers>> ask(connector::Form form) override {
    asked.push_back(form);
    changed_.notify();
    if (silent) co_await base::sleep(std::chrono::hours(1));
    if (gives_up) co_return connector::Error{connector::Errc::rejected, "The user gave up."};
    connector::Answers given;
    for (const auto& field : form.fields) {
      const auto found = answers.find(field.name);
      given[field.name] = found == answers.end() ? field.value : found->second;
    }
    co_return given;
  }

  asio::awaitable<void> wait_asked() {
    while (asked.empty()) co_await base::within(std::chrono::seconds(60), changed_.wait());
  }

  connector::Answers answers;
  bool gives_up = false, silent = false;
  std::vector<connector::Form> asked;

 private:
  base::Signal changed_;
};

// A loop and the services of a gateway on it.
struct Bench {
  asio::io_context loop;
  MemoryStorage storage;
  net::HttpClient http{loop.get_executor()};
  net::HttpServer webhooks{loop.get_executor()};
  base::SystemClock clock;
  connector::Services services{loop.get_executor(), http, webhooks, storage, clock};
};

}  // namespace wherry::tests

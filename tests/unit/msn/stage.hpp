// Sessions of the connector and a server that does what a test tells it.
#pragma once

#include "connectors/msn/session.hpp"
#include "connectors/msn/settings.hpp"
#include "gateway/base/within.hpp"
#include "gateway/conformance/memory_storage.hpp"
#include "gateway/net/http_server.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/msn/fake_server.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wherry::tests {

using namespace std::chrono_literals;
using msn::MsnSession;
using msn::parse_settings;
using msn::Persona;
using msn::Upstream;

class HeldSink final : public connector::EventSink {
 public:
  explicit HeldSink(const asio::any_io_executor& executor) : changed(executor) {}
  asio::awaitable<void> publish(connector::Event event, connector::Changes) override {
    const bool is_message = std::holds_alternative<connector::MessageReceived>(event);
    while (is_message && holds_messages) {
      is_asked = true;
      changed.notify();
      co_await changed.wait();
    }
    events.push_back(std::move(event));
    changed.notify();
    co_return;
  }
  template <class E>
  std::vector<E> all() const {
    std::vector<E> found;
    for (const auto& event : events) {
      if (const auto* it = std::get_if<E>(&event)) found.push_back(*it);
    }
    return found;
  }
  std::vector<connector::Event> events;
  bool holds_messages = false, is_asked = false;  // the store takes its time; a message waits for it
  base::Signal changed;
};

// One account and its session.
struct Person {
  Person(Upstream& upstream, const connector::Services& services, const std::string& email,
         const std::string& memory_key)
      : sink(upstream.executor),
        session(upstream, services, {email, FakeMsn::password_of(email)}, memory_key, sink,
                std::make_shared<Persona>()),
        tasks(upstream.executor) {
    tasks.spawn("session", live());
  }
  asio::awaitable<void> live() {
    try {
      co_await session.run();
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted) throw;
      why = e.what();
    } catch (const std::exception& e) {
      why = e.what();
    }
    is_over = true;
    sink.changed.notify();
  }
  bool is_online() const {
    const auto told = sink.all<connector::AccountChanged>();
    return !told.empty() && told.back().online;
  }
  asio::awaitable<void> wait_online_or_over() {
    while (!is_online() && !is_over) co_await sink.changed.wait();
  }
  asio::awaitable<void> wait_over() {
    while (!is_over) co_await sink.changed.wait();
  }

  HeldSink sink;
  MsnSession session;
  base::TaskGroup tasks;
  bool is_over = false;
  std::string why;
};

struct Stage {
  Stage() : upstream(parse_settings(server.configuration()).value(), loop.get_executor(), client) {
    server.behind_login.clear();
  }
  ~Stage() {
    for (auto& person : people) end(*person);
    run(loop, server.stop());
  }
  // Until that is so of the server.
  template <class Condition>
  void until(Condition is_so) {
    run(loop, wait(std::function<bool()>(is_so)));
  }
  asio::awaitable<void> wait(std::function<bool()> is_so) {
    while (!is_so()) {
      auto news = server.changed.wait();
      co_await base::within(60s, std::move(news));
    }
  }
  // Until that is so of what the person was told.
  template <class Condition>
  void until(Person& person, Condition is_so) {
    run(loop, wait(person, std::function<bool()>(is_so)));
  }
  static asio::awaitable<void> wait(Person& person, std::function<bool()> is_so) {
    while (!is_so()) {
      auto news = person.sink.changed.wait();
      co_await base::within(60s, std::move(news));
    }
  }
  void end(Person& person) {
    person.tasks.cancel();
    run(loop, person.tasks.join());
  }
  Person& add(const std::string& email) { return add(email, email); }
  // `memory_key`: of the account, which may have had another address before.
  Person& add(const std::string& email, const std::string& memory_key) {
    people.push_back(std::make_unique<Person>(upstream, services, email, memory_key));
    run(loop, people.back()->wait_online_or_over());
    return *people.back();
  }
  connector::Result<connector::Receipt> perform(Person& person, connector::Action action) {
    std::optional<connector::Result<connector::Receipt>> result;
    run(loop, into(person.session.perform(std::move(action)), result));
    return std::move(*result);
  }
  static asio::awaitable<void> into(asio::awaitable<connector::Result<connector::Receipt>> operation,
                                    std::optional<connector::Result<connector::Receipt>>& result) {
    result = co_await std::move(operation);
  }
  connector::Result<connector::Receipt> send(Person& person, const std::string& text) {
    connector::SendMessage message;
    message.chat = connector::ContactId{"juliet@x.test"};
    message.key = text;
    message.content.text = text;
    return perform(person, std::move(message));
  }

  asio::io_context loop;
  net::HttpClient client{loop.get_executor()};
  net::HttpServer webhooks{loop.get_executor()};
  conformance::MemoryStorage storage;
  base::SystemClock clock;
  connector::Services services{loop.get_executor(), client, webhooks, storage, clock};
  FakeMsn server{loop.get_executor()};
  Upstream upstream;
  std::vector<std::unique_ptr<Person>> people;
};

}  // namespace wherry::tests

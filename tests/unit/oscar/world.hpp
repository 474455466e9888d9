// A connector, a user and a server, for tests of what an account does.
#pragma once

#include "connectors/oscar/connector.hpp"
#include "tests/conformance/fakes.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/oscar/fake_oscar.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace wherry::tests {

struct OscarWorld {
  explicit OscarWorld(Bench& b, nlohmann::json extra = nlohmann::json::object())
      : bench(b),
        server(b.loop.get_executor()),
        user(b.loop.get_executor()),
        sink(b.loop.get_executor(), &b.storage),
        tasks(b.loop.get_executor()) {
    nlohmann::json configuration{{"host", "127.0.0.1"}, {"port", server.port()}, {"logins_a_minute", 6000}};
    configuration.update(extra);
    auto made = oscar::OscarConnector::make(configuration, bench.services);
    if (!made) throw std::runtime_error(made.error().text);
    network = std::move(*made);
    know("secret01");
  }
  void know(std::string password, std::string name = "100001") {
    connector::Account account;
    account.id = {1};
    account.user = "romeo@x.test";
    account.credentials = {{"username", std::move(name)}, {"password", std::move(password)}};
    network->know_account(account, sink);
  }
  asio::awaitable<connector::Result<connector::Answers>> log_in(std::string name, std::string password) {
    user.answers = {{"username", std::move(name)}, {"password", std::move(password)}};
    connector::Applicant applicant;
    applicant.user = "romeo@x.test";
    co_return co_await network->log_in(std::move(applicant), user);
  }
  // Runs a session until it ends; why, or "" where it returned.
  asio::awaitable<void> keep(std::shared_ptr<connector::Session> one) {
    try {
      co_await one->run();
      ends.push_back("");
    } catch (const boost::system::system_error&) {
      throw;
    } catch (const std::runtime_error& e) {
      ends.push_back(e.what());
    }
    server.changed.notify();
  }
  void open() {
    session = network->open({1});
    tasks.spawn("session", keep(session));
  }
  asio::awaitable<void> come_up() {
    const auto before = sink.all<connector::AccountChanged>().size();
    open();
    co_await sink.wait_online(before);
  }
  asio::awaitable<connector::Result<connector::Receipt>> perform(connector::Action action) {
    co_return co_await session->perform(std::move(action));
  }
  asio::awaitable<connector::Result<connector::Answer>> ask(connector::Query query) {
    co_return co_await session->query(std::move(query));
  }
  asio::awaitable<connector::Result<connector::Receipt>> send(std::string text, std::string key = "k1") {
    connector::SendMessage message;
    message.chat = connector::ContactId{"100002"};
    message.key = std::move(key);
    message.content.text = std::move(text);
    connector::Action action = std::move(message);
    co_return co_await session->perform(std::move(action));
  }
  asio::awaitable<void> add(std::string contact) {
    connector::AddContact add;
    add.contact.value = std::move(contact);
    connector::Action action = std::move(add);
    auto added = co_await session->perform(std::move(action));
    REQUIRE(added.has_value());
    bench.storage.apply(std::move(added->changes));
  }
  asio::awaitable<void> end() {
    tasks.cancel();
    co_await tasks.join();
    session.reset();
    co_await server.stop();
  }

  Bench& bench;
  FakeOscar server;
  User user;
  Sink sink;
  base::TaskGroup tasks;
  std::unique_ptr<connector::Connector> network;
  std::shared_ptr<connector::Session> session;
  std::vector<std::string> ends;
};

}  // namespace wherry::tests

#define UNTIL(condition)                      \
  do {                                        \
    auto done = [&] { return condition; };    \
    co_await w.server.until(std::move(done)); \
  } while (false)

// The rest: what the configuration has besides, if anything.
#define OSCAR_TEST(name, function, ...)                                \
  asio::awaitable<void> function(wherry::tests::OscarWorld& w);        \
  TEST_CASE(name) {                                                    \
    wherry::tests::Bench bench;                                        \
    wherry::tests::OscarWorld world(bench __VA_OPT__(, ) __VA_ARGS__); \
    wherry::tests::run(bench.loop, function(world));                   \
  }                                                                    \
  asio::awaitable<void> function(wherry::tests::OscarWorld& w)

// ChildConnector with a process that misbehaves in a way that its argument names (fake_child.py), as a gateway runs it.
#pragma once

#include "gateway/child/connector.hpp"

#include "gateway/base/task_group.hpp"
#include "tests/conformance/fakes.hpp"
#include "tests/support/run.hpp"

#include <optional>
#include <string>
#include <vector>

namespace wherry::tests {

using connector::AccountId;
using connector::Connector;
using connector::ContactId;
using connector::Receipt;
using connector::Result;
using nlohmann::json;

inline const AccountId seven{7};

// A child of that mode.
inline json settings(const std::string& mode) {
  json configuration;
  configuration["command"] = {"/usr/bin/python3", WHERRY_SOURCE_DIR "/tests/unit/child/fake_child.py", mode};
  return configuration;
}

using Made = Result<std::unique_ptr<Connector>>;

// A child of that mode, its run() as a gateway runs it (again after each failure, which is kept), and one account.
struct Child : Bench {
  explicit Child(const std::string& mode) : Child(settings(mode), {}) {}
  Child(json configuration, child::ChildLimits child_limits) : limits(child_limits) {
    tests::run(loop, make(std::move(configuration)));
    connector = std::move(made->value());
    connector->know_account(connector::Account{seven, "romeo@example.org", {{"phone", "1"}}}, sink);
    group.spawn("run", run());
  }
  ~Child() {
    group.cancel();
    tests::run(loop, group.join());
  }
  asio::awaitable<void> make(json configuration) {
    made = co_await child::make_child_connector(std::move(configuration), services, limits);
  }

  asio::awaitable<void> run() {
    for (;;) {
      try {
        co_await connector->run();
      } catch (const boost::system::system_error&) {
        throw;
      } catch (const std::exception& e) {
        failures.push_back(e.what());
        failed.notify();
      }
      if (!restarts) co_return;
    }
  }
  asio::awaitable<void> wait_failures(std::size_t count) {
    while (failures.size() < count) co_await base::within(std::chrono::seconds(60), failed.wait());
  }

  // Results of the contract's coroutines, for tests that are plain functions.
  template <class T>
  T get(asio::awaitable<T> operation) {
    std::optional<T> result;
    tests::run(loop, into(std::move(operation), result));
    return std::move(*result);
  }
  template <class T>
  static asio::awaitable<void> into(asio::awaitable<T> operation, std::optional<T>& result) {
    result = co_await std::move(operation);
  }

  Result<Receipt> perform(const std::string& key) {
    if (!session) session = connector->open(seven);
    return get(session->perform(connector::SendMessage{ContactId{"a"}, key, connector::Content{"x", {}}}));
  }
  Result<ContactId> parse() { return get(connector->parse_contact("x", seven)); }

  child::ChildLimits limits;
  std::optional<Made> made;
  std::unique_ptr<Connector> connector;
  Sink sink{loop.get_executor()};
  std::unique_ptr<connector::Session> session;
  std::vector<std::string> failures;
  base::Signal failed{loop.get_executor()};
  bool restarts = false;
  base::TaskGroup group{loop.get_executor()};
};

}  // namespace wherry::tests

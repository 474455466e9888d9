// One connector at work, as the gateway runs it: run() again after a failure, sessions likewise.
#pragma once

#include "gateway/base/task_group.hpp"
#include "tests/conformance/harness.hpp"
#include "tests/support/run.hpp"

#include <boost/system/system_error.hpp>

namespace wherry::tests {

class Lab : public Bench {
 public:
  // Makes the connector with `configuration`, or with the harness's own. Nothing runs yet.
  explicit Lab(std::unique_ptr<Harness> h, nlohmann::json configuration = nullptr) : harness(std::move(h)) {
    if (configuration.is_null()) configuration = harness->configuration;
    auto made = get(harness->make(std::move(configuration), services));
    if (!made) throw std::runtime_error(harness->name + ": " + made.error().text);
    network = std::move(*made);
  }
  ~Lab() { stop(); }

  // Runs the connector with one account, and opens its session.
  void start() {
    network->know_account(account(1), sink);
    group.spawn("run", keep_running());
    session = open(1, sink);
  }
  // A session of that account, online. The account is known.
  std::unique_ptr<connector::Session> open(std::int64_t number, Sink& events) {
    auto opened = network->open(base::AccountId{number});
    const auto before = events.all<connector::AccountChanged>().size();
    sessions.spawn("session", opened->run());
    run(loop, events.wait_for<connector::AccountChanged>(before + 1));
    return opened;
  }
  void stop() {
    sessions.cancel();
    run(loop, sessions.join());
    session.reset();
    group.cancel();
    run(loop, group.join());
    network.reset();
  }

  connector::Account account(std::int64_t number) const {
    return {base::AccountId{number}, "user" + std::to_string(number) + "@example.org", harness->credentials};
  }
  connector::ChatId chat(std::size_t i = 0) const { return contact(i); }
  connector::ContactId contact(std::size_t i = 0) const { return {harness->contacts.at(i).second}; }

  connector::Result<connector::Receipt> send(const std::string& key, const std::string& text) {
    connector::SendMessage message;
    message.chat = chat();
    message.key = key;
    message.content.text = text;
    return get(session->perform(std::move(message)));
  }

  template <class T>
  T get(asio::awaitable<T> operation) {
    std::optional<T> result;
    run(loop, into(std::move(operation), result));
    return std::move(*result);
  }
  template <class T>
  static asio::awaitable<void> into(asio::awaitable<T> operation, std::optional<T>& result) {
    result = co_await std::move(operation);
  }

  std::unique_ptr<Harness> harness;
  std::unique_ptr<connector::Connector> network;
  Sink sink{loop.get_executor()};
  std::unique_ptr<connector::Session> session;
  base::TaskGroup group{loop.get_executor()};
  base::TaskGroup sessions{loop.get_executor()};

 private:
  asio::awaitable<void> keep_running() {
    for (;;) {
      try {
        co_await network->run();
      } catch (const boost::system::system_error& e) {
        if (e.code() == asio::error::operation_aborted) throw;
      } catch (const std::runtime_error&) {
        // a broken link: again
      }
      co_await base::sleep(std::chrono::milliseconds(10));
    }
  }
};

// One of the networks; a test case that calls this is run once for each.
inline std::unique_ptr<Harness> any_network() {
  std::unique_ptr<Harness> chosen;
  for (auto& harness : all_harnesses()) {
    SUBCASE(harness->name.c_str()) {
      chosen = std::move(harness);
    }
  }
  return chosen;
}

}  // namespace wherry::tests

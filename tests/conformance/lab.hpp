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
    harness->begin(*this);
    make(configuration.is_null() ? harness->configuration : std::move(configuration));
  }
  ~Lab() {
    stop();
    run(loop, harness->end());
  }

  // Runs the connector with account 1, and opens its session.
  void start() {
    know(1);
    group.spawn("run", keep_running());
    open(1);
  }
  void stop() {
    while (!sessions_.empty()) close(sessions_.begin()->first);
    group.cancel();
    run(loop, group.join());
    network.reset();
  }
  // Another process of the gateway's, over the same storage.
  void restart() {
    stop();
    make(harness->configuration);
    start();
  }

  // ---- Accounts 1 and 2 ----

  connector::Account account(std::int64_t number) const {
    return {base::AccountId{number}, "user" + std::to_string(number) + "@example.org",
            harness->credentials.at(static_cast<std::size_t>(number - 1))};
  }
  // Tells the connector of the account, whose events go to a sink of its own.
  Sink& know(std::int64_t number) {
    Sink& events = sinks_.try_emplace(number, loop.get_executor(), &storage).first->second;
    network->know_account(account(number), events);
    return events;
  }
  void forget(std::int64_t number) {
    network->forget_account(base::AccountId{number});
    sinks_.erase(number);  // the sanitizer tells if it is used again
  }
  // A session of an account that is known, online.
  connector::Session& open(std::int64_t number) {
    Open& opened = sessions_.try_emplace(number, loop.get_executor()).first->second;
    opened.session = network->open(base::AccountId{number});
    Sink& events = sinks_.at(number);
    const auto before = events.all<connector::AccountChanged>().size();
    opened.task.spawn("session", opened.session->run());
    run(loop, events.wait_online(before));
    return *opened.session;
  }
  // Cancels the account's session; it has seven seconds to end.
  void close(std::int64_t number) {
    Open& opened = sessions_.at(number);
    opened.task.cancel();
    run(loop, opened.task.join(), std::chrono::seconds(7));
    sessions_.erase(number);
  }
  connector::Session& session(std::int64_t number = 1) { return *sessions_.at(number).session; }
  bool is_running(std::int64_t number) const { return !sessions_.at(number).task.empty(); }

  // ---- Chats ----

  connector::ChatId chat(std::size_t i = 0) const { return contact(i); }
  connector::ContactId contact(std::size_t i = 0) const { return {harness->contacts.at(i).second}; }

  connector::Result<connector::Receipt> send(const std::string& key, const std::string& text, std::int64_t from = 1) {
    connector::SendMessage message;
    message.chat = chat();
    message.key = key;
    message.content.text = text;
    auto result = get(session(from).perform(std::move(message)));
    if (result) storage.apply(std::move(result->changes));
    return result;
  }
  std::size_t taken(const std::string& text) const {
    const auto all = harness->taken(sink);
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const Taken& one) { return one.text == text; }));
  }
  // Harness::bring and report; account 1 unless another is named.
  asio::awaitable<bool> bring(std::string number, std::string text, std::int64_t account = 1, std::size_t from = 0) {
    const auto opened = sessions_.find(account);
    return harness->bring(opened == sessions_.end() ? nullptr : opened->second.session.get(),
                          Incoming{base::AccountId{account}, contact(from), std::move(number), std::move(text)});
  }
  asio::awaitable<bool> report(std::string key, std::string text) {
    return harness->report(session(), std::move(key), std::move(text));
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
  base::TaskGroup group{loop.get_executor()};

 private:
  struct Open {
    explicit Open(const asio::any_io_executor& executor) : task(executor) {}
    std::unique_ptr<connector::Session> session;
    base::TaskGroup task;
  };
  void make(nlohmann::json configuration) {
    auto made = get(harness->make(std::move(configuration), services));
    if (!made) throw std::runtime_error(harness->name + ": " + made.error().text);
    network = std::move(*made);
  }
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

  std::map<std::int64_t, Sink> sinks_;
  std::map<std::int64_t, Open> sessions_;

 public:
  Sink& sink = sinks_.try_emplace(1, loop.get_executor(), &storage).first->second;  // account 1's
};

// One of the networks; a test case that calls this is run once for each.
inline std::unique_ptr<Harness> any_network() {
  std::unique_ptr<Harness> chosen;
  for (auto& harness : all_harnesses()) {
    SUBCASE(harness->name.c_str()) { chosen = std::move(harness); }
  }
  return chosen;
}

}  // namespace wherry::tests

// An SMPP carrier with a storage and an SMS centre of its own: the frame of the tests of its state.
#pragma once

#include "connectors/sms/carriers/smpp.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/sms/fake_smsc.hpp"
#include "tests/unit/sms/memory_storage.hpp"

namespace wherry::tests {

using namespace sms;

// What a connector does for a carrier: takes its events, and starts it.
struct Host final : CarrierEvents {
  explicit Host(asio::io_context& loop)
      : executor(loop.get_executor()),
        storage(executor),
        http(executor),
        webhooks(executor),
        smsc(executor),
        tasks(executor) {}

  asio::awaitable<bool> received(IncomingText text) override {
    while (holding) co_await smsc.changed.wait();
    if (known) storage.apply(std::move(text.first));
    storage.apply(std::move(text.last));
    texts.push_back(std::move(text));
    smsc.changed.notify();
    co_return known;
  }
  asio::awaitable<void> progressed(TextProgress progress) override {
    storage.apply(std::move(progress.changes));
    reports.push_back(std::move(progress));
    smsc.changed.notify();
    co_return;
  }
  void link_changed() override { smsc.changed.notify(); }

  // A new carrier over the same storage: a start of the process.
  void start(nlohmann::json settings = nlohmann::json::object()) {
    settings["host"] = "127.0.0.1";
    settings["port"] = smsc.port();
    settings["system_id"] = "wherry";
    settings["password"] = "secret";
    connector::Services services{executor, http, webhooks, storage, clock};
    auto made = make_smpp({"main", settings, "carriers[0]", "US", {"+15550001"}}, services, *this);
    if (!made) throw std::runtime_error(made.error().text);
    carrier = std::move(*made);
    tasks.spawn("carrier", run());
  }
  asio::awaitable<void> run() {
    for (;;) {
      try {
        co_await carrier->run();
      } catch (const LinkDown& e) {
        down.push_back(e.what());
        at_least = e.at_least;
        smsc.changed.notify();
      }
      if (at_least.count() > 0) co_return;
    }
  }
  asio::awaitable<void> up() {
    auto done = [this] { return carrier->is_up(); };
    co_await smsc.until(std::move(done));
  }
  asio::awaitable<void> stop() {
    tasks.cancel();
    co_await tasks.join();
    carrier.reset();
  }
  asio::awaitable<void> end() {
    co_await stop();
    co_await smsc.stop();
  }
  asio::awaitable<void> send(std::string key, std::string text, connector::Result<void>* result, std::string to) {
    OutgoingText out{std::move(key),
                     {Address::Type::international, "+15550001"},
                     {Address::Type::international, std::move(to)},
                     std::move(text),
                     {}};
    auto sent = co_await carrier->send(std::move(out));
    if (sent) storage.apply(std::move(*sent));
    *result = sent ? connector::Result<void>() : sent.error();
    smsc.changed.notify();
  }
  asio::awaitable<connector::Result<void>> send(std::string key, std::string text) {
    connector::Result<void> result;
    co_await send(std::move(key), std::move(text), &result, "+15550100");
    co_return result;
  }
  // Begins to send; `*result` is an error "pending" until it is done.
  void begin(std::string key, std::string text, connector::Result<void>* result, std::string to = "+15550100") {
    *result = connector::Error{connector::Errc::unsupported, "pending", {}};
    tasks.spawn("send", send(std::move(key), std::move(text), result, std::move(to)));
  }

  asio::any_io_executor executor;
  FakeClock clock;
  MemoryStorage storage;
  net::HttpClient http;
  net::HttpServer webhooks;
  FakeSmsc smsc;
  std::unique_ptr<Carrier> carrier;
  std::vector<IncomingText> texts;
  std::vector<TextProgress> reports;
  std::vector<std::string> down;
  std::chrono::seconds at_least{0};
  bool holding = false;  // received() does not return yet
  bool known = true;     // somebody has the number
  base::TaskGroup tasks;
};

inline std::string outcome(const connector::Result<void>& result) {
  return result ? "sent" : std::string(base::to_string(result.error().code));
}

}  // namespace wherry::tests

// The lambda outside of the co_await: g++ 12.
#define UNTIL(condition)                       \
  do {                                         \
    auto done = [&] { return condition; };     \
    co_await host.smsc.until(std::move(done)); \
  } while (false)

// Each test is a coroutine on a loop of its own.
#define SMPP_TEST(name, function)                                   \
  boost::asio::awaitable<void> function(wherry::tests::Host& host); \
  TEST_CASE(name) {                                                 \
    boost::asio::io_context loop;                                   \
    wherry::tests::Host host(loop);                                 \
    wherry::tests::run(loop, function(host));                       \
  }                                                                 \
  boost::asio::awaitable<void> function(wherry::tests::Host& host)

// Runs one carrier for a test, with a real HttpClient and HttpServer on loopback.
//
//   twilio_driver
//   '{"type":"twilio","settings":{…},"numbers":["+15550001"],"assigned":["+15550001"],"port":0,"storage":"file"}'
//
// Lines on standard output:  {"listening":PORT}  {"up":true}  {"sent":"k1","outcome":"ok"}
// {"sent":"k1","outcome":"unavailable",
//   "text":"…","retry_after":2}  {"received":{"id","from","to","text","files"}}  {"progressed":{"key","stage","text"}}
// Lines on standard input:   {"send":{"key","from","to","text"}}  {"lose_store":true}; its end stops the driver.
#include "connectors/sms/carriers/make.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <set>

using namespace wherry;
using namespace wherry::sms;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

void say(const json& line) { std::cout << line.dump() << std::endl; }

// A log of writes: what was written stays written when the process is killed.
class FileStorage final : public connector::Storage {
 public:
  explicit FileStorage(const std::string& path) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      const json entry = json::parse(line, nullptr, false);
      if (entry.is_array()) put(entry[0].get<std::string>(), entry[1].get<std::string>());
    }
    out_.open(path, std::ios::app);
  }
  asio::awaitable<void> write(std::vector<connector::Entry> entries) override {
    for (const auto& e : entries) {
      out_ << json::array({e.key, e.value}).dump() << std::endl;
      put(e.key, e.value);
    }
    co_return;
  }
  asio::awaitable<std::vector<connector::Entry>> read(std::string prefix, std::string after,
                                                      std::size_t limit) override {
    std::vector<connector::Entry> found;
    for (const auto& [key, value] : entries_) {
      if (key.starts_with(prefix) && key > after && found.size() < limit) found.push_back({key, value});
    }
    co_return found;
  }

 private:
  void put(const std::string& key, const std::string& value) {
    if (value.empty()) entries_.erase(key);
    else entries_[key] = value;
  }
  std::map<std::string, std::string> entries_;
  std::ofstream out_;
};

class Driver final : public CarrierEvents {
 public:
  Driver(asio::io_context& loop, const json& setting)
      : client_(loop.get_executor()),
        server_(loop.get_executor()),
        storage_(setting["storage"].get<std::string>()),
        tasks_(loop.get_executor()),
        input_(loop, ::dup(0)) {
    for (const auto& number : setting["assigned"]) assigned_.insert(number.get<std::string>());
    const asio::ip::tcp::endpoint endpoint(asio::ip::address_v4::loopback(), setting["port"].get<std::uint16_t>());
    server_.listen(endpoint);
    server_.open();
    server_.public_url = "http://127.0.0.1:" + std::to_string(server_.endpoint().port());
    connector::Services services{loop.get_executor(), client_, server_, storage_, clock_};
    CarrierSetting source{"tw", setting["settings"], "carriers[0]", "US",
                          setting["numbers"].get<std::vector<std::string>>()};
    auto made = make_carrier(setting["type"].get<std::string>(), std::move(source), services, *this);
    if (!made) throw std::runtime_error(made.error().text);
    carrier_ = std::move(*made);
    say({{"listening", server_.endpoint().port()}});
  }

  asio::awaitable<void> run() {
    tasks_.spawn("carrier", run_carrier());
    std::string buffer;
    for (;;) {
      boost::system::error_code ended;
      const auto size = co_await asio::async_read_until(input_, asio::dynamic_buffer(buffer), '\n',
                                                        asio::redirect_error(asio::use_awaitable, ended));
      if (ended) break;
      obey(json::parse(buffer.substr(0, size)));
      buffer.erase(0, size);
    }
    tasks_.cancel();
    co_await tasks_.join();
    co_await server_.stop();
  }

  asio::awaitable<bool> received(IncomingText text) override {
    if (lost_) throw std::runtime_error("the store is lost");
    const bool ours = assigned_.contains(text.to.text);
    json said = {{"id", text.id}, {"from", text.from.text}, {"to", text.to.text}, {"text", text.text}};
    for (const connector::File& file : text.files) said["files"].push_back(file.url);
    if (ours) co_await storage_.write(std::move(text.first));
    co_await storage_.write(std::move(text.last));
    if (ours) say({{"received", std::move(said)}});
    co_return ours;
  }
  asio::awaitable<void> progressed(TextProgress progress) override {
    if (lost_) throw std::runtime_error("the store is lost");
    co_await storage_.write(std::move(progress.changes));
    static constexpr const char* stages[] = {"accepted", "delivered", "read", "failed"};
    say({{"progressed",
          {{"key", progress.key}, {"stage", stages[static_cast<int>(progress.stage)]}, {"text", progress.text}}}});
    co_return;
  }
  void link_changed() override { say({{"up", carrier_->is_up()}}); }

 private:
  asio::awaitable<void> run_carrier() {
    for (;;) {
      try {
        co_await carrier_->run();
      } catch (const LinkDown& e) {
        say({{"down", e.what()}, {"at_least", e.at_least.count()}});
      } catch (const boost::system::system_error&) {
        throw;  // the end
      } catch (const std::exception& e) {
        say({{"down", e.what()}, {"at_least", 0}});
      }
      co_await base::sleep(200ms);
    }
  }
  void obey(const json& command) {
    if (command.contains("lose_store")) {
      lost_ = command["lose_store"].get<bool>();
      say({{"store_lost", lost_}});
    }
    if (!command.contains("send")) return;
    const json& m = command["send"];
    OutgoingText text;
    text.key = m["key"].get<std::string>();
    text.from = {Address::Type::international, m["from"].get<std::string>()};
    text.to = {Address::Type::international, m["to"].get<std::string>()};
    text.text = m["text"].get<std::string>();
    tasks_.spawn("send", send(std::move(text)));
  }
  asio::awaitable<void> send(OutgoingText text) {
    const std::string key = text.key;
    auto result = co_await carrier_->send(std::move(text));
    if (result) co_await storage_.write(std::move(*result));
    if (result) say({{"sent", key}, {"outcome", "ok"}});
    else
      say({{"sent", key},
           {"outcome", base::to_string(result.error().code)},
           {"text", result.error().text},
           {"retry_after", result.error().retry_after.count()}});
  }

  net::HttpClient client_;
  net::HttpServer server_;
  FileStorage storage_;
  base::SystemClock clock_;
  std::set<std::string> assigned_;
  bool lost_ = false;
  std::unique_ptr<Carrier> carrier_;
  base::TaskGroup tasks_;
  asio::posix::stream_descriptor input_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  try {
    asio::io_context loop;
    Driver driver(loop, json::parse(arguments[1]));
    base::TaskGroup tasks(loop.get_executor());
    tasks.spawn("driver", driver.run());
    loop.run();
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}

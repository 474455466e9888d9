// The engine of HTTP carriers with a service of the tests' own, and what the connector hears.
#pragma once

#include "connectors/sms/http/api/values.hpp"
#include "connectors/sms/http/http_carrier.hpp"
#include "connectors/sms/http/ledger.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/text.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/sms/memory_storage.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace wherry::tests {

using namespace sms;
using namespace sms::http;
using connector::Errc;
using connector::Idempotency;
using connector::Stage;

// The reference of a text is its body, "delivered REF" a webhook's.
class Simple final : public Provider {
 public:
  Simple(Setting s, Idempotency idempotency) : Provider(std::move(s)), idempotency_(idempotency) {}
  Idempotency idempotency() const override { return idempotency_; }
  std::size_t most_units() const override { return 20; }
  std::string why_too_long(std::string_view text) const override {
    return text.find("ж") == text.npos ? "" : "There is no room for that.";
  }
  net::HttpRequest get(std::string url) const override { return request(std::move(url)); }
  net::HttpRequest send_request(const OutgoingText&, std::string_view ref, base::Time) const override {
    net::HttpRequest r = request(setting.base_url + "/send");
    r.method = "POST";
    r.body = ref;
    return r;
  }
  Verdict judge(const net::HttpResponse& answer, base::Time now) const override {
    if (answer.status != 200) return judge_failure(answer, 0, {}, now);
    Verdict v;
    v.kind = Verdict::Kind::taken;
    v.id = answer.body;
    return v;
  }
  std::string list_url(const Filter& filter) const override {
    return setting.base_url + "/list?to=" + filter.to.substr(std::min<std::size_t>(1, filter.to.size()));
  }
  // A list is one message, "recipient|text" or "recipient|text|reference", or nothing. "?" is a row that is none.
  std::optional<Page> read_page(std::string_view body, const std::string&) const override {
    Page page;
    if (body == "?") page.messages.emplace_back();
    const auto bar = body.find('|');
    if (bar == body.npos) return page;
    Message m;
    m.id = "1";
    m.to = body.substr(0, bar);
    m.text = body.substr(bar + 1);
    if (const auto second = m.text.find('|'); second != m.text.npos) {
      m.ref = m.text.substr(second + 1);
      m.text.resize(second);
    }
    page.messages.push_back(std::move(m));
    return page;
  }
  std::optional<net::HttpRequest> sign_in() const override {
    if (!wants_token) return std::nullopt;
    return request(setting.base_url + "/token");
  }
  std::string read_token(const net::HttpResponse& answer) const override { return answer.body; }
  std::vector<net::HttpRequest> at_start() const override {
    if (!says_hello) return {};
    return {request(setting.base_url + "/hello")};
  }
  bool takes_get() const override { return true; }
  bool is_genuine(const net::ServerRequest& request, base::Time) const override {
    return request.header("x-key") == "good" || knows_secret(setting, request.target);
  }
  std::string file_name(std::string_view link) const override {
    return std::string(link.substr(std::min(link.size(), link.find("MM"))));
  }
  net::HttpRequest file_request(std::string_view name) const override {
    net::HttpRequest r = request(setting.base_url + "/file?" + std::string(name));
    r.user = "us";
    return r;
  }
  // Lines, or the query's "said".
  std::vector<Webhook> read_webhook(const net::ServerRequest& request) const override {
    std::vector<Webhook> webhooks;
    const std::string said = request.method == "GET" ? value_in_query(request.target, "said") : request.body;
    for (const std::string_view line : base::split(said, '\n')) {
      if (line.starts_with("picture ")) webhooks.emplace_back(picture(std::string(line.substr(8))));
      if (line.starts_with("failed "))  // without an id
        webhooks.emplace_back(Report{std::string(line.substr(7)), {}, {Stage::failed, "why", "failed"}});
      if (line.starts_with("early "))  // without a reference
        webhooks.emplace_back(Report{{}, std::string(line.substr(6)), {Stage::delivered, {}, "delivered"}});
      if (line.starts_with("part ")) webhooks.emplace_back(part_report(std::string(line.substr(5))));
      if (line.starts_with("delivered "))
        webhooks.emplace_back(Report{std::string(line.substr(10)), "1", {Stage::delivered, {}, "delivered"}});
    }
    return webhooks;
  }
  std::string missed_in(const net::ServerRequest& request) const override {
    return request.body.starts_with("news") ? "to is not there" : "";
  }

  bool wants_token = false, says_hello = false;

 private:
  // "N REF": part N of two is delivered, under an id of its own.
  static Report part_report(const std::string& said) {
    Report report{said.substr(2), "part-" + said.substr(0, 1), {Stage::delivered, {}, "delivered"}};
    report.part = static_cast<unsigned>(to_number(said.substr(0, 1)));
    report.parts = 2;
    return report;
  }
  static Message picture(std::string link) {
    Message m;
    m.id = "MM1";
    m.is_inbound = true;
    m.from = "+15550100";
    m.to = "+15550001";
    m.links.push_back(std::move(link));
    return m;
  }
  Idempotency idempotency_;
};

struct World final : CarrierEvents {
  World(asio::io_context& loop, Idempotency idempotency, bool start = true)
      : executor(loop.get_executor()),
        storage(executor),
        http(executor),
        server(executor),
        changed(executor),
        tasks(executor) {
    server.listen({asio::ip::address_v4::loopback(), 0});
    server.open();
    server.public_url = fmt::format("http://127.0.0.1:{}", server.endpoint().port());
    server.route("/list", [this](net::ServerRequest request) { return list(std::move(request)); });
    server.route("/file", [this](net::ServerRequest request) { return give_file(std::move(request)); });
    server.route("/send", [this](net::ServerRequest request) { return take(std::move(request)); });
    server.route("/token", [this](net::ServerRequest request) { return give_token(std::move(request)); });
    server.route("/hello", [this](net::ServerRequest request) { return greet(std::move(request)); });
    Setting setting;
    setting.name = "simple";
    setting.base_url = setting.public_url = server.public_url;
    setting.webhook_path = "/simple";
    setting.rate = 0;
    setting.look_again = std::chrono::seconds(0);
    setting.webhook_secret = base::Secret("a-secret-of-20-signs");
    provider_setting = setting;
    make(idempotency);
    if (start) tasks.spawn("carrier", carrier->run());
  }
  void make(Idempotency idempotency) {
    connector::Services services{executor, http, server, storage, clock};
    auto made = std::make_unique<Simple>(provider_setting, idempotency);
    provider = made.get();
    carrier = make_http_carrier(std::move(made), services, *this).value();
  }
  // A new carrier over the same storage: a start of the process.
  asio::awaitable<void> restart() {
    const Idempotency idempotency = carrier->idempotency();
    tasks.cancel();
    co_await tasks.join();
    carrier.reset();
    make(idempotency);
    tasks.spawn("carrier", carrier->run());
    co_await up();
  }
  asio::awaitable<net::ServerResponse> take(net::ServerRequest request) {
    if (provider->wants_token && request.header("authorization") != fmt::format("Bearer token{}", tokens))
      co_return net::respond(401, "");
    refs.push_back(request.body);
    std::string key = "good", said = early;
    if (!said.empty()) early_status = co_await webhook(std::move(said), std::move(key));
    net::ServerResponse answer;
    answer.status = status;
    answer.body = id;
    co_return answer;
  }
  asio::awaitable<net::ServerResponse> give_token(net::ServerRequest) {
    co_return net::respond(token_status, fmt::format("token{}", ++tokens));
  }
  asio::awaitable<net::ServerResponse> greet(net::ServerRequest) {
    ++greetings;
    co_return net::respond(greeting_status, "");
  }
  // Its messages: those whose recipient fits the filter to the letter.
  asio::awaitable<net::ServerResponse> list(net::ServerRequest request) {
    net::ServerResponse answer;
    const std::string to = request.target.substr(request.target.find('=') + 1);
    if (to.empty() || listed.starts_with("+" + to + "|")) answer.body = listed;
    co_return answer;
  }
  // The service's file, for us alone. That services redirect is tried in tests/integration/twilio.
  asio::awaitable<net::ServerResponse> give_file(net::ServerRequest request) {
    net::ServerResponse answer;
    answer.status = request.header("authorization").empty() ? 401 : files_status;
    answer.content_type = "image/jpeg";
    answer.body = "a picture";
    co_return answer;
  }
  asio::awaitable<net::HttpResponse> open_file(std::string url) {
    net::HttpRequest request;
    request.url = std::move(url);
    const auto answer = co_await http.send(std::move(request));
    co_return answer ? *answer : net::HttpResponse();
  }
  asio::awaitable<bool> received(IncomingText text) override {
    texts.push_back(std::move(text));
    co_return true;
  }
  asio::awaitable<void> progressed(TextProgress progress) override {
    if (refuses_reports) throw std::runtime_error("the store is lost");
    storage.apply(std::move(progress.changes));
    stages.push_back(progress.stage);
    co_return;
  }
  void link_changed() override { changed.notify(); }

  asio::awaitable<void> up() {
    while (!carrier->is_up()) co_await changed.wait();
  }
  asio::awaitable<connector::Result<connector::Changes>> give(std::string text) {
    OutgoingText out{"7:k",
                     {Address::Type::international, "+15550001"},
                     {Address::Type::international, "+15550100"},
                     std::move(text),
                     {}};
    co_return co_await carrier->send(std::move(out));
  }
  asio::awaitable<std::string> send(std::string text = "hi") {
    auto result = co_await give(std::move(text));
    if (result) storage.apply(std::move(*result));
    co_return result ? "sent" : std::string(base::to_string(result.error().code));
  }
  // The id that the store has of the one text.
  std::string stored_id() const {
    const auto row = storage.entries.lower_bound("simple/m/");
    const auto record = row == storage.entries.end() ? std::nullopt : parse_record(row->second);
    return record ? record->id : "no record";
  }
  asio::awaitable<int> webhook(std::string body, std::string key) {
    net::HttpRequest request;
    request.method = "POST";
    request.url = server.public_url + "/simple";
    request.headers.push_back("X-Key: " + key);
    request.body = std::move(body);
    const auto answer = co_await http.send(std::move(request));
    const auto again =
        answer ? answer->headers.find("retry-after") : std::map<std::string, std::string>::const_iterator();
    retry_after = answer && again != answer->headers.end() ? again->second : std::string();
    co_return answer ? answer->status : 0;
  }
  asio::awaitable<int> get_webhook(std::string target) {
    net::HttpRequest request;
    request.url = server.public_url + target;
    const auto answer = co_await http.send(std::move(request));
    co_return answer ? answer->status : 0;
  }
  asio::awaitable<void> end() {
    tasks.cancel();
    co_await tasks.join();
    co_await server.stop();
  }

  asio::any_io_executor executor;
  base::SystemClock clock;
  tests::MemoryStorage storage;
  net::HttpClient http;
  net::HttpServer server;
  base::Signal changed;
  base::TaskGroup tasks;
  Setting provider_setting;
  Simple* provider = nullptr;  // the carrier's
  std::string id = "1";        // of the texts that it takes
  int tokens = 0, token_status = 200, greetings = 0, greeting_status = 200;
  std::unique_ptr<Carrier> carrier;
  std::vector<std::string> refs;  // that were posted
  std::vector<Stage> stages;
  std::vector<IncomingText> texts;
  std::string listed;
  std::string early;  // a webhook that comes before the answer to a text
  int early_status = 0;
  bool refuses_reports = false;
  int files_status = 200;
  int status = 200;         // of the answers
  std::string retry_after;  // of the last webhook's answer
};

}  // namespace wherry::tests

// What follows the function's name are the world's arguments.
#define HTTP_TEST(name, function, ...)                                \
  boost::asio::awaitable<void> function(wherry::tests::World& world); \
  TEST_CASE(name) {                                                   \
    boost::asio::io_context loop;                                     \
    wherry::tests::World world(loop, __VA_ARGS__);                    \
    wherry::tests::run(loop, function(world));                        \
  }                                                                   \
  boost::asio::awaitable<void> function(wherry::tests::World& world)

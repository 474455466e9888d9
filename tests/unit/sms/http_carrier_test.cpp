// What the engine makes of providers that can list messages, and that cannot. More of the first is tried in
// tests/integration/twilio.
#include "connectors/sms/http/http_carrier.hpp"

#include "connectors/sms/http/api/values.hpp"
#include "connectors/sms/http/ledger.hpp"
#include "connectors/sms/http/media/media.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/text.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/sms/memory_storage.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::sms;
using namespace wherry::sms::http;
using connector::Errc;
using connector::Idempotency;
using connector::Stage;

namespace {

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
  int files_status = 200;
  int status = 200;         // of the answers
  std::string retry_after;  // of the last webhook's answer
};

asio::awaitable<void> uncertain(World& world) {
  co_await world.up();
  world.status = 500;
  for (int i = 0; i < 2; ++i) {
    const std::string outcome = co_await world.send();
    CHECK(outcome == "uncertain");
  }
  CHECK(world.refs.size() == 1);
  std::string body = "delivered " + world.refs.at(0), key = "bad";
  int status = co_await world.webhook(body, key);
  CHECK(status == 403);
  CHECK(world.stages.empty());
  key = "good";
  status = co_await world.webhook(body, key);
  CHECK(status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  const std::string outcome = co_await world.send();  // it is known by now
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 1);
  co_await world.end();
}

asio::awaitable<void> one_commit(World& world) {
  co_await world.up();
  const int writes = world.storage.writes;
  std::string text = "hi";
  auto sent = co_await world.give(std::move(text));
  REQUIRE(sent.has_value());
  CHECK(world.storage.writes == writes + 1);  // before the request
  CHECK(world.stored_id().empty());
  world.storage.apply(std::move(*sent));
  CHECK(world.stored_id() == "1");
  CHECK(world.storage.writes == writes + 1);
  co_await world.end();
}

// What send() gave back is lost with the process.
asio::awaitable<void> killed(World& world) {
  co_await world.up();
  std::string text = "hi";
  const auto sent = co_await world.give(std::move(text));
  CHECK(sent.has_value());
  co_await world.restart();
  world.listed = "+15550100|hi";
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 1);
  CHECK(world.stored_id() == "1");
  co_await world.end();
}

asio::awaitable<void> one_commit_of_report(World& world) {
  co_await world.up();
  world.status = 500;
  const std::string outcome = co_await world.send();
  CHECK(outcome == "uncertain");
  const int writes = world.storage.writes;
  std::string body = "delivered " + world.refs.at(0), key = "good";
  const int status = co_await world.webhook(std::move(body), std::move(key));
  CHECK(status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  CHECK(world.stored_id() == "1");
  CHECK(world.storage.writes == writes);
  co_await world.end();
}

asio::awaitable<void> marked(World& world) {
  co_await world.up();
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  std::string body =
                  "\xEF\xBB\xBF"
                  "delivered " +
                  world.refs.at(0),
              key = "good";
  const int status = co_await world.webhook(std::move(body), std::move(key));
  CHECK(status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  co_await world.end();
}

asio::awaitable<void> hidden(World& world) {
  co_await world.up();
  world.status = 500;
  for (const char* listed : {"+15550100|", "+1555XXXX|", "+15550100|hi (rewritten)"}) {
    world.listed = listed;
    const std::string outcome = co_await world.send();
    CHECK(outcome == "uncertain");
    CHECK(world.refs.size() == 1);  // it was not sent again
  }
  world.listed = "+15550100|hi";
  std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 1);
  co_await world.end();
}

asio::awaitable<void> absent(World& world) {
  co_await world.up();
  world.status = 500;
  std::string outcome = co_await world.send();
  CHECK(outcome == "unavailable");
  world.status = 200;
  outcome = co_await world.send();
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 2);
  co_await world.end();
}

asio::awaitable<void> repeated(World& world) {
  co_await world.up();
  for (const int status : {500, 429}) {  // too many now: that says nothing about the first
    world.status = status;
    const std::string unknown = co_await world.send();
    CHECK(unknown == "uncertain");
  }
  world.status = 200;
  std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  REQUIRE(world.refs.size() == 3);
  CHECK(world.refs[0] == world.refs[1]);
  CHECK(world.refs[0] == world.refs[2]);
  outcome = co_await world.send();  // nothing needs to be asked any more
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 3);
  co_await world.end();
}

asio::awaitable<void> pictures(World& world) {
  co_await world.up();
  const std::string body = "picture https://the-service/AC1/MM1", key = "good";
  const int status = co_await world.webhook(body, key);
  CHECK(status == 200);
  REQUIRE(world.texts.size() == 1);
  CHECK(world.texts[0].text.empty());
  REQUIRE(world.texts[0].files.size() == 1);
  std::string url = world.texts[0].files[0].url;
  CHECK(url.starts_with(world.server.public_url + "/simple/media/"));
  CHECK(url.find("AC1") == std::string::npos);
  const auto file = co_await world.open_file(url);
  CHECK(file.status == 200);
  CHECK(file.body == "a picture");
  CHECK(file.headers.at("content-type") == "image/jpeg");

  const std::string guessed = url + "2";
  auto refused = co_await world.open_file(guessed);
  CHECK(refused.status == 404);
  world.files_status = 404;
  refused = co_await world.open_file(url);
  CHECK(refused.status == 404);
  CHECK(refused.body == "The SMS service no longer has this file.\n");
  world.files_status = 500;
  refused = co_await world.open_file(url);
  CHECK(refused.status == 503);
  co_await world.end();
}

// What the gateway does between its start and the carrier's, and after the carrier's end.
asio::awaitable<void> closed(World& world) {
  const std::string body = "delivered 1", key = "good";
  int status = co_await world.webhook(body, key);
  CHECK(status == 503);
  CHECK(world.retry_after == "5");
  world.tasks.spawn("carrier", world.carrier->run());
  co_await world.up();
  status = co_await world.webhook(body, key);
  CHECK(status == 200);
  world.tasks.cancel();
  co_await world.tasks.join();
  status = co_await world.webhook(body, key);
  CHECK(status == 503);
  world.carrier.reset();
  status = co_await world.webhook(body, key);
  CHECK(status == 404);
  co_await world.end();
}

asio::awaitable<void> forged(World& world) {
  co_await world.up();
  const std::string body = "delivered 1", key = "bad";
  tests::LogCapture log;
  for (int i = 0; i < 100; ++i) {
    const int status = co_await world.webhook(body, key);
    CHECK(status == 403);
  }
  const auto refused = log.count("http_carrier.webhook_refused");
  CHECK(refused >= 20);
  CHECK(refused < 60);
  co_await world.end();
}

asio::awaitable<void> not_understood(World& world) {
  co_await world.up();
  const std::string body = "news of juliet", key = "good";
  tests::LogCapture log;
  const int status = co_await world.webhook(body, key);
  CHECK(status == 400);
  CHECK(log.count("http_carrier.webhook_not_understood") == 1);
  for (const std::string word : {"content_type=\"\"", "bytes=14", "to is not there"}) {
    CAPTURE(word);
    CHECK(log.count(word) == 1);
  }
  CHECK(log.count("juliet") == 0);
  co_await world.end();
}

asio::awaitable<void> two_of_one_path(World& world) {
  connector::Services services{world.executor, world.http, world.server, world.storage, world.clock};
  Setting setting = world.provider_setting;
  setting.name = "other";
  setting.path = "carriers[1]";
  const auto second = make_http_carrier(std::make_unique<Simple>(setting, Idempotency::none), services, world);
  CHECK(second.error().text ==
        "carriers[1].webhook_path: /simple is another carrier's. Give each carrier a path of its own.");
  co_await world.end();
}

asio::awaitable<void> taken_without_id(World& world) {
  world.id.clear();
  co_await world.up();
  std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  outcome = co_await world.send();  // it is known by now
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 1);
  co_await world.end();
}

asio::awaitable<void> found_by_reference(World& world) {
  co_await world.up();
  world.status = 500;
  world.listed = "+15550100|rewritten|another";
  std::string outcome = co_await world.send();
  CHECK(outcome == "unavailable");  // the list has another text, and so it proves that this one is not there
  world.listed = "+15550100|rewritten|" + world.refs.at(0);
  outcome = co_await world.send();
  CHECK(outcome == "sent");
  co_await world.end();
}

asio::awaitable<void> several_at_once(World& world) {
  co_await world.up();
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  const std::string body = "picture https://open/1\ndelivered " + world.refs.at(0), key = "good";
  const int status = co_await world.webhook(body, key);
  CHECK(status == 200);
  CHECK(world.texts.size() == 1);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  co_await world.end();
}

asio::awaitable<void> known_by_reference(World& world) {
  co_await world.up();
  const std::string outcome = co_await world.send();  // under the id "1"
  CHECK(outcome == "sent");
  const std::string body = "failed " + world.refs.at(0), key = "good";
  const int status = co_await world.webhook(body, key);
  CHECK(status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::failed});
  co_await world.end();
}

asio::awaitable<void> part_by_part(World& world) {
  co_await world.up();
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  const std::string first = "part 1 " + world.refs.at(0), second = "part 2 " + world.refs.at(0), key = "good";
  tests::LogCapture log;
  for (int i = 0; i < 2; ++i) {
    const int status = co_await world.webhook(first, key);
    CHECK(status == 200);
    CHECK(world.stages.empty());
  }
  const int status = co_await world.webhook(second, key);
  CHECK(status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  CHECK(log.count("http_carrier.sent_twice") == 0);
  co_await world.end();
}

asio::awaitable<void> by_get(World& world) {
  tests::LogCapture log;
  co_await world.up();
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  const std::string query = "?said=delivered+" + world.refs.at(0);
  for (const char* wrong : {"/simple", "/simple/", "/simple/a-secret-of-20-sign", "/simple/a-secret-of-20-signs/"}) {
    CAPTURE(wrong);
    const std::string target = wrong + query;
    const int status = co_await world.get_webhook(target);
    CHECK(status == 403);
  }
  CHECK(world.stages.empty());
  const std::string target = "/simple/a-secret-of-20-signs" + query;
  const int status = co_await world.get_webhook(target);
  CHECK(status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  CHECK(log.count("http_carrier.webhook_opened") == 1);
  CHECK(log.count("a-secret-of-20-signs") == 0);
  co_await world.end();
}

asio::awaitable<void> tokens(World& world) {
  world.provider->wants_token = true;
  world.token_status = 400;
  co_await world.up();
  std::string outcome = co_await world.send();
  CHECK(outcome == "unavailable");
  world.token_status = 200;
  outcome = co_await world.send();
  CHECK(outcome == "sent");
  CHECK(world.tokens == 2);
  world.refs.clear();
  ++world.tokens;  // the service forgets the token that it gave
  OutgoingText text{
      "7:l", {Address::Type::international, "+15550001"}, {Address::Type::international, "+15550100"}, "another", {}};
  const auto sent = co_await world.carrier->send(std::move(text));
  CHECK(sent.has_value());
  CHECK(world.tokens == 4);
  CHECK(world.refs.size() == 1);
  co_await world.end();
}

asio::awaitable<void> greeted(World& world) {
  world.provider->says_hello = true;
  world.greeting_status = 500;
  bool is_down = false;
  try {
    co_await world.carrier->run();
  } catch (const LinkDown&) {
    is_down = true;
  }
  CHECK(is_down);
  CHECK_FALSE(world.carrier->is_up());
  world.greeting_status = 201;
  world.tasks.spawn("carrier", world.carrier->run());
  co_await world.up();
  CHECK(world.greetings == 2);
  co_await world.end();
}

asio::awaitable<void> without_webhooks(World& world) {
  connector::Services services{world.executor, world.http, world.server, world.storage, world.clock};
  Setting setting = world.provider_setting;
  setting.path = "carriers[1]";
  setting.webhook_path = "/other";
  setting.takes_webhooks = false;
  const auto deaf = make_http_carrier(std::make_unique<Simple>(setting, Idempotency::none), services, world);
  CHECK(deaf.error().text.starts_with("carriers[1].webhooks: must be true."));
  const auto looking = make_http_carrier(std::make_unique<Simple>(setting, Idempotency::queryable), services, world);
  CHECK(looking.has_value());
  co_await world.end();
}

asio::awaitable<void> too_long(World& world) {
  co_await world.up();
  std::string text = "a text of 21 letters.";
  std::string outcome = co_await world.send(text);
  CHECK(outcome == "bad_input");
  text.pop_back();
  outcome = co_await world.send(text);
  CHECK(outcome == "sent");
  CHECK(world.refs.size() == 1);
  text = "ж";
  const auto refused = co_await world.give(std::move(text));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text == "There is no room for that.");
  co_await world.end();
}

asio::awaitable<void> early_report(World& world) {
  co_await world.up();
  world.id = "m-1";
  world.early = "early m-1";
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  CHECK(world.early_status == 200);
  CHECK(world.stages == std::vector<Stage>{Stage::delivered});
  const auto row = world.storage.entries.lower_bound("simple/m/");
  REQUIRE(row != world.storage.entries.end());
  CHECK(parse_record(row->second)->told == rank(Stage::delivered));
  co_await world.end();
}

asio::awaitable<void> early_of_another(World& world) {
  co_await world.up();
  world.id = "m-1";
  world.early = "early m-2";
  const std::string outcome = co_await world.send();
  CHECK(outcome == "sent");
  CHECK(world.stages.empty());
  co_await world.end();
}

asio::awaitable<void> hole(World& world) {
  co_await world.up();
  world.status = 500;
  world.listed = "?";
  const std::string outcome = co_await world.send();
  CHECK(outcome == "uncertain");
  CHECK(world.refs.size() == 1);
  co_await world.end();
}

}  // namespace

TEST_CASE("A report that is faster than the answer that gives the id is brought home after that") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, early_report(world));
}

TEST_CASE("A report that comes while a text is being sent, and is about another, is none of its") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, early_of_another(world));
}

TEST_CASE("A list with a row that cannot be read does not prove that a text is absent (Idempotency::queryable)") {
  asio::io_context loop;
  World world(loop, Idempotency::queryable);
  tests::run(loop, hole(world));
}

TEST_CASE(
    "Without a list and without a key a text of unknown outcome stays uncertain until a report tells "
    "(Idempotency::none)") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, uncertain(world));
}

TEST_CASE("A text is not sent again where the list hides or rewrites what it has (Idempotency::queryable)") {
  asio::io_context loop;
  World world(loop, Idempotency::queryable);
  tests::run(loop, hidden(world));
}

TEST_CASE("A text that the list proves absent is sent again (Idempotency::queryable)") {
  asio::io_context loop;
  World world(loop, Idempotency::queryable);
  tests::run(loop, absent(world));
}

TEST_CASE("A provider that drops doubles is asked again with the same reference (Idempotency::by_key)") {
  asio::io_context loop;
  World world(loop, Idempotency::by_key);
  tests::run(loop, repeated(world));
}

TEST_CASE("A picture that only the gateway may fetch is opened by whoever got it, under an address of the gateway's") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, pictures(world));
}

TEST_CASE("shown_type lets nothing run in a browser") {
  CHECK(shown_type("image/jpeg; x=1") == "image/jpeg");
  CHECK(shown_type("Video/MP4") == "video/mp4");
  for (const char* other : {"", "text/html", "image/svg+xml", "image/\r\nx", "application/pdf"})
    CHECK(shown_type(other) == "application/octet-stream");
}

TEST_CASE(
    "A webhook before its carrier runs, and after, is told to come again; without the carrier the path is nobody's") {
  asio::io_context loop;
  World world(loop, Idempotency::none, false);
  tests::run(loop, closed(world));
}

TEST_CASE("Forged webhooks do not flood the log") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, forged(world));
}

TEST_CASE("A webhook that is not understood is logged by its form and by what it lacks, not by what it says") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, not_understood(world));
}

TEST_CASE("Two carriers with one webhook_path are refused: each would get what is the other's") {
  asio::io_context loop;
  World world(loop, Idempotency::none, false);
  tests::run(loop, two_of_one_path(world));
}

TEST_CASE("The id of a text is written in the commit that says that it is sent") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, one_commit(world));
}

TEST_CASE("A text whose process ended before that commit is looked for in the list, and not sent again") {
  asio::io_context loop;
  World world(loop, Idempotency::queryable);
  tests::run(loop, killed(world));
}

TEST_CASE("The id that a report brings is written in the report's commit") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, one_commit_of_report(world));
}

TEST_CASE("A byte order mark at the start of a webhook's body is passed over") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, marked(world));
}

TEST_CASE("A text that is too long for the provider is refused here") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, too_long(world));
}

TEST_CASE("A text that was taken without an id is known by our reference") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, taken_without_id(world));
}

TEST_CASE("A list that has our references says for certain which text is there (Idempotency::queryable)") {
  asio::io_context loop;
  World world(loop, Idempotency::queryable);
  tests::run(loop, found_by_reference(world));
}

TEST_CASE("One webhook may bring several texts and reports") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, several_at_once(world));
}

TEST_CASE("A report without an id is on the text that its reference names, whatever id that has") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, known_by_reference(world));
}

TEST_CASE("A text whose parts are reported one by one is delivered when all of them are") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, part_by_part(world));
}

TEST_CASE("A webhook may come by GET, and be known by the secret at the end of its path") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, by_get(world));
}

TEST_CASE("A token is asked for once, and again when it counts no more (RFC 6749 §4.4)") {
  asio::io_context loop;
  World world(loop, Idempotency::none);
  tests::run(loop, tokens(world));
}

TEST_CASE("What a service must hear first is said before the carrier is up, and again after an outage") {
  asio::io_context loop;
  World world(loop, Idempotency::none, false);
  tests::run(loop, greeted(world));
}

TEST_CASE("Without webhooks a carrier must have a list to look into") {
  asio::io_context loop;
  World world(loop, Idempotency::none, false);
  tests::run(loop, without_webhooks(world));
}

// What no webhook brought is found in a service's list: Telnyx's, which has no texts, and Twilio's.
#include "connectors/sms/http/catch_up.hpp"

#include "connectors/sms/carriers/telnyx.hpp"
#include "connectors/sms/carriers/twilio.hpp"
#include "gateway/base/text.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/sms/memory_storage.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <functional>

using namespace wherry;
using namespace wherry::sms;
using namespace wherry::sms::http;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct World final : CarrierEvents {
  explicit World(asio::io_context& loop, std::vector<std::string> numbers = {"+17735550002"}, bool is_twilio = false)
      : executor(loop.get_executor()),
        storage(executor),
        http(executor),
        server(executor),
        services{executor, http, server, storage, clock} {
    server.listen({asio::ip::address_v4::loopback(), 0});
    server.open();
    server.public_url = fmt::format("http://127.0.0.1:{}", server.endpoint().port());
    server.route("/v2/detail_records", [this](net::ServerRequest request) { return list(std::move(request)); });
    server.route("/v2/messages/", [this](net::ServerRequest request) { return show(std::move(request)); });
    server.route("/2010-04-01/Accounts/AC1/Messages.json",
                 [this](net::ServerRequest request) { return list_of_day(std::move(request)); });
    json telnyx = {{"api_key", "KEY"},
                   {"public_key", "7JL4TmSzfsT4h47GGhHVpG4lCOoBqQ/zW+uGXer0W2k="},
                   {"base_url", server.public_url}};
    json twilio = {{"account_sid", "AC1"}, {"auth_token", "T"}, {"base_url", server.public_url}};
    CarrierSetting setting{"tx", is_twilio ? twilio : telnyx, "carriers[0]", "US", std::move(numbers)};
    provider = is_twilio ? make_twilio_provider(setting, server.public_url).value()
                         : make_telnyx_provider(setting, server.public_url).value();
    ledger = std::make_unique<Ledger>(storage, clock, "tx", "listed");
    reports = std::make_unique<Reports>(*ledger, *this);
    api = std::make_unique<ApiClient>(*provider, services);
    sender = std::make_unique<Sender>(*provider, services, *api, *ledger);
    media = std::make_unique<Media>(*provider, services);
    catch_up = std::make_unique<CatchUp>(*provider, services, *api, *this, *ledger, *reports, *sender, *media);
  }
  static net::ServerResponse answer(int status, const json& body) {
    net::ServerResponse r;
    r.status = status;
    r.content_type = "application/json";
    r.body = body.dump();
    return r;
  }
  asio::awaitable<net::ServerResponse> list(net::ServerRequest request) {
    lists.push_back(request.target);
    if (list_status != 200) co_return answer(list_status, json::object());
    json data = json::array();
    for (const auto& [id, message] : messages) {
      data.push_back({{"uuid", id},
                      {"direction", "inbound"},
                      {"cli", message["from"]["phone_number"]},
                      {"cld", message["to"][0]["phone_number"]},
                      {"created_at", message["received_at"]}});
    }
    if (hole) data.push_back({{"uuid", nullptr}, {"created_at", base::to_rfc3339(*hole)}});
    const int page = static_cast<int>(to_number(value_in_query(request.target, "page[number]")));
    if (page < pages) data = json::array({{{"uuid", fmt::format("other-{}", page)}, {"direction", "outbound"}}});
    co_return answer(200, {{"data", data}, {"meta", {{"page_number", page}, {"total_pages", pages}}}});
  }
  // Twilio's: what was sent from one midnight to the other, the newest first.
  asio::awaitable<net::ServerResponse> list_of_day(net::ServerRequest request) {
    lists.push_back(request.target);
    if (lists.size() == failing_list) co_return answer(500, json::object());
    const auto since = parse_date(value_in_query(request.target, "DateSent>"));
    const auto until = parse_date(value_in_query(request.target, "DateSent<"));
    std::map<base::Time, json, std::greater<>> fitting;
    for (const auto& [id, message] : messages) {
      const base::Time sent = parse_date(text_in(message, "received_at")).value();
      if ((since && sent < *since) || (until && sent >= *until)) continue;
      fitting[sent] = {{"sid", id},
                       {"direction", "inbound"},
                       {"from", "+13125550001"},
                       {"to", "+17735550002"},
                       {"body", message["text"]},
                       {"date_sent", text_in(message, "received_at")}};
    }
    json rows = json::array();
    for (const auto& [sent, row] : fitting) rows.push_back(row);
    co_return answer(200, {{"messages", rows}});
  }
  asio::awaitable<net::ServerResponse> show(net::ServerRequest request) {
    const std::string id = request.target.substr(request.target.rfind('/') + 1);
    const auto found = messages.find(id);
    if (found == messages.end() || hidden) co_return answer(404, json::object());
    co_return answer(200, {{"data", found->second}});
  }
  void incoming(const std::string& id, const std::string& text, const std::string& to = "+17735550002") {
    messages[id] = {{"id", id},     {"direction", "inbound"},         {"from", {{"phone_number", "+13125550001"}}},
                    {"text", text}, {"to", {{{"phone_number", to}}}}, {"received_at", base::to_rfc3339(clock.time)}};
  }
  asio::awaitable<void> begin() {
    co_await media->load();
    co_await ledger->load();
  }
  asio::awaitable<void> look() {
    const auto looked = co_await catch_up->run();
    CHECK(looked.has_value());
  }
  asio::awaitable<bool> received(IncomingText text) override {
    texts.push_back(std::move(text));
    co_return true;
  }
  asio::awaitable<void> progressed(TextProgress) override { co_return; }
  void link_changed() override {}

  asio::any_io_executor executor;
  tests::FakeClock clock;
  tests::MemoryStorage storage;
  net::HttpClient http;
  net::HttpServer server;
  connector::Services services;
  std::unique_ptr<Provider> provider;
  std::unique_ptr<ApiClient> api;
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<Reports> reports;
  std::unique_ptr<Sender> sender;
  std::unique_ptr<Media> media;
  std::unique_ptr<CatchUp> catch_up;
  std::map<std::string, json> messages;  // that the service has, by id
  bool hidden = false;                   // their texts
  int list_status = 200;
  std::optional<base::Time> hole;  // of this time is a row of the list that is no message
  int pages = 1;                   // of the list: what came in is on the last one
  std::size_t failing_list = 0;    // the how manieth
  std::vector<std::string> lists;  // that were asked for
  std::vector<IncomingText> texts;
};

asio::awaitable<void> missed(World& world) {
  co_await world.begin();
  world.clock.time += 2h;
  world.incoming("1-a", "are you there?");
  co_await world.look();
  REQUIRE(world.texts.size() == 1);
  CHECK(world.texts[0].id == "1-a");
  CHECK(world.texts[0].from.text == "+13125550001");
  CHECK(world.texts[0].text == "are you there?");
  co_await world.look();
  CHECK(world.texts.size() == 1);
  co_await world.server.stop();
}

asio::awaitable<void> not_shown(World& world) {
  co_await world.begin();
  world.incoming("1-a", "secret");
  world.hidden = true;
  co_await world.look();
  CHECK(world.texts.empty());  // its webhook may come
  world.hidden = false;
  co_await world.look();
  REQUIRE(world.texts.size() == 1);
  CHECK(world.texts[0].text == "secret");

  world.hidden = true;
  world.incoming("1-b", "another");
  world.clock.time += 30min;
  co_await world.look();
  CHECK(world.texts.size() == 1);
  world.clock.time += 31min;
  co_await world.look();
  REQUIRE(world.texts.size() == 2);
  CHECK(world.texts[1].id == "1-b");
  CHECK(world.texts[1].text.find("Ask its sender to send it again.") != std::string::npos);
  co_await world.server.stop();
}

asio::awaitable<void> many_numbers(World& world) {
  co_await world.begin();
  world.incoming("1-a", "for one of ours", "+17735550107");
  world.incoming("1-b", "for somebody else's", "+17735559999");
  co_await world.look();
  CHECK(world.lists.size() == 1);
  REQUIRE(world.texts.size() == 1);
  CHECK(world.texts[0].id == "1-a");
  co_await world.server.stop();
}

asio::awaitable<void> row_that_is_none(World& world) {
  co_await world.begin();
  world.clock.time += 2h;
  world.incoming("1-a", "are you there?");
  const base::Time broken = world.clock.time;
  world.hole = broken;
  co_await world.look();
  REQUIRE(world.texts.size() == 1);
  CHECK(world.texts[0].text == "are you there?");
  world.clock.time += 30min;
  world.incoming("1-b", "hello?");
  co_await world.look();
  CHECK(world.texts.size() == 2);
  CHECK(world.ledger->cursor() <= broken);  // it may become one
  world.clock.time += 2h;
  co_await world.look();
  CHECK(world.ledger->cursor() > broken);
  CHECK(world.texts.size() == 2);
  co_await world.server.stop();
}

asio::awaitable<void> many_pages(World& world) {
  co_await world.begin();
  world.clock.time += 2h;
  world.incoming("1-a", "are you there?");
  world.pages = 1005;
  co_await world.look();
  CHECK(world.texts.size() == 1);
  CHECK(world.lists.size() == 1005);
  CHECK(world.ledger->cursor() >= world.clock.time - 1h);
  co_await world.server.stop();
}

asio::awaitable<void> day_by_day(World& world) {
  co_await world.begin();
  const auto begun = world.clock.time;
  for (const auto& [id, after] : {std::pair("SM3", 70h), std::pair("SM1", 2h), std::pair("SM2", 50h)}) {
    world.clock.time = begun + after;
    world.incoming(id, id);
  }
  world.clock.time = begun + 100h;
  world.failing_list = 3;
  const auto failed = co_await world.catch_up->run();
  CHECK_FALSE(failed.has_value());
  CHECK_FALSE(world.texts.empty());
  CHECK(world.ledger->cursor() >= begun + 48h);  // two days are done with
  co_await world.look();
  std::vector<std::string> ids;
  for (const IncomingText& text : world.texts) ids.push_back(text.id);
  CHECK(ids == std::vector<std::string>{"SM1", "SM2", "SM3"});
  CHECK(world.ledger->cursor() == world.clock.time - 1h);
  CHECK(world.lists.size() < 8);
  co_await world.server.stop();
}

asio::awaitable<void> clock_was_ahead(World& world) {
  world.clock.time += 24h * 365;
  co_await world.begin();
  world.clock.time -= 24h * 365;
  world.clock.time += 30min;
  world.incoming("SM1", "are you there?");
  world.clock.time += 20min;
  co_await world.look();
  REQUIRE(world.texts.size() == 1);
  CHECK(world.texts[0].id == "SM1");
  CHECK(world.ledger->cursor() <= world.clock.time);
  co_await world.server.stop();
}

asio::awaitable<void> no_list(World& world) {
  co_await world.begin();
  world.list_status = 403;
  co_await world.look();  // it is up all the same
  CHECK(world.texts.empty());
  co_await world.server.stop();
}

}  // namespace

TEST_CASE("A text that came while the gateway was down is found, once") {
  asio::io_context loop;
  World world(loop);
  tests::run(loop, missed(world));
}

TEST_CASE("A text that the service does not show waits an hour for its webhook; then its reader hears that it came") {
  asio::io_context loop;
  World world(loop);
  tests::run(loop, not_shown(world));
}

TEST_CASE("Many numbers are looked after with one list") {
  asio::io_context loop;
  std::vector<std::string> numbers;
  for (int i = 100; i < 120; ++i) numbers.push_back("+17735550" + std::to_string(i));
  World world(loop, numbers);
  tests::run(loop, many_numbers(world));
}

TEST_CASE("A row of the list that cannot be read hides no other") {
  asio::io_context loop;
  World world(loop);
  tests::run(loop, row_that_is_none(world));
}

TEST_CASE("A list has as many pages as it has") {
  asio::io_context loop;
  World world(loop);
  tests::run(loop, many_pages(world));
}

TEST_CASE("A long downtime is caught up with day by day, in the order of the texts") {
  asio::io_context loop;
  World world(loop, {"+17735550002"}, true);
  tests::run(loop, day_by_day(world));
}

TEST_CASE("A first start with a clock that was ahead hides nothing that comes after it") {
  asio::io_context loop;
  World world(loop, {"+17735550002"}, true);
  tests::run(loop, clock_was_ahead(world));
}

TEST_CASE("A list that an account may not read stops no carrier that can do without it") {
  asio::io_context loop;
  World world(loop);
  tests::run(loop, no_list(world));
}

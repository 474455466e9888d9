// What no webhook brought is found in a service's list, here Telnyx's, which has no texts.
#include "connectors/sms/http/catch_up.hpp"

#include "connectors/sms/carriers/telnyx.hpp"
#include "gateway/base/text.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/sms/memory_storage.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace wherry;
using namespace wherry::sms;
using namespace wherry::sms::http;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct World final : CarrierEvents {
  explicit World(asio::io_context& loop, std::vector<std::string> numbers = {"+17735550002"})
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
    json settings = {{"api_key", "KEY"},
                     {"public_key", "7JL4TmSzfsT4h47GGhHVpG4lCOoBqQ/zW+uGXer0W2k="},
                     {"base_url", server.public_url}};
    provider =
        make_telnyx_provider({"tx", std::move(settings), "carriers[0]", "US", std::move(numbers)}, server.public_url)
            .value();
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
    co_return answer(200, {{"data", data}, {"meta", {{"page_number", 1}, {"total_pages", 1}}}});
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

TEST_CASE("A list that an account may not read stops no carrier that can do without it") {
  asio::io_context loop;
  World world(loop);
  tests::run(loop, no_list(world));
}

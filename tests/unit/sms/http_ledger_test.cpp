// The durable memory of texts given to a provider, and what reports do to it.
#include "connectors/sms/http/reports.hpp"

#include "tests/support/fake_clock.hpp"
#include "tests/support/run.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>

using namespace wherry;
using namespace wherry::sms;
using namespace wherry::sms::http;
using namespace std::chrono_literals;
using connector::Stage;

namespace {

struct MapStorage final : connector::Storage {
  std::map<std::string, std::string> entries;
  bool lost = false;
  asio::awaitable<void> write(std::vector<connector::Entry> written) override {
    if (lost) throw std::runtime_error("the store is lost");
    for (auto& e : written) {
      if (e.value.empty()) entries.erase(e.key);
      else entries[e.key] = e.value;
    }
    co_return;
  }
  asio::awaitable<std::vector<connector::Entry>> read(std::string prefix, std::string after,
                                                      std::size_t limit) override {
    std::vector<connector::Entry> found;
    for (const auto& [key, value] : entries) {
      if (key.starts_with(prefix) && key > after && found.size() < limit) found.push_back({key, value});
    }
    co_return found;
  }
};

struct Heard final : CarrierEvents {
  explicit Heard(MapStorage& s) : storage(s) {}
  MapStorage& storage;
  std::vector<TextProgress> progress;
  bool lost = false;
  asio::awaitable<bool> received(IncomingText) override { co_return true; }
  asio::awaitable<void> progressed(TextProgress p) override {
    if (lost) throw std::runtime_error("the store is lost");
    co_await storage.write(std::move(p.changes));
    progress.push_back(std::move(p));
  }
  void link_changed() override {}
};

struct World {
  asio::io_context loop;
  tests::FakeClock clock;
  MapStorage storage;
  Heard heard{storage};
  Ledger ledger{storage, clock, "tw"};
  Reports reports{ledger, heard};

  static asio::awaitable<void> into(asio::awaitable<std::shared_ptr<Record>> source, std::shared_ptr<Record>* target) {
    *target = co_await std::move(source);
  }
  void run(asio::awaitable<void> task) { tests::run(loop, std::move(task)); }
  std::shared_ptr<Record> begin(const std::string& key, const std::string& to = "+15550100") {
    std::shared_ptr<Record> record;
    run(into(
        ledger.begin({key, {Address::Type::international, "+15550001"}, {Address::Type::international, to}, "hi", {}}),
        &record));
    record->under_way = false;
    return record;
  }
  std::vector<Stage> stages() const {
    std::vector<Stage> all;
    for (const auto& p : heard.progress) all.push_back(p.stage);
    return all;
  }
};

Status became(Stage stage) { return {stage, stage == Stage::failed ? "It is lost." : "", "word"}; }

}  // namespace

TEST_CASE("A record survives a restart without the text's contents, and its id finds it again") {
  World world;
  const auto record = world.begin("7:k1");
  world.run(world.ledger.bind(record, "SM1"));
  for (const auto& [key, value] : world.storage.entries) CHECK(value.find("\"hi\"") == std::string::npos);

  Ledger again(world.storage, world.clock, "tw");
  world.run(again.load());
  const auto found = again.find_id("SM1");
  REQUIRE(found);
  CHECK(found->key == "7:k1");
  CHECK(found == again.find(Ledger::ref_of("7:k1")));
  CHECK(found->sought.digest == digest_of("hi"));
  CHECK(found->sought.begun == world.clock.time);
}

TEST_CASE("A record is durable before begin returns, and gone after forget") {
  World world;
  const auto record = world.begin("7:k1");
  CHECK(world.storage.entries.contains("tw/m/" + Ledger::ref_of("7:k1")));
  world.run(world.ledger.forget(record));
  CHECK(world.storage.entries.empty());
  CHECK_FALSE(world.ledger.find(Ledger::ref_of("7:k1")));
}

TEST_CASE("bind keeps the first id: a second message for one text does not replace it") {
  World world;
  const auto record = world.begin("7:k1");
  world.run(world.ledger.bind(record, "SM1"));
  world.run(world.ledger.bind(record, "SM2"));
  CHECK(record->id == "SM1");
}

TEST_CASE("Our reference stands in for an id until there is one: a report without an id may come before the answer") {
  World world;
  const auto record = world.begin("7:k1");
  const std::string ref = Ledger::ref_of("7:k1");
  world.run(world.ledger.bind(record, ref));
  CHECK(world.ledger.find_id(ref) == record);
  world.run(world.ledger.bind(record, "SM1"));
  CHECK(record->id == "SM1");
  CHECK(world.ledger.find_id("SM1") == record);
  CHECK_FALSE(world.ledger.find_id(ref));
}

TEST_CASE("load sets the cursor at the first start and keeps it at the next") {
  World world;
  world.run(world.ledger.load());
  CHECK(world.ledger.cursor() == world.clock.time);
  world.clock.time += 5h;
  Ledger again(world.storage, world.clock, "tw");
  world.run(again.load());
  CHECK(again.cursor() == world.clock.time - 5h);
}

TEST_CASE("load passes over a damaged entry") {
  World world;
  world.begin("7:k1");
  world.storage.entries["tw/m/" + std::string(32, '0')] = "{";
  Ledger again(world.storage, world.clock, "tw");
  world.run(again.load());
  CHECK(again.find(Ledger::ref_of("7:k1")));
}

TEST_CASE("Statuses in any order and doubled are told once each, and never backwards") {
  World world;
  const auto record = world.begin("7:k1");
  world.run(world.ledger.bind(record, "SM1"));
  using enum Stage;
  for (const Stage stage :
       {accepted, accepted, failed, failed, delivered, accepted, failed, delivered, read, delivered}) {
    world.run(world.reports.settle(record, became(stage)));
  }
  world.run(world.reports.settle(record, {std::nullopt, {}, "news"}));
  CHECK(world.stages() == std::vector<Stage>{Stage::accepted, Stage::failed, Stage::delivered, Stage::read});
  CHECK(world.heard.progress[1].text == "It is lost.");
  CHECK(world.heard.progress[2].text.empty());
}

TEST_CASE("What was told is remembered after a restart") {
  World world;
  const auto record = world.begin("7:k1");
  world.run(world.reports.settle(record, became(Stage::delivered)));
  Ledger again(world.storage, world.clock, "tw");
  world.run(again.load());
  Reports reports(again, world.heard);
  world.run(reports.settle(again.find(Ledger::ref_of("7:k1")), became(Stage::delivered)));
  CHECK(world.stages() == std::vector<Stage>{Stage::delivered});
}

TEST_CASE("While a text is being sent, that it is accepted is told by the answer alone") {
  World world;
  const auto record = world.begin("7:k1");
  record->under_way = true;
  world.run(world.reports.settle(record, became(Stage::accepted)));
  CHECK(world.stages().empty());
  world.run(world.reports.settle(record, became(Stage::delivered)));
  CHECK(world.stages() == std::vector<Stage>{Stage::delivered});
}

TEST_CASE("A status whose event was not stored counts again") {
  World world;
  const auto record = world.begin("7:k1");
  world.heard.lost = true;
  CHECK_THROWS_AS(world.run(world.reports.settle(record, became(Stage::delivered))), std::runtime_error);
  world.heard.lost = false;
  world.run(world.reports.settle(record, became(Stage::delivered)));
  CHECK(world.stages() == std::vector<Stage>{Stage::delivered});
}

TEST_CASE("A last word that nobody here knows is asked for, also after a restart, and then told as unknown") {
  World world;
  const auto record = world.begin("7:k1");
  world.run(world.ledger.bind(record, "SM1"));
  world.ledger.asked(*record, 300s);
  const Status news{std::nullopt, {}, "news", true};
  world.run(world.reports.settle(record, news));
  CHECK(world.ledger.due(10).size() == 1);
  CHECK(world.stages().empty());

  Ledger again(world.storage, world.clock, "tw");
  world.run(again.load());
  Reports reports(again, world.heard);
  world.run(reports.settle_asked(again.find_id("SM1"), {std::nullopt, {}, "news"}));
  CHECK(world.stages() == std::vector<Stage>{Stage::failed});
  CHECK(world.heard.progress[0].text.find("“news”") != std::string::npos);
  world.run(reports.settle(again.find_id("SM1"), became(Stage::delivered)));
  CHECK(world.stages() == std::vector<Stage>{Stage::failed, Stage::delivered});
}

TEST_CASE("A last word that nobody here knows is told at once where the service cannot be asked") {
  World world;
  Reports reports(world.ledger, world.heard, false);
  const auto record = world.begin("7:k1");
  world.run(world.ledger.bind(record, "SM1"));
  world.run(reports.settle(record, {std::nullopt, {}, "UNKNOWN", true}));
  REQUIRE(world.stages() == std::vector<Stage>{Stage::failed});
  CHECK(world.heard.progress[0].text.find("“UNKNOWN”") != std::string::npos);
  world.run(reports.settle(record, {std::nullopt, {}, "UNKNOWN", true}));
  CHECK(world.heard.progress.size() == 1);
  world.run(reports.settle(record, became(Stage::delivered)));
  CHECK(world.stages() == std::vector<Stage>{Stage::failed, Stage::delivered});
}

TEST_CASE("A last word whose telling was not stored is told when it comes again") {
  World world;
  Reports reports(world.ledger, world.heard, false);
  const auto record = world.begin("7:k1");
  world.run(world.ledger.bind(record, "SM1"));
  world.heard.lost = true;
  CHECK_THROWS(world.run(reports.settle(record, {std::nullopt, {}, "UNKNOWN", true})));
  world.heard.lost = false;
  world.run(reports.settle(record, {std::nullopt, {}, "UNKNOWN", true}));
  CHECK(world.stages() == std::vector<Stage>{Stage::failed});
}

TEST_CASE("A text that is asked for again is one text: nothing is kept for it when its time is over") {
  World world;
  const auto first = world.begin("7:k1");
  world.clock.time += 60s;
  const auto again = world.begin("7:k1");
  CHECK(again == first);
  world.run(world.ledger.bind(again, "SM1"));
  CHECK_FALSE(world.ledger.awaits_id());
  again->told = 2;
  const auto other = world.begin("7:k2");
  world.run(world.ledger.bind(other, "SM2"));
  other->told = 2;
  for (int day = 0; day < 6; ++day) {
    world.clock.time += 24h;
    world.run(world.ledger.sweep());
  }
  CHECK(world.storage.entries.empty());
}

TEST_CASE("A row with a time that cannot be is read without it") {
  CHECK(parse_record(R"({"key":"7:k","begun":9223372036854775807})"));
  CHECK(parse_record(R"({"key":"7:k","begun":-9223372036854775808})"));
}

TEST_CASE("A word that nobody here knows says nothing where the service has more to tell") {
  World world;
  const auto record = world.begin("7:k1");
  world.run(world.ledger.bind(record, "SM1"));
  world.run(world.reports.settle(record, {std::nullopt, {}, "news"}));
  world.run(world.reports.settle_asked(record, {std::nullopt, {}, "news"}));
  CHECK(world.stages().empty());
}

TEST_CASE("due gives what has no final status, at doubling intervals") {
  World world;
  const auto record = world.begin("7:k1");
  world.run(world.ledger.bind(record, "SM1"));
  world.ledger.asked(*record, 300s);
  CHECK(world.ledger.due(10).empty());
  world.clock.time += 300s;
  CHECK(world.ledger.due(10).size() == 1);
  world.ledger.asked(*record, 300s);
  world.clock.time += 299s;
  CHECK(world.ledger.due(10).empty());
  world.clock.time += 1s;
  CHECK(world.ledger.due(10).size() == 1);
  world.ledger.asked(*record, 300s);
  world.clock.time += 599s;
  CHECK(world.ledger.due(10).empty());

  world.clock.time += 1s;
  record->under_way = true;
  CHECK(world.ledger.due(10).empty());
  record->under_way = false;
  world.run(world.reports.settle(record, became(Stage::delivered)));
  CHECK(world.ledger.due(10).empty());
}

TEST_CASE("sweep forgets the finished after a day, the open after four, and those of unknown outcome after thirty") {
  World world;
  const auto finished = world.begin("7:finished"), open = world.begin("7:open");
  world.begin("7:unknown", "+15550101");
  world.run(world.ledger.bind(finished, "SM1"));
  world.run(world.ledger.bind(open, "SM2"));
  world.run(world.reports.settle(finished, became(Stage::delivered)));
  const auto left = [&] {
    world.run(world.ledger.sweep());
    return world.storage.entries.size();
  };
  world.clock.time += 23h;
  CHECK(left() == 3);
  world.clock.time += 2h;
  CHECK(left() == 2);
  CHECK_FALSE(world.ledger.find_id("SM1"));
  world.clock.time += 24h * 4;
  CHECK(left() == 1);
  world.clock.time += 24h * 26;
  CHECK(left() == 0);
}

TEST_CASE("sweep keeps the id of a finished text while another one between the same two is looked for") {
  World world;
  world.begin("7:unknown");
  const auto finished = world.begin("7:finished");
  world.run(world.ledger.bind(finished, "SM1"));
  world.run(world.reports.settle(finished, became(Stage::delivered)));
  world.clock.time += 24h * 29;
  world.run(world.ledger.sweep());
  CHECK(world.ledger.find_id("SM1"));
  world.clock.time += 24h * 2;
  world.run(world.ledger.sweep());
  CHECK(world.storage.entries.empty());
}

TEST_CASE("A row of a carrier that had the name and another type is a text that may be out, and is erased in time") {
  World world;
  const std::string row = "tw/m/7:k1", later_row = "tw/m/7:k%2F2";
  world.storage.entries[row] =
      fmt::format(R"({{"key":"7:k1","from":"+15550001","to":"+15550100","begun":{},"segments":[{{"state":"sent"}}]}})",
                  base::to_milliseconds(world.clock.time));
  world.storage.entries[later_row] = "1/7:k%2F2/+15550001/+15550100/0/0/0/0//s/1A/";
  world.run(world.ledger.load());
  CHECK_FALSE(world.storage.entries.contains(row));
  CHECK_FALSE(world.storage.entries.contains(later_row));
  Ledger again(world.storage, world.clock, "tw");
  world.run(again.load());
  for (const char* key : {"7:k1", "7:k/2"}) {
    const auto found = again.find(Ledger::ref_of(key));
    REQUIRE(found);
    CHECK(found->is_foreign);
    CHECK(found->id.empty());
  }
  world.clock.time += 24h * 31;
  world.run(again.sweep());
  CHECK(world.storage.entries.size() == 1);  // the cursor
}

// What the memory of an SMPP link keeps, and that nothing in it walks over all that is kept.
#include "connectors/sms/smpp/ledger.hpp"

#include "tests/support/fake_clock.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/sms/memory_storage.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace wherry;
using namespace wherry::sms;
using namespace wherry::sms::smpp;
using namespace std::chrono_literals;

namespace {

struct World {
  void run(asio::awaitable<void> task) { tests::run(loop, std::move(task)); }
  void start() { run(ledger.load()); }
  void sweep() { run(ledger.sweep()); }
  static asio::awaitable<void> take(Ledger* ledger, std::optional<Ledger::Waited>* taken) {
    *taken = co_await ledger->take_placed();
  }
  std::optional<Ledger::Waited> take_placed() {
    std::optional<Ledger::Waited> taken;
    run(take(&ledger, &taken));
    return taken;
  }
  void park(ReportedReceipt reported) { storage.apply(ledger.park(std::move(reported))); }
  // From +1555<number>, on nothing that is known.
  ReportedReceipt receipt(unsigned number, std::string id = "nobody's") const {
    ReportedReceipt reported;
    reported.receipt = {std::move(id), MessageState::delivered, "000", "hello", ""};
    reported.source = {1, 1, fmt::format("1555{:04}", number)};
    reported.destination = {1, 1, "19990001"};
    reported.arrived = clock.now();
    return reported;
  }
  // A text to +1555<number>.
  std::shared_ptr<Record> record(unsigned number, SegmentState state) {
    Record record;
    record.key = fmt::format("1:{}", number);
    record.from = {Address::Type::international, "+19990001"};
    record.to = {Address::Type::international, fmt::format("+1555{:04}", number)};
    record.begun = clock.now();
    record.expires = record.begun + 1h + std::chrono::minutes(number);
    record.segments.push_back({state, {}, {}});
    return ledger.create(std::move(record));
  }

  asio::io_context loop;
  tests::FakeClock clock;
  tests::MemoryStorage storage{loop.get_executor()};
  Ledger ledger{storage, clock, "main"};
};

}  // namespace

TEST_CASE("Of the receipts that wait only those are looked at for which something has changed") {
  World world;
  world.start();
  for (unsigned i = 0; i < 1000; ++i) world.park(world.receipt(i));
  world.ledger.look_again();
  CHECK(world.ledger.steps() == 0);

  const auto lost = world.record(107, SegmentState::written);
  world.ledger.unknown(lost);
  world.ledger.look_again();
  CHECK(world.ledger.steps() == 1);
  const auto placed = world.take_placed();
  REQUIRE(placed);
  CHECK(placed->match.record == lost);
  CHECK(placed->reported.source.digits == "15550107");
  CHECK_FALSE(world.take_placed());
}

TEST_CASE("A receipt is held for a text of unknown outcome once nothing is on its way to that number, or one is left") {
  World world;
  world.start();
  const auto lost = world.record(107, SegmentState::written), other = world.record(107, SegmentState::written);
  other->key = "1:other";
  const std::uint64_t number = world.ledger.started(lost->to);
  world.ledger.unknown(lost);
  world.ledger.unknown(other);
  world.park(world.receipt(107));
  world.ledger.look_again();
  CHECK_FALSE(world.take_placed());
  world.ledger.ended(number, lost->to);
  world.ledger.look_again();
  CHECK_FALSE(world.take_placed());  // it may be either's
  world.ledger.known(*other);
  world.ledger.look_again();
  const auto placed = world.take_placed();
  REQUIRE(placed);
  CHECK(placed->match.record == lost);
}

TEST_CASE("The sweep reads the records that have ended, and no others") {
  World world;
  world.start();
  for (unsigned i = 0; i < 2000; ++i) world.storage.apply(world.ledger.keep(*world.record(i, SegmentState::sent)));
  const auto check_sweep = [&](Ledger& ledger) {
    const int reads = world.storage.reads;
    const std::size_t rows = world.storage.entries.size();
    world.run(ledger.sweep());
    CHECK(world.storage.reads == reads);
    world.clock.time += 2min;
    world.run(ledger.sweep());
    CHECK(world.storage.reads == reads + 2);
    CHECK(world.storage.entries.size() == rows - 2);
  };
  world.clock.time += 59min + 30s;
  check_sweep(world.ledger);
  Ledger again(world.storage, world.clock, "main");
  world.run(again.load());
  check_sweep(again);
}

TEST_CASE("A record whose receipt has come is not read when its time is over") {
  World world;
  world.start();
  const auto record = world.record(1, SegmentState::sent);
  world.storage.apply(world.ledger.keep(*record));
  world.storage.apply(world.ledger.erase(*record));
  const int reads = world.storage.reads;
  world.clock.time += 24h;
  world.sweep();
  CHECK(world.storage.reads == reads);
}

TEST_CASE("A receipt that waits is stored as short text, and is the same after a restart") {
  World world;
  world.start();
  ReportedReceipt odd = world.receipt(107, "1/A|2");
  odd.receipt.other_id = "second{}";
  odd.source = {5, 0, "a/b \xFF"};
  world.park(odd);
  REQUIRE(world.storage.entries.size() == 1);
  CHECK(world.storage.entries.begin()->second ==
        fmt::format("1/1%2FA%7C2/second%7B%7D/2/000/hello/5/0/a%2Fb%20%FF/1/1/19990001/{}",
                    base::to_milliseconds(odd.arrived)));

  Ledger again(world.storage, world.clock, "main");
  world.run(again.load());
  const auto text = world.record(107, SegmentState::sent);
  again.sent(text, 0, "second{}");
  std::optional<Ledger::Waited> placed;
  world.run(World::take(&again, &placed));
  REQUIRE(placed);
  CHECK(placed->reported.receipt.id == odd.receipt.id);
  CHECK(placed->reported.receipt.state == MessageState::delivered);
  CHECK(placed->reported.receipt.error == "000");
  CHECK(placed->reported.source == odd.source);
  CHECK(placed->reported.destination == odd.destination);
  CHECK(placed->reported.arrived == odd.arrived);
}

TEST_CASE("A receipt of an earlier release, which wrote JSON, is read; what cannot be read stays") {
  World world;
  world.storage.entries["main/r/000000000000001-000001"] = fmt::format(
      R"({{"id":"1A","other_id":"","state":5,"error":"11","head":"hello","at":{},)"
      R"("source":{{"ton":1,"npi":1,"digits":"15550107"}},"destination":{{"ton":1,"npi":1,"digits":"1%20"}}}})",
      base::to_milliseconds(world.clock.now()));
  for (const char* damaged : {"{", "1/id", "2/a/b/2/0/h/1/1/1/1/1/1/0", "1/a//x/0/h/1/1/1/1/1/1/0"})
    world.storage.entries["main/r/" + std::to_string(world.storage.entries.size())] = damaged;
  world.start();
  CHECK(world.storage.entries.size() == 5);
  world.ledger.sent(world.record(107, SegmentState::sent), 0, "1A");
  const auto placed = world.take_placed();
  REQUIRE(placed);
  CHECK(placed->reported.receipt.state == MessageState::undeliverable);
  CHECK(placed->reported.receipt.error == "11");
  CHECK(placed->reported.destination.digits == "1 ");
}

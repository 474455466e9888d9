// What a connector has changed in its storage together with what it tells: both, or neither (contract.hpp).
#include "tests/unit/queues/outbox_world.hpp"

using namespace wherry;
using namespace wherry::tests;
using connector::Stage;
using store::OutboxState;
using Texts = std::vector<std::string>;

namespace {

const std::string unstorable("a\0b", 3);  // no database holds it

struct World : OutboxWorld {
  World() : OutboxWorld(OutboxLimits()) {}
  // Sends a message that the network takes, and gives `changes` with its receipt. Its key.
  std::string take(std::string text, connector::Changes changes) {
    network.changes = std::move(changes);
    network.release();
    const std::size_t before = network.sent.size();
    send(1, "+1", std::move(text));
    until([&] { return network.sent.size() > before; });
    return network.keys.back();
  }
};

}  // namespace

TEST_CASE("What is given with a Receipt is written, in its order, when the message is settled") {
  World f;
  f.take("one", {{"a", "1"}, {"b", "1"}, {"a", ""}});
  CHECK(f.memory() == "b=1");
  CHECK(f.stored() == 0);
  f.take("two", {{"b", "2"}});
  CHECK(f.memory() == "b=2");
}

TEST_CASE("Where the store refuses what is given with a Receipt, the message is not settled either; its neighbour is") {
  World f;
  f.take("one", {{"a", "1"}, {"b", unstorable}});
  f.take("two", {{"c", "1"}});
  CHECK(f.memory() == "c=1");
  CHECK(f.states() == std::multiset<OutboxState>{OutboxState::sending});  // so the next start tells of it
}

TEST_CASE("What is given with a failure of the network's is not written: there is no Receipt") {
  World f;
  f.network.answer = connector::Error{connector::Errc::rejected, "No such number."};
  f.network.changes = {{"a", "1"}};
  f.network.release();
  f.send(1, "+1", "one");
  f.until([&] { return f.failures() == Texts{"No such number."}; });
  CHECK(f.memory().empty());
}

TEST_CASE(
    "What is given with a report is written with what follows from it, once, and with one that says nothing new") {
  World f;
  const std::string key = f.take("one", {{"a", "1"}});
  f.report(1, key, Stage::delivered, "", {{"a", ""}, {"b", "2"}});
  CHECK(f.told() == Texts{"delivered"});
  CHECK(f.memory() == "b=2");
  f.report(1, key, Stage::delivered, "", {{"b", "3"}});
  CHECK(f.told() == Texts{"delivered"});
  CHECK(f.memory() == "b=3");
}

TEST_CASE("A report whose changes the store refuses counts as not told: it may come again") {
  World f;
  const std::string key = f.take("one", {{"a", "1"}});
  CHECK_THROWS_AS(f.report(1, key, Stage::delivered, "", {{"a", ""}, {"b", unstorable}}), db::StatementFailed);
  CHECK(f.told().empty());
  CHECK(f.memory() == "a=1");
  f.report(1, key, Stage::delivered, "", {{"a", ""}});
  CHECK(f.told() == Texts{"delivered"});
  CHECK(f.memory().empty());
}

TEST_CASE("What is given with a report on nothing that is known is written all the same") {
  World f;
  f.report(1, "stranger", Stage::delivered, "", {{"a", "1"}});
  CHECK(f.told().empty());
  CHECK(f.memory() == "a=1");
}

TEST_CASE("What is given with a report that comes before its send has returned is written with it") {
  World f;
  f.network.name_of_sent = "n1";
  f.send(1, "+1", "one");
  f.until([&] { return f.network.performing == 1; });
  f.report(1, "n1", Stage::delivered, "", {{"a", "1"}});
  CHECK(f.memory() == "a=1");
  f.network.release();
  f.until([&] { return f.told() == Texts{"delivered"}; });
}

TEST_CASE("What is given with a report that ends a send of unknown outcome is written in the commit that ends it") {
  OutboxLimits limits;
  limits.retry = {std::chrono::hours(1), std::chrono::hours(1), 0};
  OutboxWorld f(limits, DatabaseKind::sqlite, {}, connector::Idempotency::by_key);
  f.network.answer = connector::Error{connector::Errc::uncertain, ""};
  f.network.release();
  f.send(1, "+1", "one");
  f.until([&] { return f.states().count(OutboxState::unsure) == 1; });
  const std::string key = f.first_key();
  CHECK_THROWS_AS(f.report(1, key, Stage::accepted, "", {{"a", unstorable}}), db::StatementFailed);
  CHECK(f.stored() == 1);
  f.report(1, key, Stage::accepted, "", {{"a", "1"}});
  CHECK(f.stored() == 0);
  CHECK(f.memory() == "a=1");
}

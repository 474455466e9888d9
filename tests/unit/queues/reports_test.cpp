// What networks report on what was sent, whenever the report comes. What users see of it is in tests/scenarios.
#include "tests/unit/queues/outbox_world.hpp"

#include <boost/asio/post.hpp>

#include <span>

using namespace wherry;
using namespace wherry::tests;
using connector::Idempotency;
using connector::Stage;
using store::OutboxState;
using Texts = std::vector<std::string>;

namespace {

OutboxLimits patient() {
  OutboxLimits limits;
  limits.retry = {std::chrono::hours(1), std::chrono::hours(1), 0};
  return limits;
}

// A network that may be asked again, and a message to it of which nobody knows whether it came.
struct Unsure : OutboxWorld {
  Unsure() : OutboxWorld(patient(), DatabaseKind::sqlite, {}, Idempotency::by_key) {
    network.answer = connector::Error{connector::Errc::uncertain, ""};
    network.release();
    send(1, "+1", "one");
    until([this] { return states().count(OutboxState::unsure) == 1; });
    network.answer.reset();
  }
};

asio::awaitable<void> publish(Reports& reports, base::AccountId account, connector::MessageProgressed progress,
                              int& refused, int& taken) {
  try {
    co_await reports.publish(account, std::move(progress));
    ++taken;
  } catch (const db::StatementFailed&) {
    ++refused;
  }
}

}  // namespace

TEST_CASE(
    "A report on a send of unknown outcome ends it: the sender has the receipt, it is not sent again, and those behind "
    "it go") {
  Unsure f;
  const std::string key = f.first_key();
  f.send(1, "+1", "two");
  f.report(1, key, Stage::delivered);
  CHECK(f.told() == Texts{"delivered"});
  f.until([&] { return f.network.sent.size() == 1; });
  CHECK(f.network.sent == Texts{"two"});
  CHECK(f.stored() == 0);
  f.report(1, key, Stage::delivered);
  CHECK(f.told() == Texts{"delivered"});
}

TEST_CASE("A send of unknown outcome that the network has accepted is not sent again, and its receipt comes later") {
  Unsure f;
  const std::string key = f.first_key();
  f.report(1, key, Stage::accepted);
  CHECK(f.stored() == 0);
  CHECK(f.told().empty());
  f.report(1, key, Stage::delivered);
  CHECK(f.told() == Texts{"delivered"});
  CHECK(f.network.sent.empty());
}

TEST_CASE("A send of unknown outcome of which the network says that it failed ends with that failure") {
  Unsure f;
  f.report(1, f.first_key(), Stage::failed, "No such number.");
  CHECK(f.stored() == 0);
  CHECK(f.told() == Texts{"No such number."});
  CHECK(f.network.sent.empty());
}

TEST_CASE(
    "What an earlier run left is ended by a report, too, where it may have been sent; a report on another's is none") {
  for (const auto state : {OutboxState::sending, OutboxState::unsure}) {
    store::OutboxRow row = left(7, "one", state);
    row.account = base::AccountId{3};  // who is away
    OutboxWorld f(patient(), DatabaseKind::sqlite, {row}, Idempotency::by_key);
    f.report(1, "key-7", Stage::delivered);
    f.report(3, "key-8", Stage::delivered);
    CHECK(f.stored() == 1);
    f.report(3, "key-7", Stage::failed, "No such number.");
    CHECK(f.stored() == 0);
    CHECK(f.told() == Texts{"No such number."});
  }
}

TEST_CASE("What was provably not sent is not ended by word of a failure") {
  store::OutboxRow row = left(7, "one");
  row.account = base::AccountId{3};
  OutboxWorld f(patient(), DatabaseKind::sqlite, {row}, Idempotency::by_key);
  f.report(3, "key-7", Stage::failed, "No such number.");
  CHECK(f.stored() == 1);
  CHECK(f.told().empty());
}

TEST_CASE("A report that comes before its send has returned is durable before the network may forget it") {
  for (const auto idempotency : {Idempotency::by_key, Idempotency::none}) {
    OutboxWorld f(patient(), DatabaseKind::sqlite, {}, idempotency);
    f.send(1, "+1", "one");
    f.until([&] { return f.network.performing == 1; });
    f.report(1, f.first_key(), Stage::delivered);
    CHECK(f.stored() == 0);
    CHECK(f.told() == Texts{"delivered"});
    f.send(1, "+1", "two");
    f.network.release();
    f.until([&] { return f.network.sent == Texts{"one", "two"}; });
    CHECK(f.stored() == 0);
    CHECK(f.told() == Texts{"delivered"});
  }
}

TEST_CASE(
    "A report under the network's own id that comes before its send has returned is not lost when the process is "
    "killed between") {
  OutboxWorld f(patient(), DatabaseKind::sqlite, {}, Idempotency::by_key);
  f.network.name_of_sent = "n1";
  f.send(1, "+1", "one");
  f.until([&] { return f.network.performing == 1; });
  f.report(1, "n1", Stage::failed, "No such number.");
  const auto left = f.killed();
  f.network.release();
  f.until([&] { return f.told().size() == 1; });
  CHECK(f.told() == Texts{"No such number."});
  CHECK(f.stored() == 0);

  OutboxWorld next(patient(), DatabaseKind::sqlite, {}, Idempotency::by_key, left);
  next.network.name_of_sent = "n1";
  next.network.release();
  next.until([&] { return next.network.sent.size() == 1; });
  next.until([&] { return next.told().size() == 1; });
  CHECK(next.told() == Texts{"No such number."});

  OutboxWorld third(patient(), DatabaseKind::sqlite, {}, Idempotency::by_key, next.killed());
  third.network.name_of_sent = "n1";  // a network may use its ids again
  third.network.release();
  third.send(1, "+1", "two");
  third.until([&] { return third.network.sent.size() == 1; });
  CHECK(third.stored() == 0);
  CHECK(third.told().empty());
}

TEST_CASE("A report on nobody's message is forgotten once the sends that it could be about have returned") {
  OutboxWorld f(patient());
  f.network.name_of_sent = "n1";
  f.send(1, "+1", "one");
  f.until([&] { return f.network.performing == 1; });
  f.report(1, "n2", Stage::delivered);
  f.network.release();
  f.until([&] { return f.network.sent.size() == 1; });
  CHECK(f.stored() == 0);
  f.network.name_of_sent = "n2";
  f.send(1, "+1", "two");
  f.until([&] { return f.network.sent.size() == 2; });
  CHECK(f.stored() == 0);
  CHECK(f.told().empty());
}

TEST_CASE(
    "An equal report whose first could not be stored takes its place, and is not acknowledged for it "
    "(Reports::publish)") {
  OutboxWorld f(patient(), DatabaseKind::sqlite, {}, Idempotency::none, [](db::Transaction& t) {
    t.execute(
        "CREATE TRIGGER refusing BEFORE INSERT ON inbox WHEN NEW.payload LIKE '%refused%' BEGIN SELECT RAISE(ABORT, "
        "'refused'); END");
  });
  f.network.name_of_sent = "n1";
  f.network.release();
  f.send(1, "+1", "one");
  f.until([&] { return f.network.sent.size() == 1; });
  REQUIRE(f.stored() == 0);
  int refused = 0, taken = 0;
  const auto publish_failed = [&](const char* text) {
    f.tasks.spawn("publish", publish(*f.reports, base::AccountId{1}, {base::MessageId{"n1"}, Stage::failed, text},
                                     refused, taken));
  };
  // Each in the next turn of the loop, so in a transaction of its own, before the outcome of the first is known.
  asio::post(f.loop, [&] {
    publish_failed("refused");
    asio::post(f.loop, [&] {
      publish_failed("second");
      asio::post(f.loop, [&] { publish_failed("third"); });
    });
  });
  f.until([&] { return refused + taken == 3; });
  CHECK(refused == 1);
  CHECK(taken == 2);
  const Texts told = f.told();
  REQUIRE(told.size() == 1);
  CHECK(told.front() != "refused");
}

TEST_CASE("Two equal failures at once of a message that only the store knows are one sentence (Reports::find)") {
  for (const char* name : {"n1", "key-7"}) {
    CAPTURE(name);
    OutboxWorld f(patient(), DatabaseKind::sqlite, {}, Idempotency::none, [](db::Transaction& t) {
      const store::MessageRow sent{7,      base::AccountId{1}, "n1",         to_text(by_somebody()),
                                   "c:+1", Stage::accepted,    1795400000000};
      store::insert_messages(t, std::span(&sent, 1));  // by an earlier run
    });
    int refused = 0, taken = 0;
    asio::post(f.loop, [&] {
      for (int i = 0; i < 2; ++i) {
        f.tasks.spawn("publish", publish(*f.reports, base::AccountId{1},
                                         {base::MessageId{name}, Stage::failed, "No such number."}, refused, taken));
      }
    });
    f.until([&] { return refused + taken == 2; });
    CHECK(taken == 2);
    CHECK(f.told() == Texts{"No such number."});
  }
}

TEST_CASE("What was told as uncertain and has come gets its receipt, on networks of every kind (connector::Stage)") {
  OutboxWorld f(patient());  // it may not be asked again
  f.network.answer = connector::Error{connector::Errc::uncertain, "Nobody knows."};
  f.send(1, "+1", "one");
  f.until([&] { return f.network.performing == 1; });
  const std::string key = f.first_key();
  f.network.release();
  f.until([&] { return f.told().size() == 1; });
  f.report(1, key, Stage::failed, "No such number.");
  f.report(1, key, Stage::delivered);
  f.report(1, key, Stage::delivered);
  CHECK(f.told() == Texts{"Nobody knows.", "delivered"});

  for (const auto idempotency : {Idempotency::by_key, Idempotency::queryable}) {
    OutboxLimits limits;
    limits.deadline = std::chrono::seconds(2);
    limits.retry = {std::chrono::milliseconds(50), std::chrono::milliseconds(50), 0};
    OutboxWorld again(limits, DatabaseKind::sqlite, {}, idempotency);
    again.network.answer = connector::Error{connector::Errc::uncertain, ""};
    again.network.release();
    again.send(1, "+1", "one");
    again.until([&] { return again.states().count(OutboxState::unsure) == 1; });
    const std::string name = again.first_key();
    again.until([&] {
      again.outbox->expire();
      return again.told().size() == 1;
    });
    again.report(1, name, Stage::delivered);
    const Texts told = again.told();
    REQUIRE(told.size() == 2);
    CHECK(told.front().find("may or may not have arrived") != std::string::npos);
    CHECK(told.back() == "delivered");
  }

  // The process died between the mark and the answer.
  store::OutboxRow row = left(7, "one", OutboxState::sending);
  Origin origin = by_somebody();
  origin.wants_receipt = true;
  row.origin = to_text(origin);
  OutboxWorld next(patient(), DatabaseKind::sqlite, {row});
  CHECK(next.told().size() == 1);
  next.report(1, "key-7", Stage::delivered);
  CHECK(next.told().back() == "delivered");
}

TEST_CASE("A report that a killed run left is nobody's where its send is not repeated") {
  OutboxWorld f(patient());
  f.network.name_of_sent = "n1";
  f.send(1, "+1", "one");
  f.until([&] { return f.network.performing == 1; });
  f.report(1, "n1", Stage::failed, "No such number.");
  const auto left = f.killed();
  f.network.release();
  f.until([&] { return f.told().size() == 1; });

  OutboxWorld next(patient(), DatabaseKind::sqlite, {}, Idempotency::none, left);
  CHECK(next.told().size() == 1);    // that the first one is uncertain
  next.network.name_of_sent = "n1";  // a network may use its ids again
  next.network.release();
  next.send(1, "+1", "two");
  next.until([&] { return next.network.sent.size() == 1; });
  CHECK(next.stored() == 0);
  CHECK(next.told().size() == 1);
}

TEST_CASE("A report under the network's own id is kept while a send of unknown outcome waits for its next attempt") {
  OutboxLimits limits;
  limits.retry = {std::chrono::milliseconds(50), std::chrono::milliseconds(50), 0};
  OutboxWorld f(limits, DatabaseKind::sqlite, {}, Idempotency::by_key);
  f.network.answer = connector::Error{connector::Errc::uncertain, ""};
  f.network.release();
  f.send(1, "+1", "one");
  f.until([&] { return f.network.performing == 2; });
  f.report(1, "n1", Stage::delivered);
  f.network.name_of_sent = "n1";
  f.network.answer.reset();
  f.until([&] { return f.network.sent.size() == 1; });
  CHECK(f.stored() == 0);
  CHECK(f.told() == Texts{"delivered"});
}

TEST_CASE("A report under the network's own id is kept while what an earlier run left waits to be repeated") {
  for (const auto state : {OutboxState::sending, OutboxState::unsure}) {
    store::OutboxRow row = left(7, "one", state);
    row.account = base::AccountId{3};  // who is away
    OutboxWorld f(patient(), DatabaseKind::sqlite, {row}, Idempotency::by_key);
    f.network.release();
    f.report(3, "n1", Stage::failed, "No such number.");
    f.network.name_of_sent = "n1";
    f.come_online(3);
    f.until([&] { return f.told().size() == 1; });
    CHECK(f.told() == Texts{"No such number."});
    CHECK(f.stored() == 0);
  }
}

TEST_CASE("A send that is provably not with the network keeps no report waiting") {
  OutboxWorld f(patient(), DatabaseKind::sqlite, {}, Idempotency::by_key);
  f.network.unreachable = {"one"};
  f.send(1, "+1", "one");
  f.until([&] { return f.network.performing == 1; });
  f.report(1, "n1", Stage::delivered);
  f.network.release();
  f.until([&] { return f.states().count(OutboxState::queued) == 1; });
  f.network.name_of_sent = "n1";
  f.send(1, "+2", "two");
  f.until([&] { return f.network.sent.size() == 1; });
  CHECK(f.told().empty());
}

// The outbox. What users see of it is in tests/scenarios.
#include "gateway/store/retention.hpp"
#include "tests/unit/queues/outbox_world.hpp"

using namespace wherry;
using namespace wherry::tests;
using Fixture = OutboxWorld;

namespace {

connector::SendMessage saying(std::string text) {
  connector::SendMessage message;
  message.content.text = std::move(text);
  return message;
}

}  // namespace

TEST_CASE("Whoever is away keeps nobody waiting, however much waits for them") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(little_memory(), kind);
    f.network.release();
    f.send_many(3, "+3", 50);
    f.until_committed();
    f.send_many(1, "+1", 20);
    f.send_many(2, "+2", 20);
    f.until([&] { return f.network.sent.size() == 40; });
    CHECK(f.sent_to("+1") == numbered("+1", 20));
    CHECK(f.sent_to("+2") == numbered("+2", 20));
    f.come_online(3);
    f.until([&] { return f.network.sent.size() == 90; });
    CHECK(f.sent_to("+3") == numbered("+3", 50));
    CHECK(f.stored() == 0);
    CHECK(f.outbox->in_memory() == 0);
  }
}

TEST_CASE(
    "What is in memory is bounded, and what waits behind it goes once and in order, also what comes while rows are "
    "read back") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    OutboxLimits limits = little_memory();
    limits.in_memory_per_chat = 3;
    Fixture f(limits, kind);
    for (const char* chat : {"+1", "+2", "+3"}) f.send_many(1, chat, 40);
    f.until_committed();
    CHECK(f.outbox->in_memory() <= 6);  // the limit, and for each chat one
    int more = 40;
    std::size_t most = 0;
    f.network.on_sent = [&] {
      most = std::max(most, f.outbox->in_memory());
      if (more < 100) f.send(1, "+1", "+1 " + std::to_string(more++));
    };
    f.network.release();
    f.until([&] { return f.network.sent.size() == 180; });
    CHECK(f.sent_to("+1") == numbered("+1", 100));
    CHECK(f.sent_to("+2") == numbered("+2", 40));
    CHECK(f.sent_to("+3") == numbered("+3", 40));
    CHECK(most <= 9);  // three chats with three rows each
    CHECK(f.failures().empty());
    CHECK(f.stored() == 0);
  }
}

TEST_CASE("A row that is tried again keeps its place and its attempts, and no other chat waits for it") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    OutboxLimits limits = little_memory();
    limits.retry = {std::chrono::milliseconds(100), std::chrono::milliseconds(100), 0};
    Fixture f(limits, kind);
    f.network.unreachable = {"+1 0", "+1 3", "+2 0"};
    f.send_many(1, "+1", 10);
    f.send_many(1, "+2", 2);
    f.send_many(1, "+4", 10);
    f.until_committed();
    f.network.release();
    f.until([&] { return f.network.sent.size() == 22; });
    CHECK(f.sent_to("+1") == numbered("+1", 10));
    CHECK(f.sent_to("+2") == numbered("+2", 2));
    CHECK(f.sent_to("+4") == numbered("+4", 10));
    CHECK(f.network.sent.front() == "+4 0");
    CHECK(f.failures().empty());
  }
}

TEST_CASE("What only the store holds has its deadline, too, and its sender is told at an unregistration") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    OutboxLimits limits = little_memory();
    Fixture f(limits, kind);
    f.send_many(3, "+1", 30);
    f.until_committed();
    f.outbox->expire();
    f.send_many(3, "+2", 5);
    f.until_committed();
    CHECK(f.failures().empty());
    run(f.loop, f.accounts->remove(base::AccountId{3}));
    CHECK(f.failures().size() == 35);
    CHECK(f.stored() == 0);
    limits.deadline = std::chrono::seconds(0);
    Fixture late(limits, kind);
    late.send_many(3, "+1", 30);
    late.send_many(3, "+2", 30);
    late.until_committed();
    late.outbox->expire();
    late.until([&] { return late.failures().size() == 60; });
    CHECK(late.stored() == 0);
    late.outbox->expire();
    late.until_committed();
    CHECK(late.failures().size() == 60);
  }
}

TEST_CASE("Whose login was away for too long is told so, and the network is not blamed") {
  OutboxLimits limits;
  limits.deadline = std::chrono::seconds(0);
  Fixture f(limits);
  f.send(3, "+1", "one");  // the account follows its user's presence, and there is none
  f.until_committed();
  f.outbox->expire();
  f.until([&] { return f.failures().size() == 1; });
  CHECK(f.failures().front() ==
        "You were not logged in to the network for too long; the message was not sent. Showing the gateway your "
        "presence logs you in.");
}

TEST_CASE(
    "What an earlier run left goes in order; what may have been sent, and what is damaged, is told and not sent") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    std::vector<store::OutboxRow> rows{left(1, "+1 0", store::OutboxState::sending)};
    for (int i = 0; i < 30; ++i) rows.push_back(left(2 + i, "+1 " + std::to_string(i)));
    rows.push_back(left(50, ""));
    rows.back().payload = "{";
    Fixture f(little_memory(), kind, rows);
    f.network.release();
    f.until([&] { return f.network.sent.size() == 30 && f.failures().size() == 2; });
    CHECK(f.network.sent == numbered("+1", 30));
    CHECK(f.stored() == 0);
  }
}

TEST_CASE(
    "A row that was left by a run whose clock was ahead of this one's waits no longer than the pause of its attempts") {
  OutboxLimits limits;
  limits.retry = {std::chrono::milliseconds(1), std::chrono::hours(1), 0.2};
  const std::int64_t before = base::to_milliseconds(base::SystemClock().now() + std::chrono::days(40));
  store::OutboxRow row = left(1, "tried once");
  row.attempts = 1;
  row.not_before = before + 1;
  const auto sweep = [before](db::Transaction& t) { store::remove_expired(t, before, std::chrono::hours(0)); };
  OutboxWorld f(limits, DatabaseKind::sqlite, {row}, connector::Idempotency::none, sweep);
  f.network.release();
  f.until([&] { return f.network.sent == std::vector<std::string>{"tried once"}; });
}

TEST_CASE("A message that is seconds old fails by no leap of the clock, and waits for none (DECISIONS.md 34)") {
  using namespace std::chrono_literals;
  for (const auto leap : {24h * 365, -24h * 365}) {
    CAPTURE(leap.count());
    OutboxLimits limits;
    limits.retry = {std::chrono::milliseconds(50), std::chrono::milliseconds(50), 0};
    Fixture f(limits);
    f.network.unreachable = {"tried"};
    f.network.release();
    f.send(1, "+1", "tried");
    f.send(3, "+2", "away");
    f.until([&] { return f.states().count(store::OutboxState::queued) == 2; });
    f.clock.time += leap;
    f.send(3, "+2", "after the leap");
    f.clock.time += leap;
    f.outbox->expire();
    f.until_committed();
    CHECK(f.failures().empty());
    f.come_online(3);
    f.until([&] { return f.network.sent.size() == 3; });
    CHECK(f.failures().empty());
  }
}

TEST_CASE(
    "What an earlier run left is tried for an hour at least, and no longer than any other, whatever the time of day "
    "says (DECISIONS.md 34)") {
  const std::int64_t now = base::to_milliseconds(base::SystemClock().now()),
                     year = std::chrono::milliseconds(std::chrono::days(365)).count();
  store::OutboxRow row = left(1, "one");
  row.account = base::AccountId{3};  // who is away
  row.deadline = now - year;
  Fixture f(OutboxLimits(), DatabaseKind::sqlite, {row});
  f.outbox->expire();
  f.until_committed();
  CHECK(f.failures().empty());
  f.network.release();
  f.come_online(3);
  f.until([&] { return f.network.sent == std::vector<std::string>{"one"}; });

  OutboxLimits none;
  none.deadline = std::chrono::seconds(0);
  row.deadline = now + year;
  Fixture late(none, DatabaseKind::sqlite, {row});
  late.outbox->expire();
  late.until([&] { return late.failures().size() == 1; });
}

TEST_CASE("What may have been sent is told and not sent again where the network no longer deduplicates") {
  Fixture f(little_memory(), DatabaseKind::sqlite, {left(1, "+1 0", store::OutboxState::unsure), left(2, "+1 1")});
  f.network.release();
  f.until([&] { return f.network.sent.size() == 1 && f.failures().size() == 1; });
  CHECK(f.network.sent == std::vector<std::string>{"+1 1"});
  CHECK(f.failures().front().find("may or may not have arrived") != std::string::npos);
}

TEST_CASE("A send that ends with an exception while the gateway stops is not waited for any longer") {
  Fixture f(OutboxLimits{});
  f.network.throws = true;
  f.send(1, "+1", "one");
  f.until([&] { return f.network.performing == 1; });
  f.tasks.spawn("release", f.release_soon());
  run(f.loop, f.stop(std::chrono::hours(1)));  // run() has a limit of its own
  run(f.loop, f.tasks.join());
}

TEST_CASE("What finds the memory full is sent later, and is never taken for what may have been sent") {
  OutboxLimits limits;
  limits.in_memory = 1;
  Fixture f(limits);
  for (const char* text : {"one", "two"}) f.send(1, "+1", text);
  f.until_committed();
  // It could go at once, for all that its own account shows.
  f.send(2, "+2", "three");
  f.until_committed();
  f.network.release();
  f.until([&] { return f.network.sent.size() + f.failures().size() == 3; });
  CHECK(std::multiset<std::string>(f.network.sent.begin(), f.network.sent.end()) ==
        std::multiset<std::string>{"one", "three", "two"});
  CHECK(f.failures().empty());
}

TEST_CASE("At an orderly end only what is with the connector stays marked; nothing else is uncertain afterwards") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(OutboxLimits(), kind);
    // Before the first commit: what arrives in one read of the stream.
    f.send_many(1, "+1", 30);
    for (int i = 0; i < 100; ++i) f.send(2, "+" + std::to_string(100 + i), "one");
    f.until_committed();
    const auto marked = f.states();
    CHECK(marked.count(store::OutboxState::sending) == 1 + 64);  // one of a chat, and as many chats as are worked on
    run(f.loop, f.stop(std::chrono::milliseconds(0)));
    // they are with the connector, which does not answer
    CHECK(f.states().count(store::OutboxState::sending) == 1 + 64);

    Fixture away(OutboxLimits(), kind);
    away.come_online(3);
    away.until([&] { return away.accounts->find(base::AccountId{3})->is_online(); });
    away.send(3, "+1", "one");
    away.go_away(3);  // before the commit
    away.until_committed();
    run(away.loop, away.stop(std::chrono::milliseconds(0)));
    CHECK(away.states() == std::multiset<store::OutboxState>{store::OutboxState::queued});
  }
}

TEST_CASE("A session that ends while its row is being marked is not asked; the row waits as before") {
  Fixture f{OutboxLimits()};
  f.network.release();
  f.send(3, "+1", "one");
  f.until_committed();
  f.come_online(3);
  f.until([&] { return f.accounts->find(base::AccountId{3})->is_online(); });
  f.loop.poll_one();  // the chat's work begins, and waits for the mark's commit
  f.go_away(3);
  f.until([&] { return !f.accounts->find(base::AccountId{3})->is_online(); });
  f.until_committed();
  f.until_committed();
  if (f.network.sent.empty()) {
    CHECK(f.states() == std::multiset<store::OutboxState>{store::OutboxState::queued});
    f.come_online(3);
    f.until([&] { return f.network.sent.size() == 1; });
  }
  CHECK(f.stored() == 0);
  CHECK(f.failures().empty());
}

TEST_CASE("The same stanza again within ten minutes is one message (XEP-0198 §5, XEP-0359)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(OutboxLimits(), kind);
    f.network.release();
    f.send(1, "+1", "one", "m1");
    f.send(1, "+1", "one", "m1");  // before the first one's commit
    f.until_committed();
    f.send(1, "+1", "one", "m1");
    f.send(1, "+1", "two", "m1");  // clients that count from 1 at each start
    f.send(2, "+1", "one", "m1");  // somebody else's
    f.send(1, "+1", "one");        // without an id every message is another one
    f.send(1, "+1", "one");
    f.until([&] { return f.network.sent.size() == 5; });
    CHECK(f.stored() == 0);
    Repeats later(*f.journal);  // of the next run
    run(f.loop, later.load(*f.database, domain, f.clock.now()));
    Origin origin = by_somebody();
    origin.stanza_id = "m1";
    CHECK(later.contains(later.fingerprint(base::AccountId{1}, origin, saying("two"))));
    CHECK(!later.contains(later.fingerprint(base::AccountId{1}, origin, saying("three"))));
    origin.contact += "/wherry";  // the same contact
    CHECK(later.contains(later.fingerprint(base::AccountId{1}, origin, saying("two"))));
  }
}

TEST_CASE("The same stanza again is one message as long as the first one waits, also in the next run") {
  Origin origin = by_somebody();
  origin.stanza_id = "m1";
  store::OutboxRow row = left(5, "one");
  row.origin = to_text(origin);
  Fixture f(OutboxLimits(), DatabaseKind::sqlite, {row});
  CHECK(f.repeats->contains(f.repeats->fingerprint(base::AccountId{1}, origin, saying("one"))));
  CHECK(!f.repeats->contains(f.repeats->fingerprint(base::AccountId{1}, origin, saying("two"))));
}

TEST_CASE(
    "What a user sent lately is known after a start whose clock is wrong, and is forgotten after a day "
    "(Repeats::load)") {
  using namespace std::chrono_literals;
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(OutboxLimits(), kind);
    f.network.release();
    for (const char* id : {"m1", "m2", "m3"}) {
      f.send(1, "+1", id, id);
      f.until_committed();
    }
    const auto knows = [&](const char* id, std::chrono::hours later) {
      Repeats repeats(*f.journal);
      run(f.loop, repeats.load(*f.database, domain, f.clock.now() + later));
      Origin origin = by_somebody();
      origin.stanza_id = id;
      return repeats.contains(repeats.fingerprint(base::AccountId{1}, origin, saying(id)));
    };
    CHECK(knows("m1", 0h));
    CHECK(knows("m1", 23h));
    CHECK(knows("m1", -24h * 365));
    // Written while the clock was a year ahead; and a quarter of an hour before the newest.
    db::Database::Closure change = [](db::Transaction& t) {
      const auto rows = t.query("SELECT id FROM seen WHERE kind = 1 ORDER BY id");
      t.execute("UPDATE seen SET created = created + 31536000000 WHERE id = $1", {rows.at(0).integer(0)});
      t.execute("UPDATE seen SET created = created - 900000 WHERE id = $1", {rows.at(1).integer(0)});
    };
    run(f.loop, f.database->transact(std::move(change)));
    CHECK(knows("m3", 0h));
    CHECK_FALSE(knows("m2", 0h));
    CHECK_FALSE(knows("m1", 0h));
    std::size_t kept = 0;
    db::Database::Closure count = [&](db::Transaction& t) {
      kept = t.query("SELECT id FROM seen WHERE kind = 1").size();
    };
    run(f.loop, f.database->transact(std::move(count)));
    CHECK(kept == 1);
    CHECK_FALSE(knows("m3", 25h));
  }
}

TEST_CASE(
    "What is written under a clock that is behind has the age that it has by the store's own time (retention.hpp)") {
  const std::int64_t right = base::to_milliseconds(base::SystemClock().now() + std::chrono::days(40));
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    const auto sweep = [right](db::Transaction& t) { return store::remove_expired(t, right, std::chrono::hours(0)); };
    OutboxWorld f({}, kind, {}, connector::Idempotency::none, sweep);  // an earlier run's, whose clock was right
    f.send(1, "+1", "text", "stanza");
    f.until([&] { return f.network.performing == 1; });
    f.report(1, "not yet known", connector::Stage::delivered);
    connector::MessageReceived message;
    message.chat = message.sender = base::ContactId{"+1"};
    message.id = base::MessageId{"event"};
    connector::Event event = std::move(message);
    run(f.loop, f.inbox->publish(base::AccountId{1}, std::move(event)));
    f.until_committed();
    // How many waiting messages have expired; then what is left of waiting ones, of what came, and of what was sent.
    const auto expire = [&] {
      std::vector<std::int64_t> rows;
      db::Database::Closure sweep_and_count = [&](db::Transaction& t) {
        rows = {sweep(t), t.query("SELECT COUNT(*) FROM inbox").at(0).integer(0),
                t.query("SELECT COUNT(*) FROM seen").at(0).integer(0),
                t.query("SELECT COUNT(*) FROM messages").at(0).integer(0)};
      };
      run(f.loop, f.database->transact(std::move(sweep_and_count)));
      return rows;
    };
    CHECK(expire() == std::vector<std::int64_t>{0, 1, 1, 1});  // the event, and the report
    f.network.release();
    f.until([&] { return f.stored() == 0; });
    // the stanza, too, and what was sent instead of the report
    CHECK(expire() == std::vector<std::int64_t>{0, 1, 2, 1});
  }
}

TEST_CASE("A stanza whose sender has heard that it failed may come again under the same id") {
  Fixture f{OutboxLimits()};
  f.network.answer = connector::Error{connector::Errc::rejected, "no"};
  f.network.release();
  f.send(1, "+1", "one", "m1");
  f.until([&] { return f.failures().size() == 1; });
  f.network.answer.reset();
  f.send(1, "+1", "one", "m1");
  f.until([&] { return f.network.sent.size() == 1; });
  CHECK(f.stored() == 0);
}

TEST_CASE("What may have been done on a network that is asked again ends as uncertain, not as not sent") {
  OutboxLimits limits;
  limits.deadline = std::chrono::seconds(2);
  limits.retry = {std::chrono::milliseconds(100), std::chrono::milliseconds(100), 0};
  Fixture f(limits, DatabaseKind::sqlite, {}, connector::Idempotency::by_key);
  f.network.answer = connector::Error{connector::Errc::uncertain, ""};
  f.network.release();
  f.send(1, "+1", "one");
  f.until([&] { return f.states().count(store::OutboxState::unsure) == 1; });
  f.network.answer = connector::Error{connector::Errc::unavailable, "away"};
  f.until([&] {
    f.outbox->expire();
    return f.failures().size() == 1;
  });
  CHECK(f.failures().front().find("may or may not have arrived") != std::string::npos);

  Fixture never(limits, DatabaseKind::sqlite, {}, connector::Idempotency::by_key);
  never.network.answer = connector::Error{connector::Errc::unavailable, "away"};
  never.network.release();
  never.send(1, "+1", "one");
  never.until([&] {
    never.outbox->expire();
    return never.failures().size() == 1;
  });
  CHECK(never.failures().front().find("was not sent") != std::string::npos);
}

TEST_CASE("An account whose sends may be asked for again keeps them, beside one whose may not") {
  OutboxLimits limits;
  limits.retry = {std::chrono::hours(1), std::chrono::hours(1), 0};
  Fixture f(limits);
  f.network.of_account[base::AccountId{2}] = connector::Idempotency::queryable;
  f.network.answer = connector::Error{connector::Errc::uncertain, ""};
  f.network.release();
  f.send(1, "+1", "one");
  f.send(2, "+1", "two");
  f.until([&] { return f.failures().size() == 1 && f.states().count(store::OutboxState::unsure) == 1; });
  CHECK(f.failures().front().find("may or may not have arrived") != std::string::npos);
  CHECK(f.stored() == 1);
}

TEST_CASE("What may have been done is uncertain for a user who unregisters, too, whole in memory or not") {
  // it rests only in the store
  for (const auto pause : {std::chrono::milliseconds(100), std::chrono::milliseconds(3'600'000)}) {
    OutboxLimits limits;
    limits.retry = {pause, pause, 0};
    Fixture f(limits, DatabaseKind::sqlite, {}, connector::Idempotency::by_key);
    f.network.answer = connector::Error{connector::Errc::uncertain, ""};
    f.network.release();
    f.send(1, "+1", "one");
    f.send(1, "+1", "two");
    f.until([&] { return f.states().count(store::OutboxState::unsure) == 1; });
    f.go_away(1);
    run(f.loop, f.accounts->remove(base::AccountId{1}));
    const auto told = f.failures();
    REQUIRE(told.size() == 2);
    CHECK(told.front().find("may or may not have arrived") != std::string::npos);
    CHECK(told.back().find("was not sent") != std::string::npos);
  }
}

TEST_CASE("Of what is with the network when its user unregisters, the network's answer says whether it was sent") {
  const auto unregister = [](std::optional<connector::Error> answer) {
    Fixture f(OutboxLimits{});
    f.network.answer = std::move(answer);
    f.send(1, "+1", "one");
    f.until([&] { return f.network.performing == 1; });
    run(f.loop, f.accounts->remove(base::AccountId{1}));
    CHECK(f.failures().empty());
    f.network.release();
    f.until([&] { return f.stored() == 0; });
    return f.failures();
  };
  CHECK(unregister(std::nullopt).empty());
  const auto never = unregister(connector::Error{connector::Errc::unavailable, ""});
  REQUIRE(never.size() == 1);
  CHECK(never.front().find("was not sent") != std::string::npos);
  const auto perhaps = unregister(connector::Error{connector::Errc::uncertain, ""});
  REQUIRE(perhaps.size() == 1);
  CHECK(perhaps.front().find("while it was being sent") != std::string::npos);
}

TEST_CASE("What is written anew while its user is being unregistered is told, too") {
  Fixture f(little_memory());
  *f.refusals = 2;
  f.send_many(3, "+1", 10);
  f.send(1, "+1", "another user's");
  run(f.loop, f.accounts->remove(base::AccountId{3}));
  f.network.release();
  f.until([&] { return f.network.sent == std::vector<std::string>{"another user's"}; });
  CHECK(f.failures().size() == 10);
  CHECK(f.stored() == 0);
}

TEST_CASE("While a user is being unregistered nothing more is taken from them") {
  Fixture f(OutboxLimits{});
  f.accounts->find(base::AccountId{1})->standing = LiveAccount::Standing::leaving;
  connector::SendMessage message;
  message.chat = base::ContactId{"+1"};
  message.content.text = "one";
  const auto put = f.put(1, std::move(message), by_somebody());
  REQUIRE_FALSE(put.has_value());
  CHECK(put.error().code == connector::Errc::unavailable);
  f.accounts->find(base::AccountId{1})->standing = LiveAccount::Standing::registered;
  f.send(1, "+1", "two");
  f.network.release();
  f.until([&] { return f.network.sent == std::vector<std::string>{"two"}; });
}

// The inbox over a real store and a link whose server does what the test says. What users see of it is in
// tests/scenarios.
#include "gateway/queues/inbox.hpp"

#include "gateway/store/connector_storage.hpp"
#include "gateway/store/retention.hpp"
#include "tests/support/component_server.hpp"
#include "tests/support/dial.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/store/fixture.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <limits>

using namespace wherry;
using namespace wherry::tests;
using namespace wherry::accounts;
using namespace wherry::convert;
using namespace wherry::queues;
using namespace std::chrono_literals;

namespace {

constexpr const char* domain = "sms.test";
constexpr base::AccountId romeo{1};

struct Sent {  // to the server
  std::string text, id;
};

struct Fixture {
  Fixture() {
    clock.time = base::SystemClock().now();  // the journal has the real one
    insert(store, account(romeo.value, "romeo@x.test", domain));
    store.driver->begin();  // rows that the store refuses: while there is a key "closed", all
    store.driver->run_script(
        "CREATE TRIGGER refusing BEFORE INSERT ON inbox WHEN NEW.payload LIKE '%refused%' OR EXISTS (SELECT * FROM "
        "keys WHERE name = 'closed') BEGIN SELECT RAISE(ABORT, 'refused'); END;");
    store.driver->commit();
    database.emplace(loop.get_executor(), std::move(store.driver));
    journal.emplace(loop.get_executor(), *database, domain);
    AccountEvents events;
    events.make_sink = [](LiveAccount&) { return std::make_unique<NoEvents>(); };
    events.state_changed = [](LiveAccount&) {};
    events.removed = [](LiveAccount&, const std::vector<store::OutboxRow>&) {};
    accounts.emplace(loop.get_executor(), *database, sealer(), domain, std::move(events));
    xmpp::ComponentConfig config{.host = "127.0.0.1",
                                 .port = server.port(),
                                 .domain = jid(domain),
                                 .server = jid("x.test"),
                                 .secret = base::Secret("secret")};
    xmpp::ComponentEvents link_events;
    link_events.received = [](xmpp::Stanza) {};
    link_events.connected = [this] { inbox->connected(); };
    link_events.disconnected = [this] { inbox->disconnected(); };
    link_events.confirmed = [this](xmpp::Sequence sequence) { inbox->confirmed(sequence); };
    link_events.writable = [this] { inbox->pump(); };
    link.emplace(loop.get_executor(), std::move(config), tests::dial, std::move(link_events));
    make_inbox();
    run(loop, start());
    tasks.spawn("link", link->run());
    run(loop, server.accept());
    tasks.spawn("server", answer_pings());
    until([this] { return link->is_connected(); });
  }
  ~Fixture() {
    tasks.cancel();
    run(loop, tasks.join());
    run(loop, settle());
  }

  void make_inbox() {
    messages.emplace(loop.get_executor(), *journal, *database, underway, keys);
    inbox.emplace(
        loop.get_executor(), *journal, *database, *accounts, *link, *messages, keys, clock, domain, limits,
        [this](const LiveAccount*, const Delivery& delivery, const std::string& id) { return stanzas(delivery, id); },
        [this] { return forward; });
  }
  asio::awaitable<void> start() {
    co_await journal->start();
    co_await accounts->load(network);
    co_await load();
  }
  asio::awaitable<void> load() {
    connector::Network described;
    described.redelivers = true;
    co_await inbox->load(std::move(described));
  }
  asio::awaitable<void> answer_pings() {
    for (;;) {
      const std::string id = co_await server.ping();
      came += server.before_ping;
      co_await server.answer(id);
    }
  }
  std::vector<xmpp::Element> stanzas(const Delivery& delivery, const std::string& id) {
    sent.push_back({std::get<connector::MessageReceived>(delivery).content.text, id});
    std::vector<xmpp::Element> one(
        1, xmpp::make_stanza(xmpp::Kind::message, jid("a@sms.test"), jid("romeo@x.test"), "chat", id));
    one[0].add_text_child("body",
                          sent.back().text.substr(0, sent.back().text.starts_with("huge") ? std::string::npos : 100));
    return one;
  }

  // Everything that is on its way to the store has been there, and what follows from it has begun.
  asio::awaitable<void> settle() {
    co_await journal->commit_all();
    for (int i = 0; i < 3; ++i) {
      db::Database::Closure nothing = [](db::Transaction&) {};
      co_await database->transact(std::move(nothing));
    }
  }
  connector::Event message(std::string id, std::string text) {
    connector::MessageReceived message;
    message.chat = message.sender = base::ContactId{"a"};
    message.id = base::MessageId{std::move(id)};
    message.content.text = std::move(text);
    return message;
  }
  // With one id for all.
  asio::awaitable<void> attempt(std::string text, int& refused, int& taken) {
    connector::Event event = message("n1", std::move(text));
    try {
      co_await inbox->publish(romeo, std::move(event));
      ++taken;
    } catch (const db::StatementFailed&) {
      ++refused;
    }
  }
  void publish(std::string text) {
    run(loop, inbox->publish(romeo, message(text, text)));
    until([&] { return times(text) > 0; });
  }
  template <class Condition>
  void until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!condition() && std::chrono::steady_clock::now() < deadline) loop.run_one_for(100ms);
    REQUIRE(condition());
  }
  std::ptrdiff_t times(const std::string& text) const {
    return std::count_if(sent.begin(), sent.end(), [&](const Sent& s) { return s.text == text; });
  }
  // The user's server gives the newest of that text back.
  bool give_back(const std::string& text) {
    const auto newest = std::find_if(sent.rbegin(), sent.rend(), [&](const Sent& s) { return s.text == text; });
    const bool kept = inbox->returned(*accounts->find(romeo), newest->id);
    run(loop, settle());
    return kept;
  }
  bool stays = false;  // the user is there when the message comes back
  // The user comes, or an hour has passed; how often that sent the text, which came back each time.
  std::ptrdiff_t come(const std::string& text) {
    return tried(text, [this] { inbox->resend_returned(romeo); });
  }
  std::ptrdiff_t pass_an_hour(const std::string& text) {
    clock.time += 1h;
    forward += std::chrono::milliseconds(1h).count();
    return tried(text, [this] { inbox->resend_returned(); });
  }
  template <class Event>
  std::ptrdiff_t tried(const std::string& text, Event event) {
    const auto before = times(text);
    event();
    run(loop, settle());
    const auto tries = times(text) - before;
    if (stays) accounts->find(romeo)->resources.put("romeo@x.test/orchard", {});
    if (tries > 0) REQUIRE(give_back(text));
    return tries;
  }
  std::int64_t rows() {
    std::int64_t count = 0;
    run(loop, count_rows(&count));
    return count;
  }
  asio::awaitable<void> count_rows(std::int64_t* count) {
    std::function<std::int64_t(db::Transaction&)> read = [](db::Transaction& t) {
      return store::count_inbox(t, domain);
    };
    *count = co_await database->fetch(std::move(read));
  }
  void until_confirmed() {
    until([this] { return inbox->waiting() == 0; });
    run(loop, settle());
  }

  struct NoEvents final : connector::EventSink {
    asio::awaitable<void> publish(connector::Event, connector::Changes) override { co_return; }
  };
  struct Silent final : connector::Connector {
    connector::Network describe() const override { return {}; }
    asio::awaitable<void> run() override { co_return; }
    asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant, connector::Dialogue&) override {
      co_return connector::Answers();
    }
    void know_account(const connector::Account&, connector::EventSink&) override {}
    void forget_account(base::AccountId) override {}
    std::unique_ptr<connector::Session> open(base::AccountId) override { return nullptr; }
    asio::awaitable<connector::Result<base::ContactId>> parse_contact(std::string typed,
                                                                      base::AccountId) const override {
      co_return base::ContactId{std::move(typed)};
    }
  };

  asio::io_context loop;
  Store store{DatabaseKind::sqlite};
  FakeClock clock;
  std::int64_t forward = std::chrono::milliseconds(1000h).count();
  Silent network;
  InboxLimits limits;
  ComponentServer server{loop};
  std::vector<Sent> sent;
  std::string came;  // at the server
  std::optional<db::Database> database;
  std::optional<Journal> journal;
  std::optional<Accounts> accounts;
  Keys keys{"key", {{"run", 0}}};
  std::optional<xmpp::Component> link;
  SendsUnderway underway{loop.get_executor()};
  std::optional<Messages> messages;
  std::optional<Inbox> inbox;
  base::TaskGroup tasks{loop.get_executor()};
};

}  // namespace

TEST_CASE(
    "A message that came back is sent when the user comes; refused three times while they were there, not at every "
    "coming (XEP-0191 §3.3)") {
  Fixture f;
  f.publish("hi");
  REQUIRE(f.give_back("hi"));  // nobody was there
  f.stays = true;
  for (int i = 0; i < 3; ++i) CHECK(f.come("hi") == 1);
  CHECK(f.come("hi") == 0);
  CHECK(f.pass_an_hour("hi") == 1);
  CHECK(f.come("hi") == 0);
  CHECK(f.rows() == 1);
}

TEST_CASE("A user who is gone again when it comes gets it the next time, however often") {
  Fixture f;
  f.publish("hi");
  REQUIRE(f.give_back("hi"));
  for (int i = 0; i < 20; ++i) CHECK(f.come("hi") == 1);
}

TEST_CASE(
    "A device of negative priority takes no messages, so what it does not get is no refusal (RFC 6121 §8.5.2.1.1)") {
  Fixture f;
  f.publish("hi");
  REQUIRE(f.give_back("hi"));
  f.accounts->find(romeo)->resources.put("romeo@x.test/bot", {connector::Availability::online, "", -1});
  for (int i = 0; i < 20; ++i) CHECK(f.come("hi") == 1);
}

TEST_CASE("Nothing is tried for a user who is seen to be away") {
  Fixture f;
  f.publish("hi");
  REQUIRE(f.give_back("hi"));
  f.accounts->find(romeo)->presence_seen = true;
  for (int hour = 0; hour < 48; ++hour) CHECK(f.pass_an_hour("hi") == 0);
  CHECK(f.come("hi") == 1);
}

TEST_CASE(
    "What always comes back is tried again after its own age, at least half an hour and at most a day, until it is "
    "removed") {
  Fixture f;
  f.publish("hi");
  REQUIRE(f.give_back("hi"));
  std::vector<int> hours;
  for (int hour = 1; hour <= 30 * 24; ++hour) {
    if (f.pass_an_hour("hi") > 0) hours.push_back(hour);
  }
  REQUIRE(hours.size() > 6);
  CHECK(std::vector<int>(hours.begin(), hours.begin() + 7) == std::vector<int>{1, 2, 4, 8, 16, 32, 56});
  CHECK(hours.size() == 34);
  CHECK(f.rows() == 1);
}

TEST_CASE(
    "What came back is tried after as long a wait, however the time of day leaps while it waits, or before it came "
    "back (DECISIONS.md 34)") {
  for (const auto leap : {24h * 365, -24h * 365}) {
    CAPTURE(leap.count());
    Fixture f;
    f.publish("first");
    REQUIRE(f.give_back("first"));
    f.clock.time += leap;
    f.publish("second");
    f.clock.time += leap / 2;
    REQUIRE(f.give_back("second"));
    CHECK(f.pass_an_hour("first") == 1);
    CHECK(f.times("second") == 2);
  }
}

TEST_CASE(
    "What came back and an earlier run left is tried within a day, whatever the time of day says, and within the hour "
    "where it is behind") {
  for (const auto& [leap, hours] : {std::pair{24h * 365, 24}, {-24h * 365, 1}}) {
    CAPTURE(leap.count());
    Fixture f;
    f.publish("hi");
    REQUIRE(f.give_back("hi"));
    run(f.loop, f.inbox->stop());
    f.clock.time += leap;
    f.make_inbox();
    run(f.loop, f.load());
    f.inbox->connected();
    REQUIRE(f.give_back("hi"));
    int passed = 1;
    while (passed < 48 && f.pass_an_hour("hi") == 0) ++passed;
    CHECK(passed == hours);
  }
}

TEST_CASE("A message that came back and could not be stored anew is not forgotten") {
  Fixture f;
  f.publish("hi");
  REQUIRE(f.give_back("hi"));
  db::Database::Closure close = [](db::Transaction& t) {
    t.execute("INSERT INTO keys (name, value) VALUES ('closed', '')");
  };
  run(f.loop, f.database->transact(std::move(close)));
  CHECK(f.come("hi") == 0);
  db::Database::Closure open = [](db::Transaction& t) { t.execute("DELETE FROM keys WHERE name = 'closed'"); };
  run(f.loop, f.database->transact(std::move(open)));
  CHECK(f.come("hi") == 1);
}

TEST_CASE(
    "A message that a server gives back after it has confirmed it is kept again, for users of every server (XEP-0198 "
    "§5)") {
  Fixture f;
  f.publish("hi");
  f.until_confirmed();
  CHECK(f.rows() == 0);
  REQUIRE(f.give_back("hi"));
  CHECK(f.rows() == 1);
  REQUIRE(f.give_back("hi"));  // told twice
  CHECK(f.rows() == 1);
  CHECK(f.come("hi") == 1);
}

TEST_CASE("What names a message that is kept again finds it under its new id") {
  Fixture f;
  connector::Network refers;
  refers.refers_to_messages = true;
  f.messages->use(refers);
  f.publish("hi");
  f.until_confirmed();
  const std::int64_t before = f.messages->find_recent(romeo, "hi")->id;
  REQUIRE(f.give_back("hi"));
  CHECK(f.messages->find_recent(romeo, "hi")->id > before);
}

TEST_CASE("How many confirmed messages are remembered for that is bounded, by number and by bytes") {
  Fixture f;
  for (const auto& [size, count] : {std::pair<std::size_t, int>{1, 1100}, {60000, 20}}) {
    const std::string filling(size, 'x');
    f.publish("first " + filling);
    f.until_confirmed();
    for (int i = 0; i < count; ++i) {
      const std::string text = filling + std::to_string(i);
      f.tasks.spawn("publish", f.inbox->publish(romeo, f.message(text, text)));
    }
    f.until([&] { return f.times(filling + std::to_string(count - 1)) > 0; });
    f.until_confirmed();
    CHECK_FALSE(f.give_back("first " + filling));
    CHECK(f.give_back(filling + std::to_string(count - 1)));
  }
}

TEST_CASE(
    "A repeated event whose first could not be stored takes its place, and is not acknowledged for it "
    "(Inbox::publish)") {
  Fixture f;
  int refused = 0, taken = 0;
  const auto publish = [&](const char* text) { f.tasks.spawn("publish", f.attempt(text, refused, taken)); };
  // Each in the next turn of the loop, so in a transaction of its own, before the outcome of the first is known.
  asio::post(f.loop, [&] {
    publish("refused");
    asio::post(f.loop, [&] {
      publish("second");
      asio::post(f.loop, [&] { publish("third"); });
    });
  });
  f.until([&] { return refused + taken == 3; });
  CHECK(refused == 1);
  CHECK(taken == 2);
  f.until([&] { return f.times("second") + f.times("third") > 0; });
  f.until_confirmed();
  CHECK(f.times("refused") == 0);
  CHECK(f.times("second") + f.times("third") == 1);
}

TEST_CASE("What came before comes once after a start whose clock is days ahead, too (DECISIONS.md 36)") {
  Fixture f;
  f.publish("one");
  f.until_confirmed();
  run(f.loop, f.inbox->stop());
  f.clock.time += std::chrono::hours(24 * 8);
  f.make_inbox();
  run(f.loop, f.load());
  f.inbox->connected();
  run(f.loop, f.inbox->publish(romeo, f.message("one", "one")));
  f.publish("two");
  CHECK(f.times("one") == 1);
}

TEST_CASE(
    "A message that the link withholds is not delivered: the contact says so, its row stays, and those behind it "
    "come") {
  Fixture f;
  const std::string huge = "huge" + std::string(600 << 10, 'x');
  f.publish(huge);
  f.publish("behind");
  f.until_confirmed();
  CHECK(f.rows() == 1);
  CHECK(f.came.find("could not be shown here: it is too large") != std::string::npos);
  CHECK(f.came.find("behind") != std::string::npos);
  CHECK(f.came.find("hugex") == std::string::npos);
}

TEST_CASE("What the server has confirmed goes, whatever the store refuses of the same turn") {
  Fixture f;
  f.publish("one");
  f.inbox->confirmed(std::numeric_limits<xmpp::Sequence>::max());
  store::OutboxRow refused;
  refused.id = 1;
  refused.account = romeo;
  refused.chat = std::string("a\0b", 3);  // no database holds it
  f.journal->insert(std::move(refused));
  f.journal->close_step();
  run(f.loop, f.settle());
  CHECK(f.rows() == 0);
}

TEST_CASE("A message that comes back just behind its confirmation is in the store once") {
  Fixture f;
  f.publish("one");
  f.inbox->confirmed(std::numeric_limits<xmpp::Sequence>::max());
  REQUIRE(f.inbox->returned(*f.accounts->find(romeo), f.sent.back().id));
  run(f.loop, f.journal->commit());  // and what rides is not on the disk yet
  CHECK(f.rows() == 1);
}

TEST_CASE("What is written while its user is erased is nobody's: it is not sent, and its row goes") {
  Fixture f;
  f.accounts->find(romeo)->standing = LiveAccount::Standing::removed;
  run(f.loop, f.inbox->publish(romeo, f.message("late", "late")));
  run(f.loop, f.settle());
  CHECK(f.sent.empty());
  CHECK(f.rows() == 0);
}

TEST_CASE(
    "A row of another network's former user, whatever its id, keeps none of ours from being read (Inbox::reload)") {
  Fixture f;
  f.limits.in_memory = 2;
  f.make_inbox();
  run(f.loop, f.load());
  convert::Origin origin;
  origin.user = "juliet@x.test/r";
  origin.contact = "a@other.test";
  store::InboxRow foreign;
  foreign.id = std::int64_t{1} << 40;
  foreign.account = base::AccountId{99};
  foreign.payload = to_text(convert::Delivery(convert::SendFailed{origin, base::Errc::rejected, "gone"}));
  const std::vector<store::InboxRow> rows{foreign};
  db::Database::Closure insert = [&](db::Transaction& t) { store::insert_inbox(t, rows); };
  run(f.loop, f.database->transact(std::move(insert)));
  for (int burst = 0; burst < 3; ++burst) {
    for (int i = 0; i < 10; ++i) f.inbox->put(romeo, std::get<connector::MessageReceived>(f.message("m", "m")));
    f.until([&] { return f.times("m") == 10 * (burst + 1); });
    f.until_confirmed();
  }
  CHECK(f.rows() == 0);
}

TEST_CASE("What waits is in memory up to so many bytes; the rest is read once that is with the server") {
  Fixture f;
  f.limits.in_memory_bytes = 100'000;
  f.make_inbox();
  run(f.loop, f.load());
  const std::string text(30'000, 'x');
  for (int i = 0; i < 20; ++i) f.inbox->put(romeo, std::get<connector::MessageReceived>(f.message("m", text)));
  std::size_t most = 0;
  f.until([&] {
    most = std::max(most, f.inbox->waiting());
    return f.times(text) == 20;
  });
  CHECK(most <= 4);
  f.until_confirmed();
  CHECK(f.rows() == 0);
}

TEST_CASE("Each stage of a message that comes leaves a line under the id that its stanza has, without its body") {
  Fixture f;
  LogCapture log;
  f.publish("good night");
  f.until_confirmed();
  REQUIRE(f.give_back("good night"));
  f.inbox->resend_returned(romeo);
  f.until([&] { return f.times("good night") == 2; });
  const std::string text = log.text();
  const std::string id = f.sent.front().id, again = f.sent.back().id;
  CHECK(text.find("message.received id=" + id + " transport=sms.test account=1 from=" + log::masked("a") +
                  " network_id=\"good night\"") != std::string::npos);
  CHECK(text.find("message.delivered id=" + id) != std::string::npos);
  CHECK(text.find("message.returned id=" + id) != std::string::npos);
  CHECK(text.find("message.sent_again id=" + again + " was=") != std::string::npos);
}

TEST_CASE("What a connector changes with an event is written with its row, or not at all (contract.hpp, EventSink)") {
  Fixture f;
  const auto memory = [&f] {
    std::string found;
    db::Database::Closure read = [&](db::Transaction& t) {
      found.clear();
      for (const auto& entry : store::read_entries(t, domain, "", "", 100))
        found += entry.key + "=" + entry.value + " ";
    };
    run(f.loop, f.database->transact(std::move(read)));
    return found;
  };
  run(f.loop, f.inbox->publish(romeo, f.message("1", "hello"), {{"a", "1"}, {"b", "1"}}));
  CHECK(memory() == "a=1 b=1 ");
  CHECK_THROWS_AS(run(f.loop, f.inbox->publish(romeo, f.message("2", "refused"), {{"a", ""}})), db::StatementFailed);
  CHECK(memory() == "a=1 b=1 ");
  const std::string unstorable("a\0b", 3);
  CHECK_THROWS_AS(run(f.loop, f.inbox->publish(romeo, f.message("3", "late"), {{"a", unstorable}})),
                  db::StatementFailed);
  CHECK(f.times("late") == 0);
  run(f.loop, f.inbox->publish(romeo, f.message("3", "late"), {{"a", "2"}}));  // it may come again
  run(f.loop, f.inbox->publish(romeo, f.message("1", "hello"), {{"b", ""}}));  // dropped: it came before
  run(f.loop, f.settle());
  CHECK(memory() == "a=2 ");
  CHECK(f.times("late") == 1);
  CHECK(f.times("hello") == 1);
}

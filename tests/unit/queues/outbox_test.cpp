// The outbox over a real store and a network that the test holds still. What users see of it is in tests/scenarios.
#include "gateway/queues/outbox.hpp"

#include "gateway/base/within.hpp"
#include "gateway/connector/action_codec.hpp"
#include "tests/support/dial.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/store/fixture.hpp"

#include <set>

using namespace wherry;
using namespace wherry::tests;
using namespace wherry::accounts;
using namespace wherry::convert;
using namespace wherry::queues;

namespace {

constexpr const char* domain = "sms.example.net";

// Without an id of its stanza: nothing of it is a repeat.
Origin by_somebody() {
  Origin origin;
  origin.user = "somebody@example.net/r";
  origin.contact = "+1@sms.example.net";
  return origin;
}

// Sessions are up at once; a send is answered once the network is let go.
class HeldNetwork final : public connector::Connector {
 public:
  explicit HeldNetwork(asio::any_io_executor executor) : released_(std::move(executor)) {}
  void release() {
    is_held_ = false;
    released_.notify();
  }
  std::vector<std::string> sent;       // in order
  std::set<std::string> unreachable;   // texts whose next attempt finds the network away
  std::function<void()> on_sent = [] {};

  connector::Idempotency idempotency = connector::Idempotency::none;
  std::optional<connector::Error> answer;  // instead of taking what is sent
  bool throws = false;
  int performing = 0;  // begun, so far

  connector::Network describe() const override {
    connector::Network network;
    network.idempotency = idempotency;
    return network;
  }
  asio::awaitable<void> run() override { co_return; }
  asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant, connector::Dialogue&) override { co_return connector::Answers(); }
  void know_account(const connector::Account& account, connector::EventSink& events) override { sinks_[account.id] = &events; }
  void forget_account(base::AccountId account) override { sinks_.erase(account); }
  std::unique_ptr<connector::Session> open(base::AccountId account) override { return std::make_unique<Held>(*this, *sinks_.at(account)); }
  asio::awaitable<connector::Result<base::ContactId>> parse_contact(std::string typed, base::AccountId) const override { co_return base::ContactId{std::move(typed)}; }

 private:
  class Held final : public connector::Session {
   public:
    Held(HeldNetwork& network, connector::EventSink& events) : network_(network), events_(events) {}
    asio::awaitable<void> run() override {
      connector::Event up = connector::AccountChanged{true, false, ""};
      co_await events_.publish(std::move(up));
      for (const std::chrono::hours hour(1);;) co_await base::sleep(hour);
    }
    asio::awaitable<connector::Result<connector::Receipt>> perform(connector::Action action) override {
      ++network_.performing;
      while (network_.is_held_) co_await network_.released_.wait();
      if (network_.throws) throw std::runtime_error("the network broke");
      const std::string& text = std::get<connector::SendMessage>(action).content.text;
      if (network_.answer) co_return *network_.answer;
      if (network_.unreachable.erase(text) > 0) co_return connector::Error{connector::Errc::unavailable, "away"};
      network_.sent.push_back(text);
      network_.on_sent();
      co_return connector::Receipt();
    }
    connector::Capabilities capabilities(const base::ChatId&) const override { return {}; }

   private:
    HeldNetwork& network_;
    connector::EventSink& events_;
  };

  base::Signal released_;
  bool is_held_ = true;
  std::map<base::AccountId, connector::EventSink*> sinks_;
};

// A sink that takes what sessions say of themselves.
struct Sayings final : connector::EventSink {
  Sayings(Accounts*& a, base::AccountId i) : accounts(a), id(i) {}
  asio::awaitable<void> publish(connector::Event event) override {
    if (const auto* change = std::get_if<connector::AccountChanged>(&event)) accounts->report(*accounts->find(id), *change);
    co_return;
  }
  Accounts*& accounts;
  base::AccountId id;
};

struct Fixture {
  explicit Fixture(OutboxLimits limits, DatabaseKind kind = DatabaseKind::sqlite, const std::vector<store::OutboxRow>& left = {},
                   connector::Idempotency idempotency = connector::Idempotency::none)
      : store(kind) {
    network.idempotency = idempotency;
    for (std::int64_t id : {1, 2}) insert(store, account(id, "user" + std::to_string(id) + "@example.net", domain));
    store::AccountRow away = account(3, "user3@example.net", domain);
    away.policy = store::AccountPolicy::follow_presence;
    insert(store, away);
    store([&](db::Transaction& t) { store::insert_outbox(t, left); });
    database.emplace(loop.get_executor(), std::move(store.driver));
    journal.emplace(loop.get_executor(), *database, domain);
    AccountEvents events;
    events.make_sink = [this](LiveAccount& live) { return std::make_unique<Sayings>(accounts_here, live.id()); };
    events.state_changed = [this](LiveAccount& live) {
      if (live.is_online()) outbox->account_online(live);
    };
    events.removed = [this](LiveAccount& live, const std::vector<store::OutboxRow>& unsent) { outbox->account_removed(live.id(), unsent); };
    accounts.emplace(loop.get_executor(), *database, sealer(), domain, std::move(events));
    accounts_here = &*accounts;
    xmpp::ComponentConfig config{.host = "127.0.0.1", .port = 1, .domain = jid(domain), .server = jid("example.net"), .secret = base::Secret("secret")};
    link.emplace(loop.get_executor(), std::move(config), tests::dial, xmpp::ComponentEvents());  // never up: the inbox keeps what it is given
    inbox.emplace(loop.get_executor(), *journal, *database, *accounts, *link, keys, clock, domain, InboxLimits{},
                  [](const LiveAccount*, const Delivery&, const std::string&) { return std::vector<xmpp::Element>(); });
    repeats.emplace(*journal);
    reports.emplace(loop.get_executor(), *journal, *database, *inbox, *repeats, keys);
    outbox.emplace(loop.get_executor(), *journal, *database, *accounts, *reports, *repeats, keys, clock, domain, limits,
                   [this](base::AccountId, const Origin&, const base::Error& error) { not_stored.push_back(error.text); });
    run(loop, start());
    until([this] { return accounts->find(base::AccountId{1})->is_online() && accounts->find(base::AccountId{2})->is_online(); });
  }
  ~Fixture() {
    if (!stopped) run(loop, stop(std::chrono::seconds(5)));
  }

  asio::awaitable<void> start() {
    co_await journal->start();
    co_await accounts->load(network);
    co_await inbox->load(network.describe());
    co_await repeats->load(*database, domain, clock.now());
    co_await outbox->load(network.describe());
    accounts->start();
  }
  asio::awaitable<void> stop(std::chrono::milliseconds grace) {
    stopped = true;
    co_await outbox->stop(grace);
    co_await accounts->stop();
    db::Database::Closure nothing = [](db::Transaction&) {};
    co_await database->transact(std::move(nothing));
  }
  asio::awaitable<void> release_soon() {
    co_await base::sleep(std::chrono::milliseconds(50));
    network.release();
  }
  void send(std::int64_t from, std::string_view to, std::string text, std::string stanza_id = "") {
    connector::SendMessage message;
    message.chat = base::ContactId{std::string(to)};
    message.content.text = std::move(text);
    Origin origin = by_somebody();
    origin.stanza_id = std::move(stanza_id);
    REQUIRE(outbox->put(*accounts->find(base::AccountId{from}), std::move(message), std::move(origin)).has_value());
  }
  std::multiset<store::OutboxState> states() {
    std::multiset<store::OutboxState> found;
    db::Database::Closure read = [&](db::Transaction& t) {
      found.clear();
      for (const auto& row : store::read_outbox(t, domain, 0, 1000)) found.insert(row.state);
    };
    run(loop, database->transact(std::move(read)));
    return found;
  }
  void send_many(std::int64_t from, std::string_view to, int count) {
    for (int i = 0; i < count; ++i) send(from, to, std::string(to) + " " + std::to_string(i));
  }
  std::int64_t stored() {
    until_committed();
    std::int64_t rows = 0;
    db::Database::Closure count = [&](db::Transaction& t) { rows = store::count_outbox(t, domain); };
    run(loop, database->transact(std::move(count)));
    return rows;
  }
  // What senders are told, as the inbox has it.
  std::vector<std::string> failures() {
    std::vector<std::string> texts;
    db::Database::Closure read = [&](db::Transaction& t) {
      texts.clear();
      for (const db::Row& row : t.query("SELECT payload FROM inbox ORDER BY id")) {
        texts.push_back(std::get<SendFailed>(*parse_delivery(row.text(0))).text);
      }
    };
    run(loop, database->transact(std::move(read)));
    return texts;
  }
  std::vector<std::string> sent_to(std::string_view to) const {
    std::vector<std::string> texts;
    for (const std::string& text : network.sent) {
      if (text.starts_with(std::string(to) + " ")) texts.push_back(text);
    }
    return texts;
  }
  void come_online(std::int64_t id) {
    LiveAccount& live = *accounts->find(base::AccountId{id});
    accounts->user_available(live, jid(live.user().str() + "/r"), {});
  }
  void go_away(std::int64_t id) {
    LiveAccount& live = *accounts->find(base::AccountId{id});
    accounts->user_unavailable(live, live.user());
  }
  template <class Condition>
  void until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < deadline) loop.run_one_for(std::chrono::milliseconds(100));
    REQUIRE(condition());
  }
  void until_committed() {
    bool done = false;
    journal->after_commit([&](std::exception_ptr error) { done = !error; });
    until([&] { return done; });
  }

  asio::io_context loop;
  base::TaskGroup tasks{loop.get_executor()};
  Store store;
  base::SystemClock clock;
  HeldNetwork network{loop.get_executor()};
  Accounts* accounts_here = nullptr;
  bool stopped = false;
  std::vector<std::string> not_stored;
  Keys keys{"key", {{"run", 1000}}};
  std::optional<db::Database> database;
  std::optional<Journal> journal;
  std::optional<Accounts> accounts;
  std::optional<xmpp::Component> link;
  std::optional<Inbox> inbox;
  std::optional<Repeats> repeats;
  std::optional<Reports> reports;
  std::optional<Outbox> outbox;
};

std::vector<std::string> numbered(std::string_view to, int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) texts.push_back(std::string(to) + " " + std::to_string(i));
  return texts;
}

OutboxLimits little_memory() {
  OutboxLimits limits;
  limits.in_memory = 4;
  return limits;
}

// A row as an earlier run left it.
store::OutboxRow left(std::int64_t id, std::string text, store::OutboxState state = store::OutboxState::queued) {
  connector::SendMessage message;
  message.chat = base::ContactId{"+1"};
  message.key = "key-" + std::to_string(id);
  message.content.text = std::move(text);
  return {id, {1}, "c:+1", to_text(by_somebody()), connector::to_text(connector::Action(std::move(message))), state, 0, 0, 1LL << 50};
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

TEST_CASE("What is in memory is bounded, and what waits behind it goes once and in order, also what comes while rows are read back") {
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
        "You were not logged in to the network for too long; the message was not sent. Showing the gateway your presence logs you in.");
}

TEST_CASE("What an earlier run left goes in order; what may have been sent, and what is damaged, is told and not sent") {
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
  CHECK(std::multiset<std::string>(f.network.sent.begin(), f.network.sent.end()) == std::multiset<std::string>{"one", "three", "two"});
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
    CHECK(f.states().count(store::OutboxState::sending) == 1 + 64);  // they are with the connector, which does not answer

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
    CHECK(later.contains(base::AccountId{1}, origin, {"two", {}}));
    CHECK(!later.contains(base::AccountId{1}, origin, {"three", {}}));
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

TEST_CASE("What may have been done is uncertain for a user who unregisters, too, whole in memory or not") {
  for (const auto pause : {std::chrono::milliseconds(100), std::chrono::milliseconds(3'600'000)}) {  // it rests only in the store
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

TEST_CASE("While a user is being unregistered nothing more is taken from them") {
  Fixture f(OutboxLimits{});
  f.accounts->find(base::AccountId{1})->standing = LiveAccount::Standing::leaving;
  connector::SendMessage message;
  message.chat = base::ContactId{"+1"};
  message.content.text = "one";
  const auto put = f.outbox->put(*f.accounts->find(base::AccountId{1}), std::move(message), by_somebody());
  REQUIRE_FALSE(put.has_value());
  CHECK(put.error().code == connector::Errc::unavailable);
  f.accounts->find(base::AccountId{1})->standing = LiveAccount::Standing::registered;
  f.send(1, "+1", "two");
  f.network.release();
  f.until([&] { return f.network.sent == std::vector<std::string>{"two"}; });
}

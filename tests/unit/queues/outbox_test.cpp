// The outbox over a real store and a network that the test holds still. What users see of it is in tests/scenarios.
#include "gateway/queues/outbox.hpp"

#include "gateway/base/within.hpp"
#include "gateway/connector/codec.hpp"
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

  connector::Network describe() const override { return {}; }
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
      while (network_.is_held_) co_await network_.released_.wait();
      const std::string& text = std::get<connector::SendMessage>(action).content.text;
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
struct Reports final : connector::EventSink {
  Reports(Accounts*& a, base::AccountId i) : accounts(a), id(i) {}
  asio::awaitable<void> publish(connector::Event event) override {
    if (const auto* change = std::get_if<connector::AccountChanged>(&event)) accounts->report(*accounts->find(id), *change);
    co_return;
  }
  Accounts*& accounts;
  base::AccountId id;
};

struct Fixture {
  explicit Fixture(OutboxLimits limits, DatabaseKind kind = DatabaseKind::sqlite, const std::vector<store::OutboxRow>& left = {}) : store(kind) {
    for (std::int64_t id : {1, 2}) insert(store, account(id, "user" + std::to_string(id) + "@example.net", domain));
    store::AccountRow away = account(3, "user3@example.net", domain);
    away.policy = store::AccountPolicy::follow_presence;
    insert(store, away);
    store([&](db::Transaction& t) { store::insert_outbox(t, left); });
    database.emplace(loop.get_executor(), std::move(store.driver));
    journal.emplace(loop.get_executor(), *database, domain);
    AccountEvents events;
    events.make_sink = [this](LiveAccount& live) { return std::make_unique<Reports>(accounts_here, live.id()); };
    events.state_changed = [this](LiveAccount& live) {
      if (live.is_online()) outbox->account_online(live);
    };
    events.removed = [this](LiveAccount& live, const std::vector<store::OutboxRow>& unsent) { outbox->account_removed(live.id(), unsent); };
    accounts.emplace(loop.get_executor(), *database, sealer(), domain, std::move(events));
    accounts_here = &*accounts;
    OutboxEvents told;
    told.failed = [this](base::AccountId, Origin, base::Error error) { failures.push_back(error.text); };
    told.not_stored = told.failed;
    told.sent = [](base::AccountId, const store::SentMessage&) {};
    told.settled = [](base::AccountId) {};
    outbox.emplace(loop.get_executor(), *journal, *database, *accounts, clock, domain, limits, std::move(told));
    run(loop, start());
    until([this] { return accounts->find(base::AccountId{1})->is_online() && accounts->find(base::AccountId{2})->is_online(); });
  }
  ~Fixture() { run(loop, stop()); }

  asio::awaitable<void> start() {
    co_await journal->start();
    co_await accounts->load(network);
    co_await outbox->load(network.describe(), "key-");
    accounts->start();
  }
  asio::awaitable<void> stop() {
    const std::chrono::seconds grace(5);
    co_await outbox->stop(grace);
    co_await accounts->stop();
    db::Database::Closure nothing = [](db::Transaction&) {};
    co_await database->transact(std::move(nothing));
  }
  void send(std::int64_t from, std::string_view to, std::string text) {
    connector::SendMessage message;
    message.chat = base::ContactId{std::string(to)};
    message.content.text = std::move(text);
    REQUIRE(outbox->put(*accounts->find(base::AccountId{from}), std::move(message), Origin()).has_value());
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
  Store store;
  base::SystemClock clock;
  HeldNetwork network{loop.get_executor()};
  Accounts* accounts_here = nullptr;
  std::vector<std::string> failures;
  std::optional<db::Database> database;
  std::optional<Journal> journal;
  std::optional<Accounts> accounts;
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
  return {id, {1}, "c:+1", to_text(Origin()), connector::to_text(connector::Action(std::move(message))), state, 0, 0, 1LL << 50};
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
    CHECK(f.failures.empty());
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
    CHECK(f.failures.empty());
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
    CHECK(f.failures.empty());
    run(f.loop, f.accounts->remove(base::AccountId{3}));
    CHECK(f.failures.size() == 35);
    CHECK(f.stored() == 0);
    limits.deadline = std::chrono::seconds(0);
    Fixture late(limits, kind);
    late.send_many(3, "+1", 30);
    late.send_many(3, "+2", 30);
    late.until_committed();
    late.outbox->expire();
    late.until([&] { return late.failures.size() == 60; });
    CHECK(late.stored() == 0);
    late.outbox->expire();
    late.until_committed();
    CHECK(late.failures.size() == 60);
  }
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
    f.until([&] { return f.network.sent.size() == 30 && f.failures.size() == 2; });
    CHECK(f.network.sent == numbered("+1", 30));
    CHECK(f.stored() == 0);
  }
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
  f.until([&] { return f.network.sent.size() + f.failures.size() == 3; });
  CHECK(std::multiset<std::string>(f.network.sent.begin(), f.network.sent.end()) == std::multiset<std::string>{"one", "three", "two"});
  CHECK(f.failures.empty());
}

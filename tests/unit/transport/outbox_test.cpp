// The outbox over a real store and a network that the test holds still. What users see of it is in tests/scenarios.
#include "gateway/transport/outbox.hpp"

#include "gateway/base/within.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/store/fixture.hpp"

#include <set>

using namespace wherry;
using namespace wherry::tests;
using namespace wherry::transport;

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
  std::multiset<std::string> sent;

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
      network_.sent.insert(std::get<connector::SendMessage>(action).content.text);
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
  explicit Fixture(OutboxLimits limits) {
    for (std::int64_t id : {1, 2}) insert(store, account(id, "user" + std::to_string(id) + "@example.net", domain));
    store::AccountRow away = account(3, "user3@example.net", domain);
    away.policy = store::AccountPolicy::follow_presence;
    insert(store, away);
    database.emplace(loop.get_executor(), std::move(store.driver));
    journal.emplace(loop.get_executor(), *database, domain);
    AccountEvents events;
    events.make_sink = [this](LiveAccount& live) { return std::make_unique<Reports>(accounts_here, live.id()); };
    events.state_changed = [this](LiveAccount& live) {
      if (live.is_online()) outbox->account_online(live);
    };
    events.removed = [](LiveAccount&) {};
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
  Store store{DatabaseKind::sqlite};
  base::SystemClock clock;
  HeldNetwork network{loop.get_executor()};
  Accounts* accounts_here = nullptr;
  std::vector<std::string> failures;
  std::optional<db::Database> database;
  std::optional<Journal> journal;
  std::optional<Accounts> accounts;
  std::optional<Outbox> outbox;
};

}  // namespace

TEST_CASE("What finds the memory full is sent later, and is never taken for what may have been sent") {
  OutboxLimits limits;
  limits.in_memory = 2;
  Fixture f(limits);
  for (const char* text : {"one", "two"}) f.send(1, "+1", text);
  f.until_committed();
  // It could go at once, for all that its own account shows.
  f.send(2, "+2", "three");
  f.until_committed();
  CHECK(f.outbox->waiting() == 2);
  f.network.release();
  f.until([&] { return f.network.sent.size() + f.failures.size() == 3; });
  CHECK(f.network.sent == std::multiset<std::string>{"one", "three", "two"});
  CHECK(f.failures.empty());
}

TEST_CASE("A deadline counts for those whose session is not up, too (give_up_after_seconds)") {
  OutboxLimits limits;
  limits.deadline = std::chrono::seconds(0);
  Fixture f(limits);
  f.send(3, "+1", "one");
  f.send(3, "+1", "two");
  f.send(3, "+2", "three");
  f.until_committed();
  CHECK(f.outbox->waiting() == 3);
  f.outbox->expire();
  f.until_committed();
  CHECK(f.failures.size() == 3);
  CHECK(f.outbox->waiting() == 0);
  f.outbox->expire();
  CHECK(f.failures.size() == 3);
}

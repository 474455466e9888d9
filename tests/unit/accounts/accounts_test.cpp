// Who keeps a session up, and what the user sees of it. With sessions that the test directs.
#include "gateway/accounts/accounts.hpp"

#include "gateway/base/within.hpp"
#include "gateway/store/ids.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/store/fixture.hpp"

#include <boost/asio/post.hpp>

#include <map>

using namespace wherry;
using namespace wherry::tests;
using namespace wherry::accounts;
using State = LiveAccount::State;

namespace {

constexpr const char* domain = "sms.example.net";

class Network final : public connector::Connector {
 public:
  explicit Network(asio::any_io_executor executor) : changed(executor) {}
  base::Signal changed;
  int opened = 0, ended = 0, runs = 0;
  std::string broken;        // what the sessions throw
  bool needs_login = false;  // they say so, and return
  bool is_slow_to_end = false;
  bool refuses_at_once = false;  // a login, before it is online
  int logins_let_in = 1000;      // how many sessions come online; the others wait

  std::chrono::seconds proof_of_life{0};
  int probes = 0;
  enum class Alive { yes, says_no, throws, silent } alive = Alive::yes;

  connector::Network describe() const override {
    connector::Network network;
    network.proof_of_life = proof_of_life;
    return network;
  }
  asio::awaitable<void> run() override { co_return; }
  asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant, connector::Dialogue&) override {
    co_return connector::Answers();
  }
  void know_account(const connector::Account& account, connector::EventSink& events) override {
    sinks_[account.id] = &events;
  }
  void forget_account(base::AccountId account) override { sinks_.erase(account); }
  std::unique_ptr<connector::Session> open(base::AccountId account) override {
    ++opened;
    return std::make_unique<Directed>(*this, *sinks_.at(account));
  }
  asio::awaitable<connector::Result<base::ContactId>> parse_contact(std::string typed, base::AccountId) const override {
    co_return base::ContactId{std::move(typed)};
  }

 private:
  class Directed final : public connector::Session {
   public:
    Directed(Network& network, connector::EventSink& events) : network_(network), events_(events) {}
    asio::awaitable<void> run() override {
      ++network_.runs;
      while (network_.logins_let_in == 0) co_await network_.changed.wait();
      --network_.logins_let_in;
      if (network_.refuses_at_once) {
        connector::Event refused = connector::AccountChanged{false, true, "The old password is wrong."};
        co_await events_.publish(std::move(refused));
        co_return;
      }
      connector::Event up = connector::AccountChanged{true, false, ""};
      co_await events_.publish(std::move(up));
      try {
        while (network_.broken.empty() && !network_.needs_login) co_await network_.changed.wait();
      } catch (const boost::system::system_error&) {
        if (!network_.is_slow_to_end) throw;
      }
      if (network_.is_slow_to_end) {  // as a connector that says goodbye to its network: it returns although it was
                                      // cancelled
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        while (network_.is_slow_to_end) co_await network_.changed.wait();
        ++network_.ended;
        co_return;
      }
      if (!network_.broken.empty()) throw std::runtime_error(network_.broken);
      connector::Event over = connector::AccountChanged{false, true, "The password is wrong."};
      co_await events_.publish(std::move(over));
    }
    asio::awaitable<connector::Result<connector::Receipt>> perform(connector::Action) override {
      co_return connector::Receipt();
    }
    connector::Capabilities capabilities(const base::ChatId&) const override { return {}; }
    asio::awaitable<connector::Result<void>> probe() override {
      ++network_.probes;
      while (network_.alive == Alive::silent) co_await network_.changed.wait();
      if (network_.alive == Alive::throws) throw std::runtime_error("The link broke.");
      if (network_.alive == Alive::says_no) co_return connector::Error{connector::Errc::unavailable, "Nobody there."};
      co_return base::ok();
    }

   private:
    Network& network_;
    connector::EventSink& events_;
  };
  std::map<base::AccountId, connector::EventSink*> sinks_;
};

struct Reports final : connector::EventSink {
  Reports(std::optional<Accounts>& a, base::AccountId i) : accounts(a), id(i) {}
  asio::awaitable<void> publish(connector::Event event, connector::Changes) override {
    if (const auto* change = std::get_if<connector::AccountChanged>(&event))
      accounts->report(*accounts->find(id), *change);
    co_return;
  }
  std::optional<Accounts>& accounts;
  base::AccountId id;
};

struct Fixture {
  explicit Fixture(store::AccountPolicy policy, int registered = 1, SessionLimits limits = {}, int logins_let_in = 1000,
                   std::chrono::seconds proof_of_life = {}) {
    network.logins_let_in = logins_let_in;
    network.proof_of_life = proof_of_life;
    store([&](db::Transaction& t) { return wherry::store::reserve_ids(t, registered).first; });
    for (int id = 1; id <= registered; ++id) {
      store::AccountRow row =
          tests::account(id, id == 1 ? "romeo@example.net" : "user" + std::to_string(id) + "@example.net", domain);
      row.policy = policy;
      insert(store, row);
    }
    database.emplace(loop.get_executor(), std::move(store.driver));
    AccountEvents events;
    events.make_sink = [this](LiveAccount& live) { return std::make_unique<Reports>(accounts, live.id()); };
    events.state_changed = [this](LiveAccount& live) { shown.emplace_back(live.state, live.trouble); };
    events.removed = [this](LiveAccount&, const std::vector<store::OutboxRow>&) { ++removed; };
    accounts.emplace(loop.get_executor(), *database, sealer(), domain, std::move(events), limits);
    run(loop, accounts->load(network));
    on_loop([&] { accounts->start(); });
  }
  ~Fixture() {
    network.is_slow_to_end = false;
    network.changed.notify();
    run(loop, accounts->stop());
  }

  LiveAccount& account() { return *accounts->find(base::AccountId{1}); }
  // What happens in a run happens on the loop.
  template <class Call>
  void on_loop(Call call) {
    bool done = false;
    asio::post(loop, [&] {
      call();
      done = true;
    });
    until([&] { return done; });
  }
  void come() { accounts->user_available(account(), jid("romeo@example.net/r"), {}); }
  void go() { accounts->user_unavailable(account(), jid("romeo@example.net/r")); }
  template <class Condition>
  void until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      if (loop.stopped()) loop.restart();  // for a moment there was nothing to wait for
      loop.run_one_for(std::chrono::milliseconds(100));
    }
    REQUIRE(condition());
  }

  asio::io_context loop;
  Store store{DatabaseKind::sqlite};
  Network network{loop.get_executor()};
  std::vector<std::pair<State, std::string>> shown;
  int removed = 0;
  std::optional<db::Database> database;
  std::optional<Accounts> accounts;
};

using Shown = std::vector<std::pair<State, std::string>>;

}  // namespace

TEST_CASE("A session follows its user, and each stay has a session of its own") {
  Fixture f(store::AccountPolicy::follow_presence);
  CHECK(f.network.opened == 0);
  for (int stay = 1; stay <= 3; ++stay) {
    f.come();
    f.until([&] { return f.account().is_online(); });
    f.go();
    f.until([&] { return f.account().state == State::offline; });
    CHECK(f.network.opened == stay);
    CHECK_FALSE(f.account().session);
  }
  for (const auto& [state, trouble] : f.shown) CHECK(trouble.empty());
}

TEST_CASE("Who goes and comes at once sees a new session and no trouble") {
  Fixture f(store::AccountPolicy::follow_presence);
  f.come();
  f.until([&] { return f.account().is_online(); });
  f.go();
  f.come();
  f.until([&] { return f.network.opened == 2 && f.account().is_online(); });
  CHECK(f.shown == Shown{{State::connecting, ""},
                         {State::online, ""},
                         {State::offline, ""},
                         {State::connecting, ""},
                         {State::online, ""}});
}

TEST_CASE("A session that takes its time to end is waited for, and is not taken for one that needs a new login") {
  Fixture f(store::AccountPolicy::follow_presence);
  f.network.is_slow_to_end = true;
  f.come();
  f.until([&] { return f.account().is_online(); });
  f.go();
  f.come();
  f.until([&] { return f.loop.poll() == 0; });
  CHECK(f.network.opened == 1);
  f.network.is_slow_to_end = false;
  f.network.changed.notify();
  f.until([&] { return f.network.opened == 2 && f.account().is_online(); });
  CHECK(f.network.ended == 1);
  for (const auto& [state, trouble] : f.shown) CHECK(state != State::needs_login);
}

TEST_CASE("A broken session shows its trouble and is tried again, the same one") {
  Fixture f(store::AccountPolicy::always_on);
  f.until([&] { return f.account().is_online(); });
  f.network.broken = "The link broke.";
  f.network.changed.notify();
  f.until([&] { return f.account().state == State::offline; });
  CHECK(f.account().trouble == "The link broke.");
  f.network.broken.clear();
  f.until([&] { return f.account().is_online(); });
  CHECK(f.network.opened == 1);
}

TEST_CASE(
    "A session that does not prove to be alive is shown offline, and another is opened (Network::proof_of_life)") {
  for (const auto dead : {Network::Alive::says_no, Network::Alive::throws, Network::Alive::silent}) {
    CAPTURE(static_cast<int>(dead));
    Fixture f(store::AccountPolicy::always_on, 1, {}, 1000, std::chrono::seconds(1));
    f.until([&] { return f.network.probes > 1; });
    CHECK(f.network.opened == 1);
    f.network.alive = dead;
    f.until([&] { return f.account().state == State::offline; });
    CHECK(f.account().trouble == "The network does not answer; the connection is being made again.");
    f.network.alive = Network::Alive::yes;
    f.until([&] { return f.account().is_online(); });
    CHECK(f.network.opened == 2);
    for (const auto& [state, trouble] : f.shown) CHECK(state != State::needs_login);
  }
}

TEST_CASE("A session that says goodbye when it does not prove to be alive needs no new login for that") {
  Fixture f(store::AccountPolicy::always_on, 1, {}, 1000, std::chrono::seconds(1));
  f.until([&] { return f.account().is_online(); });
  f.network.is_slow_to_end = true;
  f.network.alive = Network::Alive::says_no;
  f.until([&] { return f.account().state == State::offline; });
  f.network.alive = Network::Alive::yes;
  f.network.is_slow_to_end = false;
  f.network.changed.notify();
  f.until([&] { return f.account().is_online(); });
  for (const auto& [state, trouble] : f.shown) CHECK(state != State::needs_login);
}

TEST_CASE("Where the network names no time, no session is asked to prove that it is alive") {
  Fixture f(store::AccountPolicy::always_on);
  f.until([&] { return f.account().is_online(); });
  f.network.alive = Network::Alive::says_no;
  f.until([&] { return f.loop.poll() == 0; });
  CHECK(f.network.probes == 0);
  CHECK(f.account().is_online());
}

TEST_CASE("An account that needs a new login stays so until there is one") {
  Fixture f(store::AccountPolicy::always_on);
  f.until([&] { return f.account().is_online(); });
  f.network.needs_login = true;
  f.network.changed.notify();
  f.until([&] { return f.account().state == State::needs_login && !f.account().session; });
  CHECK(f.account().trouble == "The password is wrong.");
  f.on_loop([&] {
    f.go();
    f.come();
  });
  f.until([&] { return f.loop.poll() == 0; });
  CHECK(f.network.opened == 1);
  f.network.needs_login = false;
  run(f.loop, f.accounts->put(f.account().row));
  f.until([&] { return f.account().is_online(); });
  CHECK(f.network.opened == 2);
}

TEST_CASE("An account goes when its session has ended: up, in its pause, or away") {
  for (const std::string when : {"up", "pause", "away"}) {
    CAPTURE(when);
    Fixture f(store::AccountPolicy::always_on);
    f.until([&] { return f.account().is_online(); });
    if (when == "pause") f.network.broken = "The link broke.";
    f.network.needs_login = when == "away";
    f.network.changed.notify();
    f.until([&] { return f.account().is_online() == (when == "up"); });
    run(f.loop, f.accounts->remove(base::AccountId{1}));
    CHECK(f.removed == 1);
    CHECK(f.accounts->size() == 0);
  }
}

TEST_CASE("A session that refuses at once may be registered anew, and its user may leave") {
  Fixture f(store::AccountPolicy::follow_presence);
  f.network.needs_login = true;
  f.on_loop([&] { f.come(); });
  f.until([&] { return f.account().state == State::needs_login; });
  f.until([&] { return f.loop.poll() == 0; });
  f.network.needs_login = false;
  run(f.loop, f.accounts->put(f.account().row));
  f.until([&] { return f.account().is_online(); });
  f.on_loop([&] { f.go(); });
  f.until([&] { return f.account().state == State::offline; });
}

TEST_CASE("An account whose session refused at once can be removed") {
  Fixture f(store::AccountPolicy::follow_presence);
  f.network.needs_login = true;
  f.on_loop([&] { f.come(); });
  f.until([&] { return f.account().state == State::needs_login; });
  f.until([&] { return f.loop.poll() == 0; });
  run(f.loop, f.accounts->remove(base::AccountId{1}));
  CHECK(f.removed == 1);
  CHECK(f.accounts->size() == 0);
}

TEST_CASE("A removal that the store refuses leaves the account as it was, with its session up") {
  Fixture f(store::AccountPolicy::always_on);
  f.until([&] { return f.account().is_online(); });
  run(f.loop, f.database->transact([](db::Transaction& t) { t.execute("ALTER TABLE accounts RENAME TO hidden"); }));
  CHECK_THROWS(run(f.loop, f.accounts->remove(base::AccountId{1})));
  CHECK(f.account().standing == LiveAccount::Standing::registered);
  CHECK(f.account().is_online());
  CHECK(f.removed == 0);
}

TEST_CASE("A start with many accounts lets a few log in at once, the next when one is online") {
  SessionLimits limits;
  limits.logins_at_once = 3;
  limits.login_patience = std::chrono::hours(1);
  Fixture f(store::AccountPolicy::always_on, 12, limits, 0);
  f.until([&] { return f.loop.poll() == 0; });
  CHECK(f.network.opened == 3);
  f.network.logins_let_in = 2;
  f.network.changed.notify();
  f.until([&] { return f.network.opened == 5; });
  f.until([&] { return f.loop.poll() == 0; });
  CHECK(f.network.opened == 5);
  f.network.logins_let_in = 1000;
  f.network.changed.notify();
  f.until([&] { return f.network.opened == 12; });
}

TEST_CASE("A login that takes long makes room for the next") {
  SessionLimits limits;
  limits.logins_at_once = 3;
  limits.login_patience = std::chrono::milliseconds(0);
  Fixture f(store::AccountPolicy::always_on, 12, limits, 0);
  f.until([&] { return f.network.opened == 12; });
}

TEST_CASE("Who waits to log in and goes away leaves the turn to the next") {
  SessionLimits limits;
  limits.logins_at_once = 1;
  limits.login_patience = std::chrono::hours(1);
  Fixture f(store::AccountPolicy::follow_presence, 3, limits, 0);
  const auto user = [&](int id) -> LiveAccount& { return *f.accounts->find(base::AccountId{id}); };
  for (const int id : {1, 2, 3}) {
    f.on_loop([&] { f.accounts->user_available(user(id), jid(user(id).user().str() + "/r"), {}); });
  }
  f.until([&] { return f.network.opened == 1; });
  f.on_loop([&] { f.accounts->user_unavailable(user(2), user(2).user()); });
  f.network.logins_let_in = 2;
  f.network.changed.notify();
  f.until([&] { return user(1).is_online() && user(3).is_online(); });
  CHECK(f.network.opened == 2);
  CHECK(user(2).state == State::offline);
}

TEST_CASE("Two registrations of one user at once are one account, under the id that the store has") {
  Fixture f(store::AccountPolicy::always_on);
  base::TaskGroup tasks(f.loop.get_executor());
  const auto row = tests::account(0, "juliet@example.net", domain);
  for (int i = 0; i < 2; ++i) tasks.spawn("put", f.accounts->put(row));
  run(f.loop, tasks.join());
  CHECK(f.accounts->size() == 2);
  const base::AccountId id = f.accounts->find(jid("juliet@example.net"), "")->id();
  REQUIRE(f.accounts->find(id));
  auto read = [](db::Transaction& t) { return store::accounts_of(t, jid("juliet@example.net")); };
  std::vector<base::AccountId> stored;
  const auto fetch = [&]() -> asio::awaitable<void> { stored = co_await f.database->fetch(std::move(read)); };
  run(f.loop, fetch());
  CHECK(stored == std::vector<base::AccountId>{id});
}

TEST_CASE("Accounts of one user with different aliases are registered, found and removed each for itself") {
  Fixture f(store::AccountPolicy::always_on);
  const auto romeo = jid("romeo@example.net/orchard");
  auto work = tests::account(0, "romeo@example.net", domain);
  work.alias = "work";
  base::TaskGroup tasks(f.loop.get_executor());
  tasks.spawn("put", f.accounts->put(work));
  run(f.loop, tasks.join());
  LiveAccount* further = f.accounts->find(romeo, "work");
  REQUIRE(further);
  CHECK(further->id() != base::AccountId{1});
  CHECK(f.accounts->find(romeo, "") == &f.account());
  CHECK_FALSE(f.accounts->find(romeo, "home"));
  CHECK(f.accounts->of(romeo) == std::vector<base::AccountId>{{1}, further->id()});
  f.until([&] { return further->is_online(); });

  tasks.spawn("remove", f.accounts->remove(base::AccountId{1}));
  run(f.loop, tasks.join());
  CHECK_FALSE(f.accounts->find(romeo, ""));
  CHECK(f.accounts->find(romeo, "work") == further);
  CHECK(further->is_online());
  tasks.spawn("remove", f.accounts->remove(further->id()));
  run(f.loop, tasks.join());
  CHECK(f.accounts->of(romeo).empty());
}

TEST_CASE("A registration waits for the removal of that account, and not for that of another of the same user") {
  Fixture f(store::AccountPolicy::always_on);
  f.until([&] { return f.account().is_online(); });
  f.network.is_slow_to_end = true;
  base::TaskGroup tasks(f.loop.get_executor());
  tasks.spawn("remove", f.accounts->remove(base::AccountId{1}));
  f.until([&] { return f.account().is_removed(); });
  auto work = tests::account(0, "romeo@example.net", domain);
  work.alias = "work";
  tasks.spawn("put", f.accounts->put(work));
  f.until([&] { return f.accounts->find(jid("romeo@example.net"), "work") != nullptr; });
  CHECK(f.account().is_removed());
  f.network.is_slow_to_end = false;
  f.network.changed.notify();
  run(f.loop, tasks.join());
}

TEST_CASE("A registration while the account is being removed is a new account") {
  Fixture f(store::AccountPolicy::always_on);
  f.until([&] { return f.account().is_online(); });
  f.network.is_slow_to_end = true;
  base::TaskGroup tasks(f.loop.get_executor());
  tasks.spawn("remove", f.accounts->remove(base::AccountId{1}));
  f.until([&] { return f.account().is_removed(); });
  const auto row = tests::account(0, "romeo@example.net", domain);
  tasks.spawn("put", f.accounts->put(row));
  f.until([&] { return f.loop.poll() == 0; });
  f.network.is_slow_to_end = false;
  f.network.changed.notify();
  run(f.loop, tasks.join());
  LiveAccount* account = f.accounts->find(jid("romeo@example.net"), "");
  REQUIRE(account);
  CHECK(account->id() != base::AccountId{1});
  f.until([&] { return account->is_online(); });
}

TEST_CASE("Whether an account stays is known when its removal has been written or refused") {
  for (const bool fails : {false, true}) {
    CAPTURE(fails);
    Fixture f(store::AccountPolicy::always_on);
    f.until([&] { return f.account().is_online(); });
    if (fails)
      run(f.loop, f.database->transact([](db::Transaction& t) { t.execute("ALTER TABLE accounts RENAME TO hidden"); }));
    base::TaskGroup tasks(f.loop.get_executor());
    tasks.spawn("remove", f.accounts->remove(base::AccountId{1}));
    f.until([&] { return f.account().standing == LiveAccount::Standing::leaving; });
    run(f.loop, f.accounts->until_settled(base::AccountId{1}));
    const LiveAccount* account = f.accounts->find(base::AccountId{1});
    CHECK((account && account->standing == LiveAccount::Standing::registered) == fails);
    run(f.loop, tasks.join());
  }
}

TEST_CASE("Late word of a session that has ended is not believed") {
  Fixture f(store::AccountPolicy::follow_presence);
  f.on_loop([&] { f.accounts->report(f.account(), {true, false, ""}); });
  CHECK(f.account().state == State::offline);
}

TEST_CASE("Nothing that a session says when it has ended is believed, nor that it needs a new login") {
  Fixture f(store::AccountPolicy::follow_presence);
  f.on_loop([&] { f.accounts->report(f.account(), {false, true, "The password is wrong."}); });
  CHECK(f.account().state == State::offline);
  f.on_loop([&] { f.come(); });
  f.until([&] { return f.account().is_online(); });
  f.network.is_slow_to_end = true;
  f.on_loop([&] { f.go(); });
  f.on_loop([&] { f.accounts->report(f.account(), {false, true, "The password is wrong."}); });
  f.on_loop([&] { f.come(); });
  f.network.is_slow_to_end = false;
  f.network.changed.notify();
  f.until([&] { return f.network.opened == 2 && f.account().is_online(); });
  for (const auto& [state, trouble] : f.shown) CHECK(state != State::needs_login);
}

TEST_CASE(
    "A login that began with what was registered before, and is refused, says nothing of what is registered now") {
  Fixture f(store::AccountPolicy::always_on, 1, {}, 0);
  f.until([&] { return f.network.runs == 1; });
  run(f.loop, f.accounts->put(f.account().row));
  f.network.refuses_at_once = true;
  f.network.logins_let_in = 1;
  f.network.changed.notify();
  f.until([&] { return f.network.logins_let_in == 0; });
  f.network.refuses_at_once = false;
  f.network.logins_let_in = 1000;
  f.network.changed.notify();
  f.until([&] { return f.account().is_online(); });
  for (const auto& [state, trouble] : f.shown) CHECK(state != State::needs_login);
}

TEST_CASE("Who goes and comes does not make a network that fails be tried more often") {
  SessionLimits limits;
  limits.backoff = {std::chrono::hours(1), std::chrono::hours(1), 0.2};
  for (const bool fails_at_login : {false, true}) {
    CAPTURE(fails_at_login);
    Fixture f(store::AccountPolicy::follow_presence, 1, limits, fails_at_login ? 0 : 1000);
    if (!fails_at_login) f.network.broken = "The network refuses.";
    f.on_loop([&] { f.come(); });
    f.until([&] { return f.network.runs == 1; });
    f.until([&] { return f.account().state == (fails_at_login ? State::connecting : State::offline); });
    for (int i = 0; i < 5; ++i) {
      f.on_loop([&] { f.go(); });
      f.until([&] { return f.loop.poll() == 0; });
      f.on_loop([&] { f.come(); });
      f.until([&] { return f.loop.poll() == 0; });
      f.on_loop([&] {
        f.go();
        f.come();
      });
      f.until([&] { return f.loop.poll() == 0; });
    }
    CHECK(f.network.runs == 1);
    if (!fails_at_login) CHECK(f.account().trouble == "The network refuses.");
    f.network.broken.clear();
    f.network.logins_let_in = 1000;
    f.network.changed.notify();
    run(f.loop, f.accounts->put(f.account().row));
    f.until([&] { return f.account().is_online(); });
  }
}

TEST_CASE("Who goes from a session that works and comes again is logged in at once") {
  SessionLimits limits;
  limits.backoff = {std::chrono::hours(1), std::chrono::hours(1), 0.2};
  Fixture f(store::AccountPolicy::follow_presence, 1, limits);
  for (int stay = 1; stay <= 3; ++stay) {
    f.on_loop([&] { f.come(); });
    f.until([&] { return f.account().is_online(); });
    f.on_loop([&] { f.go(); });
    f.until([&] { return f.account().state == State::offline; });
    CHECK(f.network.opened == stay);
  }
}

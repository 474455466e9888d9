// The outbox and what it works with, over a real store and a network that the test holds still.
#pragma once

#include "gateway/queues/outbox.hpp"
#include "gateway/store/connector_storage.hpp"

#include "gateway/base/within.hpp"
#include "gateway/connector/action_codec.hpp"
#include "tests/support/dial.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/refusing_driver.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/store/fixture.hpp"

#include <map>
#include <set>

namespace wherry::tests {

using namespace accounts;
using namespace convert;
using namespace queues;

inline constexpr const char* domain = "sms.example.net";

// Without an id of its stanza: nothing of it is a repeat.
inline Origin by_somebody() {
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
  std::vector<std::string> sent;      // in order
  std::vector<std::string> keys;      // of them
  std::set<std::string> unreachable;  // texts whose next attempt finds the network away
  std::function<void()> on_sent = [] {};

  connector::Idempotency of_network = connector::Idempotency::none;
  std::map<base::AccountId, connector::Idempotency> of_account;  // where an account differs
  std::string name_of_sent;                 // the network's own id of what it takes; empty: it names nothing
  std::vector<std::string> names_of_parts;  // of the parts beyond the first
  connector::Capabilities can;
  std::vector<std::string> done;           // what was asked beside messages, as JSON
  std::optional<connector::Error> answer;  // instead of taking what is sent
  connector::Changes changes;              // to its storage, with each receipt
  bool throws = false;
  int performing = 0;  // begun, so far

  connector::Network describe() const override {
    connector::Network network;
    network.idempotency = of_network;
    network.reports_delivery = true;
    return network;
  }
  asio::awaitable<void> run() override { co_return; }
  asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant, connector::Dialogue&) override {
    co_return connector::Answers();
  }
  connector::Idempotency idempotency(const connector::Account& account) const override {
    const auto found = of_account.find(account.id);
    return found == of_account.end() ? of_network : found->second;
  }
  void know_account(const connector::Account& account, connector::EventSink& events) override {
    sinks_[account.id] = &events;
  }
  void forget_account(base::AccountId account) override { sinks_.erase(account); }
  std::unique_ptr<connector::Session> open(base::AccountId account) override {
    return std::make_unique<Held>(*this, *sinks_.at(account));
  }
  asio::awaitable<connector::Result<base::ContactId>> parse_contact(std::string typed, base::AccountId) const override {
    co_return base::ContactId{std::move(typed)};
  }

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
      if (!std::holds_alternative<connector::SendMessage>(action)) {
        network_.done.push_back(connector::to_text(action));
        co_return connector::Receipt();
      }
      const std::string& text = std::get<connector::SendMessage>(action).content.text;
      if (network_.answer) co_return *network_.answer;
      if (network_.unreachable.erase(text) > 0) co_return connector::Error{connector::Errc::unavailable, "away"};
      network_.sent.push_back(text);
      network_.keys.push_back(std::get<connector::SendMessage>(action).key);
      network_.on_sent();
      connector::Receipt receipt;
      if (!network_.name_of_sent.empty()) receipt.ids.push_back(connector::MessageId{network_.name_of_sent});
      for (const std::string& name : network_.names_of_parts) receipt.ids.push_back(connector::MessageId{name});
      receipt.changes = network_.changes;
      co_return receipt;
    }
    connector::Capabilities capabilities(const base::ChatId&) const override { return network_.can; }

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
  asio::awaitable<void> publish(connector::Event event, connector::Changes) override {
    if (const auto* change = std::get_if<connector::AccountChanged>(&event))
      accounts->report(*accounts->find(id), *change);
    co_return;
  }
  Accounts*& accounts;
  base::AccountId id;
};

struct OutboxWorld {
  explicit OutboxWorld(
      OutboxLimits limits, DatabaseKind kind = DatabaseKind::sqlite, const std::vector<store::OutboxRow>& left = {},
      connector::Idempotency idempotency = connector::Idempotency::none,
      const db::Database::Closure& prepare = [](db::Transaction&) {})
      : store(kind) {
    clock.time = base::SystemClock().now();
    network.of_network = idempotency;
    for (std::int64_t id : {1, 2}) insert(store, account(id, "user" + std::to_string(id) + "@example.net", domain));
    store::AccountRow away = account(3, "user3@example.net", domain);
    away.policy = store::AccountPolicy::follow_presence;
    insert(store, away);
    store([&](db::Transaction& t) {
      store::insert_outbox(t, left);
      prepare(t);
    });
    database.emplace(loop.get_executor(), std::make_unique<Refusing>(std::move(store.driver), refusals));
    journal.emplace(loop.get_executor(), *database, domain);
    AccountEvents events;
    events.make_sink = [this](LiveAccount& live) { return std::make_unique<Sayings>(accounts_here, live.id()); };
    events.state_changed = [this](LiveAccount& live) {
      if (live.is_online()) outbox->account_online(live);
    };
    events.removed = [this](LiveAccount& live, const std::vector<store::OutboxRow>& unsent) {
      outbox->account_removed(live.id(), unsent);
    };
    accounts.emplace(loop.get_executor(), *database, sealer(), domain, std::move(events));
    accounts_here = &*accounts;
    xmpp::ComponentConfig config{.host = "127.0.0.1",
                                 .port = 1,
                                 .domain = jid(domain),
                                 .server = jid("example.net"),
                                 .secret = base::Secret("secret")};
    // never up: the inbox keeps what it is given
    link.emplace(loop.get_executor(), std::move(config), tests::dial, xmpp::ComponentEvents());
    underway.emplace(loop.get_executor());
    messages.emplace(loop.get_executor(), *journal, *database, *underway, keys);
    inbox.emplace(loop.get_executor(), *journal, *database, *accounts, *link, *messages, keys, clock, domain,
                  InboxLimits{},
                  [](const LiveAccount*, const Delivery&, const std::string&) { return std::vector<xmpp::Element>(); });
    repeats.emplace(*journal);
    reports.emplace(*journal, *database, *inbox, *repeats, *messages, *underway, keys);
    outbox.emplace(
        loop.get_executor(), *journal, *database, *accounts, *reports, *repeats, *messages, keys, clock, domain, limits,
        [this](base::AccountId, const Origin&, const base::Error& error) { not_stored.push_back(error.text); });
    run(loop, start());
    until([this] {
      return accounts->find(base::AccountId{1})->is_online() && accounts->find(base::AccountId{2})->is_online();
    });
  }
  ~OutboxWorld() {
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
    co_await journal->commit_all();
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
    origin.wants_receipt = true;
    REQUIRE(put(from, std::move(message), std::move(origin)).has_value());
  }
  base::Result<void> put(std::int64_t from, connector::Action action, Origin origin) {
    std::string chat = base::to_string(*connector::chat_of(action));
    Envelope envelope{std::move(chat), std::move(action), std::move(origin)};
    return outbox->put(*accounts->find(base::AccountId{from}), std::move(envelope));
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
  // Of the first row that waits.
  std::string first_key() {
    std::int64_t id = 0;
    db::Database::Closure read = [&](db::Transaction& t) { id = store::read_outbox(t, domain, 0, 1).at(0).id; };
    run(loop, database->transact(std::move(read)));
    return keys.of(id);
  }
  // Receipts and failures.
  std::vector<std::string> told() {
    until_committed();
    std::vector<std::string> texts;
    db::Database::Closure read = [&](db::Transaction& t) {
      texts.clear();
      for (const db::Row& row : t.query("SELECT payload FROM inbox ORDER BY id")) {
        const auto delivery = *parse_delivery(row.text(0));
        const auto* failed = std::get_if<SendFailed>(&delivery);
        texts.push_back(failed ? failed->text : "delivered");
      }
    };
    run(loop, database->transact(std::move(read)));
    return texts;
  }
  // The network says what became of a message. Returns when the network may forget it.
  void report(std::int64_t account, std::string id, connector::Stage stage, std::string text = "",
              connector::Changes changes = {}) {
    connector::MessageProgressed progress{base::MessageId{std::move(id)}, stage, std::move(text)};
    run(loop, reports->publish(base::AccountId{account}, std::move(progress), std::move(changes)));
  }
  // What the connector's storage holds: "key=value key=value …".
  std::string memory() {
    until_committed();
    std::string found;
    db::Database::Closure read = [&](db::Transaction& t) {
      found.clear();
      for (const auto& entry : store::read_entries(t, domain, "", "", 1000))
        found += (found.empty() ? "" : " ") + entry.key + "=" + entry.value;
    };
    run(loop, database->transact(std::move(read)));
    return found;
  }
  // What the store has now, for the store of another run: the process was killed here.
  db::Database::Closure killed() {
    auto sent = std::make_shared<std::vector<store::OutboxRow>>();
    auto rows = std::make_shared<std::vector<std::vector<db::Value>>>();
    db::Database::Closure read = [sent, rows](db::Transaction& t) {
      *sent = store::read_outbox(t, domain, 0, 1000);
      rows->clear();
      for (const db::Row& row : t.query("SELECT id, account, network_hash, network_id, origin, chat, stage, created, "
                                        "kind, part, parts FROM messages")) {
        rows->push_back({row.integer(0),
                         row.integer(1),
                         {},
                         row.text(3),
                         row.text(4),
                         row.text(5),
                         {},
                         row.integer(7),
                         row.integer(8),
                         row.integer(9),
                         row.integer(10)});
        if (!row.is_null(2)) rows->back()[2] = row.integer(2);
        if (!row.is_null(6)) rows->back()[6] = row.integer(6);
      }
    };
    run(loop, database->transact(std::move(read)));
    return [sent, rows](db::Transaction& t) {
      t.execute("UPDATE counters SET value = 1000000 WHERE name = 'ids'");
      store::insert_outbox(t, *sent);
      for (const auto& values : *rows) {
        t.execute(
            "INSERT INTO messages (id, account, network_hash, network_id, origin, chat, stage, created, kind, part, "
            "parts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            std::span<const db::Value>(values));
      }
    };
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
    while (!condition() && std::chrono::steady_clock::now() < deadline)
      loop.run_one_for(std::chrono::milliseconds(100));
    REQUIRE(condition());
  }
  void until_committed() { run(loop, journal->commit_all()); }

  asio::io_context loop;
  base::TaskGroup tasks{loop.get_executor()};
  Store store;
  std::shared_ptr<int> refusals = std::make_shared<int>(0);  // statements that the store is to refuse
  FakeClock clock;                                           // of the time of day; the waits go by a real one
  HeldNetwork network{loop.get_executor()};
  Accounts* accounts_here = nullptr;
  bool stopped = false;
  std::vector<std::string> not_stored;
  Keys keys{"key", {{"run", 1000}}};
  std::optional<db::Database> database;
  std::optional<Journal> journal;
  std::optional<Accounts> accounts;
  std::optional<xmpp::Component> link;
  std::optional<SendsUnderway> underway;
  std::optional<Messages> messages;
  std::optional<Inbox> inbox;
  std::optional<Repeats> repeats;
  std::optional<Reports> reports;
  std::optional<Outbox> outbox;
};

inline std::vector<std::string> numbered(std::string_view to, int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) texts.push_back(std::string(to) + " " + std::to_string(i));
  return texts;
}

inline OutboxLimits little_memory() {
  OutboxLimits limits;
  limits.in_memory = 4;
  return limits;
}

// A row as an earlier run left it.
inline store::OutboxRow left(std::int64_t id, std::string text, store::OutboxState state = store::OutboxState::queued) {
  connector::SendMessage message;
  message.chat = base::ContactId{"+1"};
  message.key = "key-" + std::to_string(id);
  message.content.text = std::move(text);
  return {id, {1}, "c:+1",   to_text(by_somebody()), connector::to_text(connector::Action(std::move(message))), state,
          0,  0,   1LL << 50};
}

}  // namespace wherry::tests

// One whole transport with all features, over a real store, a network and an XMPP server that do what the test says.
#pragma once

#include "gateway/base/within.hpp"
#include "gateway/features/features.hpp"
#include "gateway/store/ids.hpp"
#include "tests/support/component_server.hpp"
#include "tests/support/dial.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/store/fixture.hpp"

#include <boost/asio/post.hpp>

#include <map>

namespace wherry::tests {

// Its sessions come online at once.
class PlayedNetwork final : public connector::Connector {
 public:
  explicit PlayedNetwork(asio::any_io_executor executor) : tasks(executor), ended(executor) {}

  base::TaskGroup tasks;         // what it publishes
  mutable base::Signal ended;    // nobody notifies it: sessions wait here
  bool holds_verdict = false;    // logins have been asked everything, and stay without an end
  bool holds_questions = false;  // look-ups and logins stay without an answer
  mutable int look_ups = 0;
  int logins = 0;
  std::vector<connector::Form> questions;   // of a login, one after the other
  std::vector<connector::Answers> answers;  // to them
  std::vector<connector::Action> performed;
  connector::Network network;
  std::map<base::AccountId, connector::EventSink*> sinks;
  std::vector<connector::Event> at_once;  // published as soon as an account is known
  bool comes_online = true, is_slow_to_end = false;

  void publish(base::AccountId account, connector::Event event) {
    tasks.spawn("publish", sinks.at(account)->publish(std::move(event)));
  }

  connector::Network describe() const override { return network; }
  asio::awaitable<void> run() override { co_return; }
  asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant,
                                                                connector::Dialogue& user) override {
    ++logins;
    if (holds_questions) co_await ended.wait();
    connector::Answers credentials;
    for (std::size_t i = 0; i < questions.size(); ++i) {
      connector::Form question = questions[i];
      const auto given = co_await user.ask(std::move(question));
      if (!given) co_return given.error();
      answers.push_back(*given);
      credentials.insert(given->begin(), given->end());
    }
    if (holds_verdict) co_await ended.wait();
    co_return credentials;
  }
  void know_account(const connector::Account& account, connector::EventSink& events) override {
    sinks[account.id] = &events;
    for (const connector::Event& event : at_once) publish(account.id, event);
  }
  void forget_account(base::AccountId account) override { sinks.erase(account); }
  std::unique_ptr<connector::Session> open(base::AccountId account) override {
    return std::make_unique<Session>(*this, *sinks.at(account));
  }
  asio::awaitable<connector::Result<base::ContactId>> parse_contact(std::string typed, base::AccountId) const override {
    ++look_ups;
    if (holds_questions) co_await ended.wait();
    co_return base::ContactId{std::move(typed)};
  }

 private:
  struct Session final : connector::Session {
    Session(PlayedNetwork& n, connector::EventSink& e) : network(n), events(e) {}
    asio::awaitable<void> run() override {
      connector::Event up = connector::AccountChanged{network.comes_online, false, ""};
      co_await events.publish(std::move(up));
      if (network.is_slow_to_end) co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
      do co_await network.ended.wait();
      while (network.is_slow_to_end);
    }
    asio::awaitable<connector::Result<connector::Receipt>> perform(connector::Action action) override {
      network.performed.push_back(std::move(action));
      co_return connector::Receipt();
    }
    connector::Capabilities capabilities(const base::ChatId&) const override { return {}; }
    PlayedNetwork& network;
    connector::EventSink& events;
  };
};

struct TransportWorld {
  static constexpr const char* domain = "sms.test";

  // Accounts u1@x.test, u2@x.test and so on, each with contacts c1, c2 … that it sees.
  void register_users(int users, int contacts_of_each) {
    store([&](db::Transaction& t) {
      wherry::store::reserve_ids(t, users);
      for (int user = 1; user <= users; ++user) {
        const base::AccountId id{user};
        wherry::store::AccountRow registered = account(user, "u" + std::to_string(user) + "@x.test", domain);
        registered.policy = policy;
        wherry::store::insert_account(t, registered, sealer());
        for (int contact = 1; contact <= contacts_of_each; ++contact) {
          wherry::store::ContactRow row;
          row.contact = base::ContactId{"c" + std::to_string(contact)};
          row.user_sees = true;
          wherry::store::put_contact(t, id, row);
        }
      }
    });
  }
  void start() {
    database.emplace(loop.get_executor(), std::move(store.driver));
    transport::TransportConfig config{.link = {.host = "127.0.0.1",
                                               .port = server.port(),
                                               .domain = jid(domain),
                                               .server = jid("x.test"),
                                               .secret = base::Secret("secret")},
                                      .name = {},
                                      .registration = registration,
                                      .outbox = outbox,
                                      .inbox = {}};
    config.device_patience = device_patience;
    config.dialogues = dialogues;
    config.link.idle_before_ping = std::chrono::seconds(1);  // `came` is complete up to a ping
    journal.emplace(loop.get_executor(), *database, domain);
    transport::TransportServices services{loop.get_executor(), *database, sealer(), clock, tests::dial, keys, *journal};
    transport.emplace(std::move(config), services, std::move(owned_network));
    features::install_all(*transport);
    run(loop, transport->start());
    run(loop, server.accept());
    serving.spawn("server", serve());
    until([&] { return transport->link().is_connected(); });
  }
  // The link is cut, and comes up again.
  void reconnect() {
    server.cut();
    run(loop, serving.join());
    run(loop, server.accept());
    serving.spawn("server", serve());
    until([&] { return transport->link().is_connected(); });
  }
  ~TransportWorld() {
    if (!transport) return;
    answers_pings = true;
    pings_answered.notify();
    run(loop, transport->stop());
    serving.cancel();
    network.tasks.cancel();
    run(loop, serving.join());
    run(loop, network.tasks.join());
    run(loop, settle());
    transport.reset();
  }

  asio::awaitable<void> serve() {
    std::string unanswered;  // from the last ping on
    for (;;) {
      std::string more;
      try {
        more = co_await server.some();
      } catch (const boost::system::system_error&) {
        server.cut();
        throw;
      }
      came += more;
      unanswered += more;
      while (const auto id = take_ping(unanswered)) {
        ping_waits = !answers_pings;
        while (!answers_pings) co_await pings_answered.wait();
        ping_waits = false;
        co_await server.answer(*id);
      }
    }
  }
  // The id of the first ping in it, which is cut off with what stands before.
  static std::optional<std::string> take_ping(std::string& text) {
    constexpr std::string_view ping = "<ping xmlns=";
    const std::size_t at = text.find(ping);
    if (at == std::string::npos) {
      constexpr std::size_t most_of_a_ping = 1024;  // it may come in pieces
      text.erase(0, text.size() - std::min(text.size(), most_of_a_ping));
      return std::nullopt;
    }
    const std::size_t begin = text.rfind("id=", at) + 4;
    std::string id = text.substr(begin, text.find_first_of("'\"", begin) - begin);
    text.erase(0, at + ping.size());
    return id;
  }
  asio::awaitable<void> settle() {
    for (int i = 0; i < 3; ++i) {
      db::Database::Closure nothing = [](db::Transaction&) {};
      co_await database->transact(std::move(nothing));
    }
  }
  void receive(std::string text) { run(loop, server.write(std::move(text))); }
  // What the gateway has received so far has had its consequences, as far as they need nobody else.
  void settle_stanzas() {
    for (int round = 0; round < 2; ++round) {
      const std::string id = "settled-" + std::to_string(++settled);
      receive("<iq type='get' from='nobody@x.test/r' to='sms.test' id='" + id + "'><ping xmlns='urn:xmpp:ping'/></iq>");
      until([&] { return has_come(id); });
    }
  }
  accounts::LiveAccount* find(int user, std::string_view alias = "") {
    return transport->accounts().find(jid("u" + std::to_string(user) + "@x.test"), alias);
  }
  template <class Condition>
  void until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      if (loop.stopped()) loop.restart();
      loop.run_one_for(std::chrono::milliseconds(100));
    }
    REQUIRE(condition());
  }
  bool has_come(std::string_view text) const { return came.find(text) != std::string::npos; }
  // Nor is it among the consequences of what the gateway has received so far.
  bool stays_away(std::string_view text) {
    if (transport->link().is_connected()) settle_stanzas();
    return !has_come(text);
  }
  template <class Read>
  auto stored(Read read) {
    std::optional<decltype(read(std::declval<db::Transaction&>()))> result;
    run(loop, fetch(std::move(read), result));
    return std::move(*result);
  }
  template <class Read, class Result>
  asio::awaitable<void> fetch(Read read, std::optional<Result>& result) {
    result = co_await database->fetch(std::move(read));
  }
  static connector::MessageReceived message(std::string id, std::string text) {
    connector::MessageReceived message;
    message.chat = message.sender = base::ContactId{"c1"};
    message.id = base::MessageId{std::move(id)};
    message.content.text = std::move(text);
    return message;
  }

  asio::io_context loop;
  Store store{DatabaseKind::sqlite};
  FakeClock clock;
  queues::Keys keys{"store", {{"run", 0}}};
  ComponentServer server{loop};
  std::unique_ptr<PlayedNetwork> owned_network = std::make_unique<PlayedNetwork>(loop.get_executor());
  PlayedNetwork& network = *owned_network;
  base::TaskGroup serving{loop.get_executor()};
  base::Signal pings_answered{loop.get_executor()};
  bool answers_pings = true;
  int settled = 0;
  bool ping_waits = false;  // for an answer
  std::string came;         // to the server
  transport::RegistrationPolicy registration;
  queues::OutboxLimits outbox;
  accounts::DialogueLimits dialogues;
  std::chrono::milliseconds device_patience{60'000};
  wherry::store::AccountPolicy policy = wherry::store::AccountPolicy::always_on;
  std::optional<db::Database> database;
  std::optional<queues::Journal> journal;
  std::optional<transport::Transport> transport;
};

}  // namespace wherry::tests

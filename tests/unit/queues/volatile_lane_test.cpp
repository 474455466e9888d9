// What may be dropped, both ways. The decisions are tested in steps; the lane over a link whose server does what the
// test says.
#include "gateway/queues/volatile_lane.hpp"

#include "tests/support/component_server.hpp"
#include "tests/support/dial.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/store/fixture.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

using namespace wherry;
using namespace wherry::tests;
using namespace wherry::queues;
using namespace std::chrono_literals;
using base::AccountId;
using base::ContactId;
using connector::Availability;

namespace {

constexpr AccountId romeo{1}, juliet{2};
constexpr NetworkNews::Time start{1h};
const ContactId a{"a"}, b{"b"}, c{"c"};

// Accounts with these contacts; a stanza's status counts how often one was made.
struct Source final : NewsSource {
  bool is_away(AccountId account) const override { return away.contains(account); }
  std::optional<ContactId> contact_after(AccountId account, const std::optional<ContactId>& previous) const override {
    const auto found = contacts.find(account);
    if (found == contacts.end()) return std::nullopt;
    const auto next = previous ? found->second.upper_bound(*previous) : found->second.begin();
    return next == found->second.end() ? std::nullopt : std::optional(*next);
  }
  std::vector<xmpp::Element> stanzas_for(const News& news) override {
    ++made;
    const std::string from = (news.of ? news.of->value + "@" : std::string()) + "sms.test";
    xmpp::Element stanza = xmpp::make_stanza(xmpp::Kind::presence, jid(from),
                                             jid("u" + std::to_string(news.account.value) + "@x.test"), "", "");
    stanza.add_text_child("status", status);
    return std::vector<xmpp::Element>{std::move(stanza)};
  }
  std::map<AccountId, std::set<ContactId>> contacts;
  std::set<AccountId> away;
  std::string status = "first";
  int made = 0;
};

// All that is left, in order: "1 a", "1 -" for the gateway; typing and marks are named.
std::vector<std::string> rest(UserNews& news, const Source& source) {
  std::vector<std::string> all;
  while (const auto next = news.next(source)) {
    std::string text = std::to_string(next->account.value) + " " + (next->of ? next->of->value : "-");
    if (next->kind == NewsKind::typing) text += " typing";
    if (next->kind == NewsKind::marks) text += " marks";
    all.push_back(std::move(text));
  }
  return all;
}
using Texts = std::vector<std::string>;

connector::SetPresence set(Availability availability, std::optional<ContactId> to = std::nullopt) {
  connector::SetPresence presence;
  presence.to = std::move(to);
  presence.availability = availability;
  return presence;
}
void put(NetworkNews& news, Availability availability, std::optional<ContactId> to = std::nullopt,
         AccountId account = romeo) {
  news.put(account, NewsKind::presence, to, set(availability, to));
}
// What is performed now, one after the other, each with success: "dnd", "away a".
Texts perform_all(NetworkNews& news) {
  Texts performed;
  while (const auto account = news.begin(start)) {
    if (const auto action = news.take(*account)) {
      const auto& presence = std::get<connector::SetPresence>(*action);
      std::string text = presence.availability == Availability::do_not_disturb ? "dnd"
                         : presence.availability == Availability::away         ? "away"
                                                                               : "online";
      if (presence.to) text += " " + presence.to->value;
      performed.push_back(std::move(text));
    }
    news.end(*account, true);
  }
  return performed;
}

}  // namespace

TEST_CASE("News of one contact and kind is told once, however often it came, and each kind for itself") {
  UserNews news;
  Source source;
  for (int i = 0; i < 3; ++i) news.put(romeo, a, NewsKind::presence);
  news.put(romeo, a, NewsKind::typing);
  news.put(romeo, std::nullopt, NewsKind::presence);
  news.put(romeo, b, NewsKind::marks);
  CHECK(rest(news, source) == Texts{"1 a typing", "1 a", "1 -", "1 b marks"});
  CHECK(news.empty());
}

TEST_CASE("All of an account is one entry, taken apart when its turn comes") {
  UserNews news;
  Source source;
  for (std::int64_t id = 1; id <= 10000; ++id) news.put_all(AccountId{id});
  CHECK(news.keys() == 10000);
  source.contacts[romeo] = {a, b, c};
  news.put(romeo, b, NewsKind::presence);  // comes anyway
  CHECK(news.keys() == 10000);
  for (std::int64_t id = 2; id <= 10000; ++id) source.away.insert(AccountId{id});
  CHECK(rest(news, source) == Texts{"1 -", "1 a", "1 b", "1 c"});
}

TEST_CASE("What changes while all is being taken apart is told again only where it was passed") {
  UserNews news;
  Source source;
  source.contacts[romeo] = {a, b, c};
  news.put_all(romeo);
  CHECK(news.next(source) == News{romeo, std::nullopt, NewsKind::presence});
  CHECK(news.next(source) == News{romeo, a, NewsKind::presence});
  news.put(romeo, c, NewsKind::presence);
  CHECK(news.keys() == 1);
  news.put(romeo, a, NewsKind::presence);
  CHECK(rest(news, source) == Texts{"1 a", "1 b", "1 c"});
  news.put_all(romeo);
  CHECK(news.next(source));
  CHECK(news.next(source));
  news.put_all(romeo);  // the session has flapped: from the beginning
  CHECK(rest(news, source) == Texts{"1 -", "1 a", "1 b", "1 c"});
}

TEST_CASE("Nothing is made for a user who is away when their turn comes") {
  UserNews news;
  Source source;
  source.contacts[romeo] = source.contacts[juliet] = {a};
  news.put_all(romeo);
  news.put_all(juliet);
  source.away = {romeo};
  CHECK(rest(news, source) == Texts{"2 -", "2 a"});
  source.away.clear();
  CHECK(!news.next(source));  // and it is not kept: who comes is told anew
}

TEST_CASE("An account with much news gives place to others after a few stanzas") {
  UserNews news;
  Source source;
  for (char name = 'a'; name <= 'z'; ++name) source.contacts[romeo].insert(ContactId{std::string(1, name)});
  news.put_all(romeo);
  news.put(juliet, a, NewsKind::presence);
  const Texts all = rest(news, source);
  CHECK(all.size() == 28);
  CHECK(all[UserNews::most_in_a_row] == "2 a");
}

TEST_CASE("An account's keys are bounded: more presence is all of it, more of other kinds is dropped") {
  UserNews news;
  Source source;
  for (int i = 0; i < 1000; ++i) {
    const ContactId contact{"c" + std::to_string(i)};
    source.contacts[romeo].insert(contact);
    news.put(romeo, contact, NewsKind::typing);
    CHECK(news.keys() <= UserNews::most_keys);
  }
  CHECK(rest(news, source).size() == UserNews::most_keys);
  for (const ContactId& contact : source.contacts[romeo]) news.put(romeo, contact, NewsKind::presence);
  CHECK(news.keys() == 1);
  CHECK(rest(news, source).size() == 1001);
}

TEST_CASE("A removed account has no news") {
  UserNews news;
  Source source;
  news.put_all(romeo);
  news.put(juliet, a, NewsKind::presence);
  news.forget(romeo);
  CHECK(news.accounts() == 1);
  CHECK(rest(news, source) == Texts{"2 a"});
}

TEST_CASE("The network hears the newest presence only, and one action of an account at a time") {
  NetworkNews news;
  put(news, Availability::online);
  put(news, Availability::away);
  REQUIRE(news.begin(start) == romeo);
  put(news, Availability::do_not_disturb);  // before it was taken
  CHECK(std::get<connector::SetPresence>(*news.take(romeo)).availability == Availability::do_not_disturb);
  put(news, Availability::online);
  put(news, Availability::away);
  CHECK(!news.begin(start));  // one is under way
  news.end(romeo, true);
  CHECK(perform_all(news) == Texts{"away"});
}

TEST_CASE("One change with N contacts is one action, in whichever order the user's server says it (RFC 6121 §4.4.2)") {
  for (const bool gateway_first : {true, false}) {
    NetworkNews news;
    if (gateway_first) put(news, Availability::do_not_disturb);
    for (const ContactId& contact : {a, b, c}) put(news, Availability::do_not_disturb, contact);
    if (!gateway_first) put(news, Availability::do_not_disturb);
    CHECK(perform_all(news) == Texts{"dnd"});
    for (const ContactId& contact : {a, b, c}) put(news, Availability::do_not_disturb, contact);
    put(news, Availability::do_not_disturb);
    CHECK(perform_all(news).empty());
  }
}

TEST_CASE("What is back where the network knows it needs no action") {
  NetworkNews news;
  put(news, Availability::online);
  CHECK(perform_all(news) == Texts{"online"});
  put(news, Availability::away);
  put(news, Availability::online);
  CHECK(perform_all(news).empty());
}

TEST_CASE("A contact that was told something of its own hears of the next change") {
  NetworkNews news;
  put(news, Availability::online);
  CHECK(perform_all(news) == Texts{"online"});
  put(news, Availability::away, a);
  CHECK(perform_all(news) == Texts{"away a"});
  put(news, Availability::online, a);
  CHECK(perform_all(news) == Texts{"online a"});
  put(news, Availability::online);
  CHECK(perform_all(news) == Texts{"online"});
}

TEST_CASE("A new session is told again, and so is what failed") {
  NetworkNews news;
  put(news, Availability::online);
  CHECK(perform_all(news) == Texts{"online"});
  news.session_ended(romeo);
  put(news, Availability::online);
  REQUIRE(news.begin(start) == romeo);
  REQUIRE(news.take(romeo));
  news.end(romeo, false);
  put(news, Availability::online);
  REQUIRE(news.begin(start) == romeo);
  REQUIRE(news.take(romeo));
  news.session_ended(romeo);  // while it is under way
  news.end(romeo, true);
  put(news, Availability::online);
  CHECK(perform_all(news) == Texts{"online"});
}

TEST_CASE("How many accounts and keys are with the network at once is bounded") {
  NetworkNews news;
  for (std::int64_t id = 1; id <= 1000; ++id) put(news, Availability::online, std::nullopt, AccountId{id});
  std::size_t begun = 0;
  while (news.begin(start)) ++begun;
  CHECK(begun == NetworkNews::most_performing);
  NetworkNews directed;
  for (int i = 0; i < 1000; ++i) put(directed, Availability::away, ContactId{std::to_string(i)});
  CHECK(directed.waiting() == NetworkNews::most_keys);
}

TEST_CASE(
    "Accounts whose actions hang keep no place, so that no other waits for them; and none of them is asked twice at "
    "once") {
  NetworkNews news;
  const auto put_for = [&](std::int64_t id) { put(news, Availability::online, std::nullopt, AccountId{id}); };
  const auto begin_all = [&](NetworkNews::Time now) {
    std::vector<std::int64_t> begun;
    while (const auto account = news.begin(now)) {
      begun.push_back(account->value);
      CHECK(news.take(*account));
    }
    return begun;
  };
  for (std::int64_t id = 1; id <= 66; ++id) put_for(id);
  CHECK(begin_all(start).size() == 64);
  CHECK(news.next_place() == start + NetworkNews::longest_hold);
  CHECK(begin_all(start + 9s).empty());
  news.end(AccountId{1}, true);
  CHECK(begin_all(start + 9s) == std::vector<std::int64_t>{65});
  CHECK(begin_all(start + 10s) == std::vector<std::int64_t>{66});
  CHECK(!news.next_place());  // nobody waits
  for (std::int64_t id = 2; id <= 64; ++id) put(news, Availability::away, std::nullopt, AccountId{id});
  CHECK(begin_all(start + 10s).empty());  // they have not ended
  for (std::int64_t id = 2; id <= 66; ++id) news.end(AccountId{id}, true);
  CHECK(begin_all(start + 10s).size() == 63);
}

namespace {

// Keeps what it is asked; each answer comes when the test says.
struct Session final : connector::Session {
  explicit Session(asio::io_context& loop) : answered(loop.get_executor()) {}
  asio::awaitable<void> run() override { co_return; }
  asio::awaitable<connector::Result<connector::Receipt>> perform(connector::Action action) override {
    asked.push_back(std::get<connector::SetPresence>(action).availability);
    co_await answered.wait();
    co_return connector::Receipt();
  }
  connector::Capabilities capabilities(const connector::ChatId&) const override { return {}; }
  std::vector<Availability> asked;
  base::Signal answered;
};
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
  void forget_account(AccountId) override {}
  std::unique_ptr<connector::Session> open(AccountId) override { return nullptr; }
  asio::awaitable<connector::Result<ContactId>> parse_contact(std::string typed, AccountId) const override {
    co_return ContactId{std::move(typed)};
  }
};

struct Fixture {
  Fixture() {
    insert(store, account(romeo.value, "u1@x.test", "sms.test"));
    database.emplace(loop.get_executor(), std::move(store.driver));
    accounts::AccountEvents account_events;
    account_events.make_sink = [](accounts::LiveAccount&) { return std::make_unique<NoEvents>(); };
    account_events.state_changed = [](accounts::LiveAccount&) {};
    accounts.emplace(loop.get_executor(), *database, sealer(), "sms.test", std::move(account_events));
    xmpp::ComponentConfig config{.host = "127.0.0.1",
                                 .port = server.port(),
                                 .domain = jid("sms.test"),
                                 .server = jid("x.test"),
                                 .secret = base::Secret("secret")};
    config.most_volatile_bytes = 2000;
    xmpp::ComponentEvents events;
    events.received = [](xmpp::Stanza) {};
    events.connected = [this] { lane->wake(); };
    events.writable = [this] { lane->wake(); };
    link.emplace(loop.get_executor(), std::move(config), tests::dial, std::move(events));
    lane.emplace(loop.get_executor(), *link, *accounts, source);
    tasks.spawn("lane", lane->run());
  }
  ~Fixture() {
    tasks.cancel();
    run(loop, tasks.join());
    run(loop, lane->stop());
  }
  void connect() {
    tasks.spawn("link", link->run());
    run(loop, server.accept());
  }
  std::string read_until(std::string end) {
    std::string text;
    run(loop, store_text(server.read_until(std::move(end)), text));
    return text;
  }
  std::string ping() {
    std::string id;
    run(loop, store_text(server.ping(), id));
    return id;
  }
  static asio::awaitable<void> store_text(asio::awaitable<std::string> work, std::string& text) {
    text = co_await std::move(work);
  }

  asio::io_context loop;
  Store store{DatabaseKind::sqlite};
  Source source;
  Silent network;
  ComponentServer server{loop};
  std::optional<db::Database> database;
  std::optional<accounts::Accounts> accounts;
  std::optional<xmpp::Component> link;
  std::optional<VolatileLane> lane;
  base::TaskGroup tasks{loop.get_executor()};
};

}  // namespace

TEST_CASE("What there is to tell waits for the link as a key, and the stanza says how it is then") {
  Fixture f;
  f.source.contacts[romeo] = {a};
  f.lane->tell_user_all(romeo);
  f.loop.poll();
  CHECK(f.source.made == 0);
  f.source.status = "newest";
  f.connect();
  const std::string came = f.read_until("from='a@sms.test'") + f.read_until("</presence>");
  CHECK(came.find("newest") != std::string::npos);
  CHECK(came.find("first") == std::string::npos);
  run(f.loop, f.lane->drained());
}

TEST_CASE(
    "A storm of presence makes no more stanzas than the link takes, goes on with each answered ping, and delays no "
    "message") {
  Fixture f;
  f.connect();
  for (int i = 100; i < 200; ++i) f.source.contacts[romeo].insert(ContactId{"c" + std::to_string(i)});
  f.lane->tell_user_all(romeo);
  std::string ping = f.ping();
  const int made = f.source.made;
  CHECK(made < 40);
  CHECK(f.link->send(xmpp::make_stanza(xmpp::Kind::message, jid("a@sms.test"), jid("u1@x.test"), "chat", "m1")) > 0);
  f.read_until("m1");
  CHECK(f.source.made == made);  // nothing more is before it
  while (f.source.made < 101) {
    const int before = f.source.made;
    run(f.loop, f.server.answer(ping));
    while (f.source.made == before) f.loop.run_one_for(100ms);
    if (f.source.made < 101) ping = f.ping();
  }
  run(f.loop, f.lane->drained());
}

TEST_CASE("What a session is asked is the newest, one at a time, and nothing without a session") {
  Fixture f;
  run(f.loop, f.accounts->load(f.network));
  const auto tell = [&](Availability availability) {
    f.lane->tell_network(romeo, NewsKind::presence, std::nullopt, set(availability));
  };
  tell(Availability::chat);  // nobody is asked
  f.loop.poll();
  const auto session = std::make_shared<Session>(f.loop);
  f.accounts->find(romeo)->session = session;
  f.accounts->find(romeo)->state = accounts::LiveAccount::State::online;
  tell(Availability::online);
  tell(Availability::away);
  f.loop.poll();
  CHECK(session->asked == std::vector{Availability::away});
  tell(Availability::online);
  tell(Availability::do_not_disturb);
  f.loop.poll();
  CHECK(session->asked.size() == 1);
  session->answered.notify();
  while (session->asked.size() < 2) f.loop.run_one_for(100ms);
  CHECK(session->asked == std::vector{Availability::away, Availability::do_not_disturb});
}

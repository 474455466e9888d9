#include "gateway/queues/messages.hpp"
#include "gateway/queues/seen.hpp"
#include "gateway/transport/router.hpp"
#include "gateway/xmpp/stream_parser.hpp"
#include "tests/support/run.hpp"
#include "tests/unit/store/fixture.hpp"

using namespace wherry;
using namespace wherry::queues;
using namespace wherry::transport;

namespace {

xmpp::Stanza stanza(std::string_view xml) {
  auto element = std::get<xmpp::Element>(xmpp::parse_document(xml));
  return xmpp::to_stanza(std::move(element)).value();
}

struct NoEvents final : connector::EventSink {
  boost::asio::awaitable<void> publish(connector::Event, connector::Changes) override { co_return; }
};
// Is only told of accounts.
struct SilentNetwork final : connector::Connector {
  connector::Network describe() const override { return {}; }
  boost::asio::awaitable<void> run() override { co_return; }
  boost::asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant,
                                                                       connector::Dialogue&) override {
    co_return connector::Answers();
  }
  void know_account(const connector::Account&, connector::EventSink&) override {}
  void forget_account(base::AccountId) override {}
  std::unique_ptr<connector::Session> open(base::AccountId) override { return nullptr; }
  boost::asio::awaitable<connector::Result<base::ContactId>> parse_contact(std::string typed,
                                                                           base::AccountId) const override {
    co_return base::ContactId{std::move(typed)};
  }
};

// A router over the accounts of romeo@x.test: the first one has the id 1, "work" has 2.
struct RouterFixture {
  RouterFixture() {
    tests::Store store(tests::DatabaseKind::sqlite);
    auto first = tests::account(1, "romeo@x.test", "sms.test"), work = first;
    work.id = base::AccountId{2};
    work.alias = "work";
    insert(store, first);
    insert(store, work);
    database.emplace(loop.get_executor(), std::move(store.driver));
    accounts::AccountEvents events;
    events.make_sink = [](accounts::LiveAccount&) { return std::make_unique<NoEvents>(); };
    accounts.emplace(loop.get_executor(), *database, tests::sealer(), "sms.test", std::move(events));
    tests::run(loop, accounts->load(network));
    made.emplace(*accounts, [this](const xmpp::Element& reply) { replies.push_back(reply); });
  }
  Router& router() { return *made; }
  // To `to`, from Romeo.
  void route(const std::string& element, const std::string& to, const std::string& type,
             const std::string& payload = "") {
    router().route(stanza("<" + element + " xmlns='jabber:component:accept' from='romeo@x.test/r' id='i1' to='" + to +
                          "' type='" + type + "'>" + payload + "</" + element + ">"));
  }
  std::string last_condition() const {
    const xmpp::Element& error = *replies.back().child("error", xmpp::ns::component);
    return std::string(error.children().front().name());
  }

  boost::asio::io_context loop;
  SilentNetwork network;
  std::optional<db::Database> database;
  std::optional<accounts::Accounts> accounts;
  std::vector<xmpp::Element> replies;
  std::optional<Router> made;
};

}  // namespace

TEST_CASE("Seen knows an id again, per account, also after a restart") {
  const std::string key(32, 'a');
  Seen seen;
  seen.load(key, {});
  const auto hash = seen.hash(1, "mn1");
  CHECK(seen.insert(hash));
  CHECK_FALSE(seen.insert(hash));
  CHECK(seen.insert(seen.hash(2, "mn1")));
  Seen later;
  later.load(key, {hash});
  CHECK_FALSE(later.insert(later.hash(1, "mn1")));
  CHECK_THROWS(later.load("short", {}));
}

TEST_CASE("Seen remembers the newest two thirds of its bound, and forgets the oldest") {
  Seen seen(1000);
  seen.load(std::string(32, 'b'), {});
  const auto id = [](std::uint64_t i) { return i * 0x9E3779B97F4A7C15; };
  for (std::uint64_t i = 1; i <= 5000; ++i) REQUIRE(seen.insert(id(i)));
  for (std::uint64_t i = 4335; i <= 5000; ++i) CHECK_FALSE(seen.insert(id(i)));
  CHECK(seen.insert(id(4000)));
}

TEST_CASE("Seen forgets what could not be kept, and only that") {
  Seen seen;
  seen.load(std::string(32, 'b'), {1, 2});
  seen.erase(1);
  CHECK(seen.insert(1));
  CHECK_FALSE(seen.insert(2));
  Seen small(6);
  small.load(std::string(32, 'b'), {1, 2, 3, 4});  // two older generations
  for (const std::uint64_t hash : {1U, 3U}) {
    CHECK_FALSE(small.insert(hash));
    small.erase(hash);
    CHECK(small.insert(hash));
  }
}

TEST_CASE("RecentlySent finds by key and by the network's id, for the right account only") {
  RecentlySent recent;
  store::MessageRow sent;
  sent.id = 7;
  sent.account = base::AccountId{1};
  sent.network_id = "net-7";
  recent.insert(sent);
  REQUIRE(recent.find(base::AccountId{1}, 7));
  CHECK(recent.find(base::AccountId{1}, "net-7")->id == 7);
  CHECK_FALSE(recent.find(base::AccountId{2}, 7));
  CHECK_FALSE(recent.find(base::AccountId{2}, "net-7"));
  for (int i = 100; i < 5000; ++i) {
    sent.id = i;
    sent.network_id = "net-" + std::to_string(i);
    recent.insert(sent);
  }
  CHECK_FALSE(recent.find(base::AccountId{1}, 7));
}

TEST_CASE(
    "Router hands a request to the one handler of its payload, and answers what nobody handles (RFC 6120 §8.2.3)") {
  RouterFixture f;
  Router& router = f.router();
  const std::vector<xmpp::Element>& replies = f.replies;
  int handled = 0;
  router.on_iq(AddressForm::gateway, Request::get, "urn:xmpp:ping",
               [&](const xmpp::Stanza&, const Party&) { ++handled; });
  router.on_iq(AddressForm::contact, Request::get, "urn:fails",
               [&](const xmpp::Stanza&, const Party&) { throw std::runtime_error("bug"); });
  const std::string head = "<iq xmlns='jabber:component:accept' from='romeo@x.test/r' id='i1' ";

  router.route(stanza(head + "to='sms.test' type='get'><ping xmlns='urn:xmpp:ping'/></iq>"));
  CHECK(handled == 1);
  CHECK(replies.empty());

  router.route(stanza(head + "to='sms.test' type='get'><q xmlns='urn:unknown'/></iq>"));
  router.route(stanza(head + "to='sms.test' type='set'><ping xmlns='urn:xmpp:ping'/></iq>"));
  router.route(stanza(head + "to='a@sms.test' type='get'><q xmlns='urn:fails'/></iq>"));
  router.route(stanza(head + "to='sms.test' type='get'/>"));
  REQUIRE(replies.size() == 4);
  const char* conditions[] = {"service-unavailable", "service-unavailable", "internal-server-error", "bad-request"};
  for (int i = 0; i < 4; ++i)
    CHECK(replies[static_cast<std::size_t>(i)]
              .child("error", xmpp::ns::component)
              ->child(conditions[i], xmpp::ns::stanza_errors));

  // RFC 6120 §8.3.1: never an error about an error, nor about a result.
  router.route(stanza(head + "to='sms.test' type='error'/>"));
  router.route(stanza(head + "to='sms.test' type='result'/>"));
  CHECK(replies.size() == 4);
}

TEST_CASE("Router hands subscriptions to their own handler, and other presences to theirs (RFC 6121 §3, 4)") {
  RouterFixture f;
  Router& router = f.router();
  std::vector<std::string> handled;
  for (const auto& [form, where] :
       {std::pair(AddressForm::gateway, "gateway "), std::pair(AddressForm::contact, "contact ")}) {
    router.on_presence(form, [&, where = std::string(where)](const xmpp::Stanza& s, const Party&) {
      handled.push_back(where + "presence " + std::string(s.type()));
    });
    router.on_subscription(form, [&, where = std::string(where)](const xmpp::Stanza& s, const Party&) {
      handled.push_back(where + "subscription " + std::string(s.type()));
    });
  }
  const std::string head = "<presence xmlns='jabber:component:accept' from='romeo@x.test/r' ";
  for (const char* type : {"subscribe", "subscribed", "unsubscribe", "unsubscribed", "unavailable", "probe", "error"}) {
    router.route(stanza(head + "to='a@sms.test' type='" + type + "'/>"));
  }
  router.route(stanza(head + "to='sms.test' type='subscribe'/>"));
  router.route(stanza(head + "to='sms.test'/>"));
  CHECK(handled == std::vector<std::string>{"contact subscription subscribe", "contact subscription subscribed",
                                            "contact subscription unsubscribe", "contact subscription unsubscribed",
                                            "contact presence unavailable", "contact presence probe",
                                            "contact presence error", "gateway subscription subscribe",
                                            "gateway presence "});
  CHECK(f.replies.empty());
}

TEST_CASE("Router finds out once whose account a stanza concerns, and what its address stands for") {
  RouterFixture f;
  std::vector<std::string> parties;
  for (const auto form : {AddressForm::gateway, AddressForm::account, AddressForm::contact}) {
    f.router().on_message(form, [&](const xmpp::Stanza&, const Party& party) {
      const std::string account = party.account ? std::to_string(party.account->id().value) : "none";
      parties.push_back(account + " " + party.to.alias + " " + party.to.id);
    });
  }
  for (const char* to : {"sms.test", "c\\20d@sms.test/r", "c~work@sms.test", "~work@sms.test", "c~home@sms.test"})
    f.route("message", to, "chat");
  CHECK(parties == std::vector<std::string>{"1  ", "1  c d", "2 work c", "2 work ", "none home c"});
  CHECK(f.replies.empty());
}

TEST_CASE("What is for a room, or for an alias that cannot be, is item-not-found with a sentence") {
  RouterFixture f;
  for (const char* to : {"#lobby@sms.test", "#lobby~work@sms.test/nick", "c~not_one@sms.test", "#@sms.test"}) {
    CAPTURE(to);
    f.replies.clear();
    f.route("message", to, "chat", "<body>hi</body>");
    f.route("iq", to, "get", "<ping xmlns='urn:xmpp:ping'/>");
    f.route("presence", to, "subscribe");
    REQUIRE(f.replies.size() == 3);
    CHECK(f.last_condition() == "item-not-found");
    CHECK_FALSE(
        f.replies.back().child("error", xmpp::ns::component)->child_text("text", xmpp::ns::stanza_errors).empty());
    f.route("message", to, "error");
    f.route("presence", to, "unavailable");
    CHECK(f.replies.size() == 3);
  }
}

#include "gateway/accounts/accounts.hpp"
#include "gateway/convert/address.hpp"
#include "gateway/convert/delivery.hpp"
#include "gateway/queues/messages.hpp"
#include "gateway/transport/router.hpp"
#include "gateway/queues/seen.hpp"
#include "gateway/convert/to_stanzas.hpp"
#include "gateway/xmpp/stream_parser.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace wherry;
using namespace wherry::accounts;
using namespace wherry::convert;
using namespace wherry::queues;
using namespace wherry::transport;

namespace {

xmpp::Jid jid(std::string_view text) { return xmpp::Jid::parse(text).value(); }

xmpp::Stanza stanza(std::string_view xml) {
  auto element = std::get<xmpp::Element>(xmpp::parse_document(xml));
  return xmpp::to_stanza(std::move(element)).value();
}

Origin origin() { return {"romeo@x.test/orchard", "+15550100@sms.test", "m1", "chat", "en", true, 1796000000000}; }

}  // namespace

TEST_CASE("Every delivery is read back from its row as it was written") {
  connector::MessageReceived message;
  message.chat = base::ContactId{"+15550100"};
  message.sender = base::ContactId{"+15550100"};
  message.id = base::MessageId{"n1"};
  message.content.text = "é \"quoted\"\n🌹";
  message.sent_at = base::from_milliseconds(1796000000000);
  const std::vector<Delivery> deliveries = {message, connector::ContactAsked{{"tybalt"}, "Tybalt"}, connector::ContactAnswered{{"nurse"}, true},
                                            connector::ContactRemoved{{"nurse"}}, SendDelivered{origin()},
                                            SendFailed{origin(), base::Errc::uncertain, "Who knows?"}};
  for (const Delivery& delivery : deliveries) CHECK(parse_delivery(to_text(delivery)).value() == delivery);
}

TEST_CASE("A damaged delivery row is an error, never a guess") {
  for (const char* text : {"", "[", "[]", "[\"failed\"]", "[\"failed\",\"[]\",\"rejected\",\"\"]", "[\"failed\",\"[]\",99,\"\"]", "{}", "{\"type\":\"account_changed\"}", "[1,2]"}) CHECK_FALSE(parse_delivery(text).has_value());
}

TEST_CASE("A failed send is an error stanza with the original id, from the contact, to the resource that sent it (checklist B1.39)") {
  const auto domain = jid("sms.test"), user = jid("romeo@x.test");
  const StanzaContext context{domain, user, "w1", base::Time{}};
  const auto stanzas = to_stanzas(SendFailed{origin(), base::Errc::not_found, "The number does not exist."}, context);
  REQUIRE(stanzas.size() == 1);
  CHECK(stanzas[0].attribute("type") == "error");
  CHECK(stanzas[0].attribute("id") == "m1");
  CHECK(stanzas[0].attribute("from") == "+15550100@sms.test");
  CHECK(stanzas[0].attribute("to") == "romeo@x.test/orchard");
  const auto* error = stanzas[0].child("error", xmpp::ns::component);
  REQUIRE(error);
  CHECK(error->child("item-not-found", xmpp::ns::stanza_errors));
  CHECK(error->child_text("text", xmpp::ns::stanza_errors) == "The number does not exist.");
}

TEST_CASE("A failure whose sender has gone is also said in the contact's chat, to the bare address (RFC 6121 §8.5.3.2.2)") {
  const auto domain = jid("sms.test"), user = jid("romeo@x.test");
  StanzaContext context{domain, user, "w1", base::Time{}};
  context.has_sender = false;
  const auto stanzas = to_stanzas(SendFailed{origin(), base::Errc::uncertain, "The link broke."}, context);
  REQUIRE(stanzas.size() == 2);
  CHECK(stanzas[0].attribute("type") == "error");
  const auto& note = stanzas[1];
  CHECK(note.attribute("to") == "romeo@x.test");
  CHECK(note.attribute("from") == "+15550100@sms.test");
  CHECK(note.child_text("body", xmpp::ns::component) ==
        "A message that you sent here on 2026-11-30 at 00:53 UTC may not have been delivered. It is not known whether this arrived. The link broke.");
  REQUIRE(note.child("reply", xmpp::ns::reply));
  CHECK(note.child("reply", xmpp::ns::reply)->attribute("id") == "m1");
}

TEST_CASE("A text that no server would take comes in parts that lose nothing (study (d) 13)") {
  const auto domain = jid("sms.test"), user = jid("romeo@x.test");
  const StanzaContext context{domain, user, "w1", base::Time{}};
  connector::MessageReceived message;
  message.chat = message.sender = base::ContactId{"+15550100"};
  for (int i = 0; i < 40000; ++i) message.content.text += "🌹";
  std::string joined;
  std::set<std::string> ids;
  for (const auto& part : to_stanzas(message, context)) {
    joined += part.child_text("body", xmpp::ns::component);
    ids.insert(std::string(part.attribute("id")));
    CHECK(part.to_xml().size() < (64 << 10));
  }
  CHECK(joined == message.content.text);
  CHECK(ids.size() == 4);
}

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
  for (const std::uint64_t hash : {1, 3}) {
    CHECK_FALSE(small.insert(hash));
    small.erase(hash);
    CHECK(small.insert(hash));
  }
}

TEST_CASE("RecentlySent finds by key and by the network's id, for the right account only") {
  RecentlySent recent;
  store::SentMessage sent;
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

TEST_CASE("Router hands a request to the one handler of its payload, and answers what nobody handles (RFC 6120 §8.2.3)") {
  std::vector<xmpp::Element> replies;
  Router router([&](const xmpp::Element& reply) { replies.push_back(reply); });
  int handled = 0;
  router.on_iq(AddressForm::gateway, Request::get, "urn:xmpp:ping", [&](xmpp::Stanza) { ++handled; });
  router.on_iq(AddressForm::contact, Request::get, "urn:fails", [&](xmpp::Stanza) { throw std::runtime_error("bug"); });
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
  for (int i = 0; i < 4; ++i) CHECK(replies[static_cast<std::size_t>(i)].child("error", xmpp::ns::component)->child(conditions[i], xmpp::ns::stanza_errors));

  // RFC 6120 §8.3.1: never an error about an error, nor about a result.
  router.route(stanza(head + "to='sms.test' type='error'/>"));
  router.route(stanza(head + "to='sms.test' type='result'/>"));
  CHECK(replies.size() == 4);
}

TEST_CASE("A contact's id and its address are the same thing in two spellings (XEP-0106)") {
  const auto domain = jid("sms.test");
  for (const char* id : {"+15550100", "nurse@verona.example", "a b", "\\20odd", "o'neil"}) {
    const auto address = to_jid(base::ContactId{id}, domain);
    REQUIRE(address.has_value());
    CHECK(typed_by(*address) == id);
  }
  CHECK_FALSE(to_jid(base::ContactId{""}, domain).has_value());
  CHECK(tidy("  tel:+1 415 555 0132 ") == "+1 415 555 0132");
}

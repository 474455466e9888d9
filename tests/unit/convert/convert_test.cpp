// Deliveries as rows and as stanzas.
#include "gateway/convert/delivery.hpp"
#include "gateway/convert/to_stanzas.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace wherry;
using namespace wherry::convert;

namespace {

xmpp::Jid jid(std::string_view text) { return xmpp::Jid::parse(text).value(); }

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

// Deliveries as rows and as stanzas.
#include "gateway/convert/delivery.hpp"
#include "gateway/convert/presence.hpp"
#include "gateway/convert/to_stanzas.hpp"
#include "gateway/xmpp/stream_parser.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace wherry;
using namespace wherry::convert;

namespace {

xmpp::Jid jid(std::string_view text) { return xmpp::Jid::parse(text).value(); }

Origin origin() {
  return {"romeo@x.test/orchard", "+15550100@sms.test", "m1", "chat", "en", true, 1796000000000, false, false, ""};
}

}  // namespace

TEST_CASE("Every delivery is read back from its row as it was written") {
  connector::MessageReceived message;
  message.chat = base::ContactId{"+15550100"};
  message.sender = base::ContactId{"+15550100"};
  message.id = base::MessageId{"n1"};
  message.content.text = "é \"quoted\"\n🌹";
  message.sent_at = base::from_milliseconds(1796000000000);
  const std::vector<Delivery> deliveries = {
      message,
      connector::ContactAsked{{"tybalt"}, "Tybalt"},
      connector::ContactAnswered{{"nurse"}, true},
      connector::ContactRemoved{{"nurse"}},
      connector::MessageEdited{{base::ContactId{"j"}}, {"j"}, {"e1"}, {"w1"}, {"at nine"}, base::from_milliseconds(5)},
      connector::MessageRetracted{{base::ContactId{"j"}}, {"j"}, {"e2"}, {"w1"}},
      connector::Reacted{{base::ContactId{"j"}}, {"j"}, {"e3"}, {"m1"}, {"👍"}},
      connector::AccountNotice{{"e4"}, "Your plan has ended."},
      SendDelivered{origin()},
      SendRead{origin()},
      SendFailed{origin(), base::Errc::uncertain, "Who knows?"}};
  for (const Delivery& delivery : deliveries) CHECK(parse_delivery(to_text(delivery)).value() == delivery);
}

TEST_CASE("Rows are objects with a version, and what a later version adds to them is ignored") {
  CHECK(
      to_text(origin()) ==
      R"({"v":1,"user":"romeo@x.test/orchard","contact":"+15550100@sms.test","id":"m1","type":"chat","lang":"en","receipt":true,"sent":1796000000000})");
  CHECK(to_text(Delivery(SendDelivered{origin()})) ==
        R"({"v":1,"type":"delivered","origin":)" + to_text(origin()) + "}");
  CHECK(to_text(Delivery(SendFailed{origin(), base::Errc::rejected, "Too late."})) ==
        R"({"v":1,"type":"failed","origin":)" + to_text(origin()) + R"(,"code":"rejected","text":"Too late."})");
  CHECK(to_text(Delivery(connector::ContactRemoved{{"nurse"}})) ==
        R"({"v":1,"type":"contact_removed","contact":"nurse"})");
  CHECK(
      parse_origin(
          R"({"v":1,"new":[1],"user":"romeo@x.test/orchard","contact":"+15550100@sms.test","id":"m1","type":"chat","lang":"en","receipt":true,"sent":1796000000000})")
          .value() == origin());
  CHECK(parse_origin(to_text(Origin{})).value() == Origin{});
  CHECK(
      parse_delivery(R"({"v":1,"type":"failed","origin":{"v":1,"sent":5,"x":1},"code":"rejected","text":"","since":1})")
          .has_value());
}

TEST_CASE("Rows of the first versions are read for ever: arrays, and events without a version (schema 2)") {
  const Origin late{"romeo@x.test/phone",
                    "+15550101@net.test",
                    "sent-reported-late",
                    "chat",
                    "",
                    true,
                    1795694516468,
                    false,
                    false,
                    ""};
  const std::string row =
      R"(["romeo@x.test/phone","+15550101@net.test","sent-reported-late","chat","",true,1795694516468])";
  CHECK(parse_origin(row).value() == late);
  CHECK(
      parse_delivery(
          R"(["failed","[\"romeo@x.test/phone\",\"+15550101@net.test\",\"sent-reported-late\",\"chat\",\"\",true,1795694516468]","rejected","Too late."])")
          .value() == Delivery(SendFailed{late, base::Errc::rejected, "Too late."}));
  CHECK(
      parse_delivery(
          R"(["delivered","[\"romeo@x.test/phone\",\"+15550101@net.test\",\"sent-reported-late\",\"chat\",\"\",true,1795694516468]"])")
          .value() == Delivery(SendDelivered{late}));
  CHECK(parse_delivery(R"({"type":"contact_asked","contact":"+15550107","name":"Benvolio"})").value() ==
        Delivery(connector::ContactAsked{{"+15550107"}, "Benvolio"}));
}

TEST_CASE("A damaged row, or one of a version that is not known, is an error, never a guess") {
  for (const char* text : {"", "[]", "{}", "{\"v\":2,\"sent\":5}", "{\"v\":1,\"user\":5}", "{\"v\":\"1\"}",
                           "[\"a\",\"b\",\"c\",\"d\",\"e\",1,2]", "5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_origin(text).has_value());
  }
  for (const char* text :
       {"{\"v\":2,\"type\":\"contact_removed\",\"contact\":\"nurse\"}", "{\"v\":1,\"type\":\"delivered\"}",
        "{\"v\":1,\"type\":\"failed\",\"origin\":{\"v\":1},\"code\":\"99\",\"text\":\"\"}", "", "[", "[]",
        "[\"failed\"]", "[\"failed\",\"[]\",\"rejected\",\"\"]", "[\"failed\",\"[]\",99,\"\"]", "{}",
        "{\"type\":\"account_changed\"}", "[1,2]"})
    CHECK_FALSE(parse_delivery(text).has_value());
}

TEST_CASE("An origin, which stays in memory and in rows, keeps no id, language or type longer than those that exist") {
  const auto read = [](std::size_t id, std::size_t lang, std::size_t type) {
    xmpp::Element element("presence", xmpp::ns::component);
    element.set("from", "romeo@x.test/r").set("to", "c@sms.test").set("id", std::string(id, 'i'));
    element.set("xml:lang", std::string(lang, 'l')).set("type", std::string(type, 't'));
    element.add("origin-id", xmpp::ns::stanza_id).set("id", std::string(id, 'i'));
    return origin_of(xmpp::to_stanza(std::move(element)).value(), base::Time{});
  };
  const Origin most = read(1024, 35, 16);
  CHECK(most.stanza_id.size() == 1024);
  CHECK(most.has_origin_id);
  CHECK(most.lang.size() == 35);
  CHECK(most.type.size() == 16);
  const Origin more = read(1025, 36, 17);
  CHECK(more.stanza_id == "");
  CHECK_FALSE(more.has_origin_id);
  CHECK(more.lang == "");
  CHECK(more.type == "");
}

TEST_CASE("Whether a message's id is unique everywhere is remembered with its origin (XEP-0359)") {
  const auto read = [](const std::string& id, const std::string& origin_id) {
    auto element = std::get<xmpp::Element>(
        xmpp::parse_document("<message xmlns='jabber:component:accept' from='romeo@x.test/r' to='c@sms.test' id='" +
                             id + "'><origin-id xmlns='urn:xmpp:sid:0' id='" + origin_id + "'/></message>"));
    return origin_of(xmpp::to_stanza(std::move(element)).value(), base::Time{});
  };
  CHECK(read("m1", "m1").has_origin_id);
  CHECK_FALSE(read("m1", "m2").has_origin_id);
  CHECK_FALSE(read("", "").has_origin_id);
  CHECK(parse_origin(to_text(read("m1", "m1"))).value() == read("m1", "m1"));
}

TEST_CASE(
    "A failed send is an error stanza with the original id, from the contact, to the resource that sent it (checklist "
    "B1.39)") {
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

TEST_CASE(
    "A failure whose sender has gone is also said in the contact's chat, to the bare address (RFC 6121 §8.5.3.2.2)") {
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
        "A message that you sent here on 2026-11-30 at 00:53 UTC may not have been delivered. It is not known whether "
        "this arrived. The link broke.");
  REQUIRE(note.child("reply", xmpp::ns::reply));
  CHECK(note.child("reply", xmpp::ns::reply)->attribute("id") == "m1");
}

TEST_CASE("Presence comes from a resource, available and unavailable alike (RFC 6121 §4.2, §4.5)") {
  const auto contact = jid("+15550100@sms.test"), gateway = jid("sms.test"), user = jid("romeo@x.test");
  for (const auto availability : {connector::Availability::away, connector::Availability::offline}) {
    CHECK(to_presence(contact, user, availability, "").attribute("from") == "+15550100@sms.test/wherry");
    CHECK(to_presence(gateway, user, availability, "").attribute("from") == "sms.test/wherry");
  }
}

TEST_CASE("What follows an approval or an end is from the bare address, but for the presence itself") {
  const auto domain = jid("sms.test"), user = jid("romeo@x.test");
  const StanzaContext context{domain, user, "w1", base::Time{}};
  std::vector<std::string> came;
  for (const Delivery& delivery :
       {Delivery(connector::ContactAnswered{{"nurse"}, true}), Delivery(connector::ContactRemoved{{"nurse"}})}) {
    for (const auto& stanza : to_stanzas(delivery, context))
      came.push_back(std::string(stanza.attribute("type")) + " " + std::string(stanza.attribute("from")));
  }
  const std::vector<std::string> wanted = {"subscribed nurse@sms.test",   " nurse@sms.test/wherry",
                                           "subscribe nurse@sms.test",    "unsubscribe nurse@sms.test",
                                           "unsubscribed nurse@sms.test", "unavailable nurse@sms.test/wherry"};
  CHECK(came == wanted);
}

TEST_CASE("What failed is answered from where it was sent to, and noted in the contact's own chat") {
  const auto domain = jid("sms.test"), user = jid("romeo@x.test");
  StanzaContext context{domain, user, "w1", base::Time{}};
  context.has_sender = false;
  Origin sent = origin();
  sent.contact += "/wherry";
  const auto stanzas = to_stanzas(SendFailed{sent, base::Errc::rejected, "No."}, context);
  REQUIRE(stanzas.size() == 2);
  CHECK(stanzas[0].attribute("from") == "+15550100@sms.test/wherry");
  CHECK(stanzas[1].attribute("from") == "+15550100@sms.test");
}

TEST_CASE("A message without text and files says so: an empty one would not be seen") {
  const auto domain = jid("sms.test"), user = jid("romeo@x.test");
  const StanzaContext context{domain, user, "w1", base::Time{}};
  connector::MessageReceived message;
  message.chat = message.sender = base::ContactId{"+15550100"};
  for (const char* text : {"", " \n"}) {
    message.content.text = text;
    const auto stanzas = to_stanzas(message, context);
    REQUIRE(stanzas.size() == 1);
    CHECK(stanzas[0].child_text("body", xmpp::ns::component) ==
          "This message came without anything that can be shown here.");
  }
}

TEST_CASE("What its reader has read is a marker for the message (XEP-0333 §3)") {
  const auto domain = jid("sms.test"), user = jid("romeo@x.test");
  const StanzaContext context{domain, user, "w1", base::Time{}};
  const auto stanzas = to_stanzas(SendRead{origin()}, context);
  REQUIRE(stanzas.size() == 1);
  CHECK(stanzas[0].attribute("to") == "romeo@x.test/orchard");
  CHECK(stanzas[0].attribute("from") == "+15550100@sms.test");
  REQUIRE(stanzas[0].child("displayed", xmpp::ns::chat_markers));
  CHECK(stanzas[0].child("displayed", xmpp::ns::chat_markers)->attribute("id") == "m1");
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

TEST_CASE("A link that no server would take as one comes in parts, in the text alone (XEP-0066)") {
  const auto domain = jid("sms.test"), user = jid("romeo@x.test");
  const StanzaContext context{domain, user, "w1", base::Time{}};
  connector::MessageReceived message;
  message.chat = message.sender = base::ContactId{"+15550100"};
  message.content.files.push_back({"data:image/png;base64," + std::string(600 << 10, 'A'), "", 0});
  std::string joined;
  for (const auto& part : to_stanzas(message, context)) {
    joined += part.child_text("body", xmpp::ns::component);
    CHECK(part.child("x", xmpp::ns::oob) == nullptr);
    CHECK(part.to_xml().size() < (64 << 10));
  }
  CHECK(joined == message.content.files[0].url);
}

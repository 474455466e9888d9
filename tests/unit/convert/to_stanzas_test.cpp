// What the user's program is shown of edits, retractions, reactions and replies.
#include "gateway/convert/to_stanzas.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::convert;

namespace {

namespace ns = xmpp::ns;

const xmpp::Jid domain = xmpp::Jid::parse("rich.test").value(), user = xmpp::Jid::parse("romeo@x.test").value();
const base::ChatId chat = base::ContactId{"juliet"};

StanzaContext context() { return {domain, user, "w1", base::from_milliseconds(1000)}; }

xmpp::Element shown(const Delivery& delivery) {
  const auto stanzas = to_stanzas(delivery, context());
  REQUIRE(stanzas.size() == 1);
  CHECK(stanzas.front().attribute("id") == "w1");
  return stanzas.front();
}
std::string body(const xmpp::Element& stanza) { return std::string(stanza.child_text("body", stanza.ns())); }

connector::MessageReceived said(std::string text) {
  connector::MessageReceived message{chat, {"juliet"}, {"x1"}, {}, base::from_milliseconds(1000)};
  message.content.text = std::move(text);
  return message;
}

}  // namespace

TEST_CASE("A correction replaces the message, in its first stanza where it takes several (XEP-0308)") {
  connector::MessageEdited edit{chat, {"juliet"}, {"e1"}, {"w0"}, {"at nine"}, base::from_milliseconds(1000)};
  const xmpp::Element stanza = shown(edit);
  CHECK(body(stanza) == "at nine");
  CHECK(stanza.child("replace", ns::correction)->attribute("id") == "w0");
  edit.content.text = std::string(100 << 10, 'x');
  const auto stanzas = to_stanzas(edit, context());
  REQUIRE(stanzas.size() == 3);
  CHECK(stanzas[0].child("replace", ns::correction));
  CHECK_FALSE(stanzas[1].child("replace", ns::correction));
}

TEST_CASE("A retraction and reactions are kept by servers though they have no words (XEP-0424, XEP-0444, XEP-0334)") {
  const xmpp::Element retraction = shown(connector::MessageRetracted{chat, {"juliet"}, {"e1"}, {"w0"}});
  CHECK(retraction.child("retract", ns::retraction)->attribute("id") == "w0");
  CHECK(retraction.child("fallback", ns::fallback)->attribute("for") == ns::retraction);
  CHECK(retraction.child("store", ns::hints));
  const xmpp::Element reactions = shown(connector::Reacted{chat, {"juliet"}, {"e1"}, {"m1"}, {"👍", "♥"}});
  CHECK(reactions.child("reactions", ns::reactions)->attribute("id") == "m1");
  CHECK(reactions.child("reactions", ns::reactions)->children().size() == 2);
  CHECK(reactions.child("store", ns::hints));
  CHECK_FALSE(reactions.child("body", reactions.ns()));
}

TEST_CASE("A reply names its message, and marks the quotation above it, in characters (XEP-0461, XEP-0428)") {
  connector::MessageReceived message = said("yes");
  message.content.reply_to = connector::Reply{{{"m1"}}, {}, "at eight?\né"};
  xmpp::Element stanza = shown(message);
  CHECK(body(stanza) == "> at eight?\n> é\nyes");
  CHECK(stanza.child("reply", ns::reply)->attribute("id") == "m1");
  CHECK(stanza.child("reply", ns::reply)->attribute("to") == "romeo@x.test");
  CHECK(stanza.child("fallback", ns::fallback)->child("body", ns::fallback)->attribute("end") == "16");
  message.content.reply_to = connector::Reply{{{"w0"}}, base::ContactId{"juliet"}, ""};
  stanza = shown(message);
  CHECK(body(stanza) == "yes");
  CHECK(stanza.child("reply", ns::reply)->attribute("to") == "juliet@rich.test");
  CHECK_FALSE(stanza.child("fallback", ns::fallback));
  message.content.reply_to = connector::Reply{{}, {}, "long ago"};
  stanza = shown(message);
  CHECK(body(stanza) == "> long ago\nyes");
  CHECK_FALSE(stanza.child("reply", ns::reply));
}

TEST_CASE("What the user said by another program does not look like the contact's") {
  connector::MessageReceived message = said("hi");
  message.from_me = true;
  message.sender = {"romeo-over-there"};
  CHECK(body(shown(message)) == "‹You›: hi");
  CHECK(shown(message).attribute("from") == "juliet@rich.test");
  CHECK(to_stanzas(connector::Reacted{chat, {"juliet"}, {"e1"}, {"m1"}, {"👍"}, true}, context()).empty());
}

TEST_CASE("Places, and files that only the connector can fetch, are named in the text") {
  connector::MessageReceived message = said("here");
  message.content.location = connector::Location{45.4384, 10.9917};
  CHECK(body(shown(message)) == "here\ngeo:45.438400,10.991700");
  message = said("");
  message.content.files.push_back({"", "image/png", 1, "a.png"});
  CHECK(body(shown(message)) == "(A file that cannot be shown here: a.png)");
}

TEST_CASE("Files have messages of their own, in their order, behind the words (XEP-0447 §4.1, XEP-0066)") {
  connector::MessageReceived message = said("look");
  connector::File rose{"https://x.test/rose.png", "image/png", 12, "rose.png"};
  rose.sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  message.content.files = {rose, {"https://x.test/voice", "audio/ogg", 0}, {"", "image/png", 0, "a.png"}};
  message.content.files[1].duration = 1500;
  const auto stanzas = to_stanzas(message, context());
  REQUIRE(stanzas.size() == 3);
  CHECK(body(stanzas[0]) == "look\n(A file that cannot be shown here: a.png)");
  CHECK_FALSE(stanzas[0].child("x", ns::oob));
  CHECK(body(stanzas[1]) == "https://x.test/rose.png");
  CHECK(stanzas[1].attribute("id") == "w1-2");
  CHECK(stanzas[1].child("x", ns::oob)->child_text("url", ns::oob) == "https://x.test/rose.png");
  CHECK(stanzas[1].child("fallback", ns::fallback)->attribute("for") == ns::file_sharing);
  CHECK(stanzas[1].child("file-sharing", ns::file_sharing)->to_xml() ==
        "<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'><file xmlns='urn:xmpp:file:metadata:0'>"
        "<media-type>image/png</media-type><name>rose.png</name><size>12</size><hash xmlns='urn:xmpp:hashes:2' "
        "algo='sha-256'>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</hash></file><sources><url-data "
        "xmlns='http://jabber.org/protocol/url-data' target='https://x.test/rose.png'/></sources></file-sharing>");
  CHECK(body(stanzas[2]) == "https://x.test/voice");
  CHECK(stanzas[2]
            .child("file-sharing", ns::file_sharing)
            ->child("file", ns::file_metadata)
            ->child_text("length", ns::file_metadata) == "1500");
}

TEST_CASE("A file alone is one message, which has the name of the whole") {
  connector::MessageReceived message = said(" ");
  message.content.files = {{"https://x.test/rose.png", "image/png", 12}};
  message.content.reply_to = connector::Reply{{{"m1"}}, {}, "a rose?"};
  const xmpp::Element stanza = shown(message);
  CHECK(body(stanza) == "https://x.test/rose.png");
  CHECK(stanza.child("reply", ns::reply)->attribute("id") == "m1");
  message.from_me = true;
  CHECK(body(shown(message)) == "‹You›: > a rose?\n \nhttps://x.test/rose.png");
}

TEST_CASE("A message can be marked as read where the network wants to know (XEP-0333)") {
  StanzaContext marks = context();
  marks.takes_read_marks = true;
  CHECK(to_stanzas(said("hi"), marks).front().child("markable", ns::chat_markers));
  CHECK_FALSE(shown(said("hi")).child("markable", ns::chat_markers));
}

TEST_CASE("What the network tells its user the gateway brings") {
  const xmpp::Element stanza = shown(connector::AccountNotice{{"e1"}, "Your plan has ended."});
  CHECK(stanza.attribute("from") == "rich.test");
  CHECK(body(stanza) == "Your plan has ended.");
}

TEST_CASE("A message of thousands of files is no flood of stanzas") {
  connector::MessageReceived message = said("a");
  for (int i = 0; i < 5000; ++i) message.content.files.push_back({"https://h.test/" + std::to_string(i) + ".jpg", ""});
  CHECK(to_stanzas(message, context()).size() <= 100);
}

TEST_CASE("An edit of the words does not show the file again") {
  connector::MessageReceived message = said("new words");
  message.content.files.push_back({"https://h.test/a.jpg", ""});
  connector::MessageEdited edit{chat, {"juliet"}, {"e1"}, {"w1"}, message.content, base::from_milliseconds(1000)};
  const auto stanzas = to_stanzas(edit, context());
  CHECK(body(stanzas.front()) == "new words");
}

// What a user's message says to the network, case by case.
#include "gateway/convert/to_action.hpp"

#include "gateway/connector/action_codec.hpp"
#include "gateway/xmpp/stream_parser.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace wherry;
using namespace wherry::convert;

namespace {

ActionOrRefusal read(const std::string& children) {
  return to_action(std::get<xmpp::Element>(
      xmpp::parse_document("<message xmlns='jabber:component:accept' type='chat'>" + children + "</message>")));
}

const connector::Content* content_of(const ActionOrRefusal& result) {
  const auto* action = std::get_if<connector::Action>(&result);
  if (!action) return nullptr;
  if (const auto* edit = std::get_if<connector::EditMessage>(action)) return &edit->content;
  const auto* message = std::get_if<connector::SendMessage>(action);
  return message ? &message->content : nullptr;
}

// What is sent in words.
std::string text_of(const std::string& children) {
  const auto result = read(children);
  if (const auto* content = content_of(result)) return content->text;
  return std::holds_alternative<xmpp::StanzaError>(result) ? "(refused)" : "(nothing)";
}

// What the network is asked for, as the codec writes it, but for the chat and the key.
std::string action_of(const std::string& children) {
  auto result = read(children);
  auto* action = std::get_if<connector::Action>(&result);
  if (!action) return text_of(children);
  if (auto* chat = connector::chat_of(*action)) *chat = base::ContactId{"j"};
  return connector::to_text(*action);
}

// The sentence, or what went wrong instead.
std::string refusal_of(const std::string& children) {
  const auto result = read(children);
  const auto* error = std::get_if<xmpp::StanzaError>(&result);
  return error ? error->text : "not refused: " + text_of(children);
}

}  // namespace

TEST_CASE("What a person writes is the text, and a subject stands above it, or alone") {
  CHECK(text_of("<body>hi</body>") == "hi");
  CHECK(text_of("<subject>dinner</subject><body>at eight?</body>") == "dinner\nat eight?");
  CHECK(text_of("<subject>dinner</subject>") == "dinner");
  CHECK(text_of("<subject>dinner</subject><body/>") == "dinner");
  CHECK(text_of("<body>hi</body><active xmlns='http://jabber.org/protocol/chatstates'/>") == "hi");
}

TEST_CASE("Typing, receipts, markers and hints are nothing to send (XEP-0085, XEP-0184, XEP-0333, XEP-0334)") {
  for (const char* children :
       {"", "<body/>", "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<received xmlns='urn:xmpp:receipts' id='n1'/>", "<displayed xmlns='urn:xmpp:chat-markers:0' id='n1'/>",
        "<no-store xmlns='urn:xmpp:hints'/>", "<thread>t</thread>",
        "<event xmlns='http://jabber.org/protocol/pubsub#event'/>",
        "<ringing xmlns='urn:xmpp:jingle-message:0' id='c1'/>"}) {
    CAPTURE(children);
    CHECK(text_of(children) == "(nothing)");
  }
}

TEST_CASE(
    "Encryption is refused with what to switch off (XEP-0027, XEP-0364, XEP-0373, XEP-0380, XEP-0384, XEP-0454)") {
  struct Row {
    const char *children, *method;
  };
  const Row rows[] = {
      {"<body>?OTRv23?\nromeo asks for a private conversation.</body>", "OTR"},
      {"<body>?OTR:AAMDJ+MVmSfjFZcAAAAAAQ==.</body>", "OTR"},
      {"<body>?OTR|5a73a599|27e31597,00001,00003,?OTR:AA,</body>", "OTR"},
      {"<body>?OTR Error: You transmitted an unreadable encrypted message.</body>", "OTR"},
      {"<body>\n-----BEGIN PGP MESSAGE-----\nhQEMA\n-----END PGP MESSAGE-----</body>", "OpenPGP"},
      {"<body>This message is encrypted.</body><x xmlns='jabber:x:encrypted'>hQEMA</x>", "OpenPGP"},
      {"<openpgp xmlns='urn:xmpp:openpgp:0'>hQEMA</openpgp>", "OpenPGP (OX)"},
      {"<body>I sent you an OMEMO encrypted message.</body><encrypted "
       "xmlns='eu.siacs.conversations.axolotl'><payload>x</payload></encrypted>",
       "OMEMO"},
      {"<encrypted xmlns='urn:xmpp:omemo:2'><header/><payload>x</payload></encrypted>", "OMEMO"},
      {"<body>Encrypted.</body><encryption xmlns='urn:xmpp:eme:0' namespace='urn:example'/>", "encryption"},
      {"<body>aesgcm://files.x.test/a.jpg#0011\ndata:image/jpeg,1</body>", "OMEMO (or the encryption of files)"},
      {"<x xmlns='jabber:x:oob'><url>aesgcm://files.x.test/a.jpg#0011</url></x>", "OMEMO (or the encryption of files)"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.children);
    CHECK(refusal_of(row.children) == "This network cannot carry encrypted messages. Please switch " +
                                          std::string(row.method) + " off for this contact.");
  }
  CHECK(text_of("<body>What is aesgcm:// for, and OTR? ?OTR</body>") == "What is aesgcm:// for, and OTR? ?OTR");
}

TEST_CASE("A key transport of OMEMO is nobody's message (XEP-0384 §4.6)") {
  CHECK(text_of("<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted><store "
                "xmlns='urn:xmpp:hints'/>") == "(nothing)");
  CHECK(text_of("<encrypted xmlns='urn:xmpp:omemo:2'><header/></encrypted>") == "(nothing)");
  CHECK(text_of("<encrypted xmlns='eu.siacs.conversations.axolotl'><header/></encrypted><body>placeholder</body>") ==
        "(refused)");
}

TEST_CASE("The tag with which OTR programs show themselves is cut off (OTR v3, whitespace tags)") {
  const std::string tag = " \t  \t\t\t\t \t \t \t  ", v2 = "  \t\t  \t ", v3 = "  \t\t  \t\t";
  CHECK(text_of("<body>hi" + tag + v2 + v3 + "</body>") == "hi");
  CHECK(text_of("<body>hi" + tag + v2 + "there</body>") == "hithere");
  CHECK(text_of("<body>" + tag + v2 + "</body>") == "(nothing)");
  CHECK(text_of("<body>a \t b</body>") == "a \t b");
}

TEST_CASE("Taking a message back names it, whatever placeholder stands beside it (XEP-0424)") {
  const std::string body = "<body>This person attempted to retract a previous message.</body>";
  const char* expected = R"({"type":"retract_message","chat":"c:j","key":"","target":{"ids":["m0"]}})";
  for (const std::string& retraction :
       {std::string("<retract xmlns='urn:xmpp:message-retract:1' id='m0'/>"),
        std::string(
            "<apply-to xmlns='urn:xmpp:fasten:0' id='m0'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>")}) {
    CHECK(action_of(retraction) == expected);
    CHECK(action_of(body + "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/>" + retraction) ==
          expected);
  }
  CHECK(refusal_of(body + "<retract xmlns='urn:xmpp:message-retract:1'/>") ==
        "This network cannot take a message back: it stays with your contact.");
}

TEST_CASE(
    "What a network cannot carry is refused by its name, not dropped (XEP-0249, XEP-0353, XEP-0385, XEP-0444, "
    "XEP-0447)") {
  const auto refused = [](std::string what) {
    return "This network cannot carry " + what + "; your contact was sent nothing.";
  };
  CHECK(refusal_of("<x xmlns='jabber:x:conference' jid='room@muc.x.test'/>") == refused("invitations to rooms"));
  CHECK(refusal_of("<propose xmlns='urn:xmpp:jingle-message:0' id='c1'/>") == refused("calls"));
  CHECK(refusal_of("<file-sharing xmlns='urn:xmpp:sfs:0'><sources><jinglepub xmlns='urn:xmpp:jinglepub:1' id='j'/>"
                   "</sources></file-sharing><body>look</body>") == refused("files that are sent in this way"));
  CHECK(refusal_of("<reference xmlns='urn:xmpp:reference:0' type='data'/>") ==
        refused("files that are sent in this way"));
  CHECK(refusal_of("<geoloc xmlns='http://jabber.org/protocol/geoloc'/>") == refused("places of this kind"));
  CHECK(text_of("<body>https://files.x.test/a.jpg</body><file-sharing xmlns='urn:xmpp:sfs:0'/>"
                "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body/></fallback>") ==
        "https://files.x.test/a.jpg");
}

TEST_CASE("A placeholder is not sent: its part of the text goes, and what is nothing else is refused (XEP-0428)") {
  const auto fallback = [](const std::string& body) {
    return "<fallback xmlns='urn:xmpp:fallback:0' for='urn:example:poll'>" + body + "</fallback>";
  };
  CHECK(text_of("<body>A poll: what to eat?</body>" + fallback("")) == "(refused)");
  CHECK(text_of("<body>A poll: what to eat?</body>" + fallback("<body/>")) == "(refused)");
  CHECK(text_of("<body>A poll</body>" + fallback("<body start='0' end='6'/>")) == "(refused)");
  CHECK(text_of("<body>&gt; é🌹\nyes</body>" + fallback("<body start='0' end='5'/>")) == "yes");
  CHECK(text_of("<body>one two three</body>" + fallback("<body start='8' end='13'/>") +
                fallback("<body start='0' end='4'/>")) == "two ");
  for (const char* nonsense : {"<body start='5' end='2'/>", "<body start='0' end='99'/>", "<body start='-1' end='2'/>",
                               "<body start='x'/>", "<subject/>"}) {
    CAPTURE(nonsense);
    CHECK(text_of("<body>hello</body>" + fallback(nonsense)) == "hello");
  }
}

TEST_CASE("Placeholders may lie in any order, over each other and at the same place, and be many (XEP-0428)") {
  const auto fallback = [](std::size_t begin, std::size_t end) {
    return "<fallback xmlns='urn:xmpp:fallback:0' for='n'><body start='" + std::to_string(begin) + "' end='" +
           std::to_string(end) + "'/></fallback>";
  };
  std::minstd_rand random(1);
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    std::vector<std::string> characters;
    for (std::size_t i = 0; i < 40; ++i) characters.push_back(i % 3 == 0 ? "é" : i % 3 == 1 ? "🌹" : "a");
    std::vector<bool> is_kept(characters.size(), true);
    std::string children = "<body>";
    for (const std::string& character : characters) children += character;
    children += "</body>";
    for (auto count = random() % 8; count > 0; --count) {
      const std::size_t begin = random() % 40, end = begin + random() % (41 - begin);
      children += fallback(begin, end);
      for (std::size_t i = begin; i < end; ++i) is_kept[i] = false;
    }
    std::string expected;
    for (std::size_t i = 0; i < characters.size(); ++i) expected += is_kept[i] ? characters[i] : "";
    CHECK(text_of(children) == (expected.empty() ? "(refused)" : expected));
  }
  std::string many = "<body>" + std::string(1700, 'x') + "y</body>";
  for (std::size_t i = 1700; i-- > 0;) many += fallback(i, i + 1);
  CHECK(text_of(many) == "y");
}

TEST_CASE("A message whose id is too long to be kept is refused, and what says nothing is not answered") {
  const auto read_with_id = [](std::size_t bytes, const std::string& children) {
    return to_action(std::get<xmpp::Element>(xmpp::parse_document(
        "<message xmlns='jabber:component:accept' id='" + std::string(bytes, 'i') + "'>" + children + "</message>")));
  };
  CHECK(content_of(read_with_id(1024, "<body>hi</body>")));
  const auto refused = read_with_id(1025, "<body>hi</body>");
  REQUIRE(std::holds_alternative<xmpp::StanzaError>(refused));
  CHECK(std::get<xmpp::StanzaError>(refused).text ==
        "This message's id is too long: programs give ids of 1024 bytes at most.");
  CHECK(std::holds_alternative<NothingToSend>(read_with_id(1025, "")));
}

TEST_CASE("A text is too long before its placeholders are looked for: that is work") {
  const std::string body = std::string(63 << 10, 'x') + std::string(4 << 10, 'y');
  const std::string fallback = "<fallback xmlns='urn:xmpp:fallback:0'><body start='0' end='64512'/></fallback>";
  CHECK(refusal_of("<body>" + body + "</body>" + fallback) ==
        "This message is too long: at most 65536 bytes can be sent.");
}

TEST_CASE(
    "A reply goes out without the quotation that programs put above it, and never without what was written (XEP-0461 "
    "§3.2)") {
  const std::string reply = "<reply xmlns='urn:xmpp:reply:0' id='m0'/>";
  const std::string head = "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'";
  CHECK(text_of("<body>&gt; at eight?\nyes</body>" + reply + head + "><body start='0' end='12'/></fallback>") == "yes");
  CHECK(text_of("<body>yes</body>" + reply + head + "/>") == "yes");
  CHECK(text_of("<body>yes</body>" + reply + head + "><body/></fallback>") == "yes");
}

TEST_CASE("A correction names what it corrects, and one that leaves nothing takes the message back (XEP-0308)") {
  const std::string replace = "<replace xmlns='urn:xmpp:message-correct:0' id='m0'/>";
  CHECK(action_of("<body>at nine</body>" + replace) ==
        R"({"type":"edit_message","chat":"c:j","key":"","target":{"ids":["m0"]},"text":"at nine"})");
  CHECK(action_of("<body/>" + replace) ==
        R"({"type":"retract_message","chat":"c:j","key":"","target":{"ids":["m0"]}})");
  CHECK(text_of("<body>at nine</body><replace xmlns='urn:xmpp:message-correct:0'/>") == "✎ at nine");
}

TEST_CASE("All reactions of the user to a message are asked for at once, with bounds (XEP-0444 §4.2)") {
  const auto react = [](const std::string& children, const std::string& id = "m0") {
    return action_of(
        "<body>👍</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reactions:0'/><reactions "
        "xmlns='urn:xmpp:reactions:0' id='" +
        id + "'>" + children + "</reactions>");
  };
  CHECK(react("<reaction>👍</reaction><reaction>♥</reaction>") ==
        R"({"type":"react","chat":"c:j","key":"","target":{"ids":["m0"]},"reactions":["👍","♥"]})");
  CHECK(react("") == R"({"type":"react","chat":"c:j","key":"","target":{"ids":["m0"]},"reactions":[]})");
  CHECK(react("<reaction>👍</reaction>", "") == "(refused)");
  CHECK(react("<reaction>" + std::string(65, 'x') + "</reaction>") == "(refused)");
  std::string many;
  for (int i = 0; i < 21; ++i) many += "<reaction>👍</reaction>";
  CHECK(react(many) == "(refused)");
}

TEST_CASE("A reply names what it answers to, with the words that it quotes (XEP-0461)") {
  const std::string reply = "<reply xmlns='urn:xmpp:reply:0' id='m0'/>";
  const std::string quoted =
      "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='18'/></fallback>";
  CHECK(
      action_of("<body>&gt; at eight,\n&gt; ok?\nyes</body>" + reply + quoted) ==
      R"({"type":"send_message","chat":"c:j","key":"","text":"yes","reply_to":{"ids":["m0"],"text":"at eight,\nok?"}})");
  // Whom it quotes is no part of the quotation.
  CHECK(
      action_of("<body>&gt; j@d:\n&gt; ok?\nyes</body><reply xmlns='urn:xmpp:reply:0' id='m0' to='j@d/phone'/>"
                "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='13'/></fallback>") ==
      R"({"type":"send_message","chat":"c:j","key":"","text":"yes","reply_to":{"ids":["m0"],"text":"ok?"}})");
  CHECK(action_of("<body>yes</body>" + reply) ==
        R"({"type":"send_message","chat":"c:j","key":"","text":"yes","reply_to":{"ids":["m0"]}})");
}

TEST_CASE("Typing and read marks are asked for where nothing is said in words (XEP-0085, XEP-0333)") {
  CHECK(action_of("<composing xmlns='http://jabber.org/protocol/chatstates'/>") ==
        R"({"type":"set_typing","chat":"c:j","typing":true})");
  CHECK(action_of("<paused xmlns='http://jabber.org/protocol/chatstates'/>") ==
        R"({"type":"set_typing","chat":"c:j","typing":false})");
  CHECK(action_of("<displayed xmlns='urn:xmpp:chat-markers:0' id='w1'/>") ==
        R"({"type":"mark_read","chat":"c:j","target":{"ids":["w1"]}})");
}

TEST_CASE("A file is its link, once (XEP-0066)") {
  const auto result = read("<body>look</body><x xmlns='jabber:x:oob'><url>https://x.test/a.png</url></x>");
  REQUIRE(content_of(result));
  const connector::Content& content = *content_of(result);
  CHECK(content.text == "look");
  REQUIRE(content.files.size() == 1);
  CHECK(content.files[0].url == "https://x.test/a.png");
  const auto same =
      read("<body>https://x.test/a.png</body><x xmlns='jabber:x:oob'><url>https://x.test/a.png</url></x>");
  CHECK(content_of(same)->text.empty());
  REQUIRE(content_of(same)->files.size() == 1);
  CHECK(content_of(same)->files[0].media_type == "image/png");
  const auto among =
      read("<body>one\nhttps://x.test/a.png\ntwo</body><x xmlns='jabber:x:oob'><url>https://x.test/a.png</url></x>");
  CHECK(content_of(among)->text == "one\ntwo");
}

TEST_CASE("A link that is no file stays in the text (XEP-0066)") {
  const auto other = read("<body>join us</body><x xmlns='jabber:x:oob'><url>xmpp:room@muc.x.test?join</url></x>");
  CHECK(content_of(other)->text == "join us\nxmpp:room@muc.x.test?join");
  CHECK(content_of(other)->files.empty());
  const std::string endless = "https://x.test/" + std::string(3000, 'a');
  CHECK(content_of(read("<x xmlns='jabber:x:oob'><url>" + endless + "</url></x>"))->text == endless);
}

TEST_CASE("A file is what the message says of it, once, however often it is said (XEP-0447, XEP-0385)") {
  const std::string metadata =
      "<media-type>Image/JPEG</media-type><name>summit.jpg</name><size>3032449</size><width>4096</width>"
      "<height>2160</height><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>"
      "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</hash>";
  const std::string sharing =
      "<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'><file xmlns='urn:xmpp:file:metadata:0'>" + metadata +
      "</file><sources><url-data xmlns='http://jabber.org/protocol/url-data' target='https://x.test/s.jpg'/></sources>"
      "</file-sharing>";
  const std::string sims =
      "<reference xmlns='urn:xmpp:reference:0' type='data'><media-sharing xmlns='urn:xmpp:sims:1'>"
      "<file xmlns='urn:xmpp:jingle:apps:file-transfer:5'>" +
      metadata +
      "</file><sources><reference xmlns='urn:xmpp:reference:0' type='data' uri='https://x.test/s.jpg'/></sources>"
      "</media-sharing></reference>";
  const std::string fallback =
      "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body/></fallback><body>https://x.test/s.jpg</body>"
      "<x xmlns='jabber:x:oob'><url>https://x.test/s.jpg</url></x>";
  for (const std::string& message : {sharing, sims, sharing + sims, sharing + fallback, sims + sharing + fallback}) {
    CAPTURE(message);
    const auto result = read(message);
    REQUIRE(content_of(result));
    CHECK(content_of(result)->text.empty());
    REQUIRE(content_of(result)->files.size() == 1);
    const connector::File& file = content_of(result)->files[0];
    CHECK(file.url == "https://x.test/s.jpg");
    CHECK(file.media_type == "image/jpeg");
    CHECK(file.name == "summit.jpg");
    CHECK(file.bytes == 3032449);
    CHECK(file.width == 4096);
    CHECK(file.height == 2160);
    CHECK(file.sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  }
  const auto captioned = read("<body>Look at the view.</body>" + sharing);
  CHECK(content_of(captioned)->text == "Look at the view.");
  CHECK(content_of(captioned)->files.size() == 1);
}

TEST_CASE("Several files stay in their order; one whose link comes later is waited for (XEP-0447 §4.2, §4.3)") {
  std::string message;
  for (const char* name : {"b", "a", "c"})
    message += std::string("<file-sharing xmlns='urn:xmpp:sfs:0' id='") + name +
               "'><file xmlns='urn:xmpp:file:metadata:0'/><sources><url-data "
               "xmlns='http://jabber.org/protocol/url-data' target='https://x.test/" +
               name + ".png'/></sources></file-sharing>";
  const auto several = read(message);
  REQUIRE(content_of(several)->files.size() == 3);
  CHECK(content_of(several)->files[0].url == "https://x.test/b.png");
  CHECK(content_of(several)->files[2].url == "https://x.test/c.png");
  CHECK(text_of("<file-sharing xmlns='urn:xmpp:sfs:0' id='a'><file xmlns='urn:xmpp:file:metadata:0'/>"
                "</file-sharing>") == "(nothing)");
  const auto later = read(
      "<attach-to xmlns='urn:xmpp:message-attaching:1' id='m1'/><sources xmlns='urn:xmpp:sfs:0' id='a'><url-data "
      "xmlns='http://jabber.org/protocol/url-data' target='https://x.test/a.png'/></sources>");
  CHECK(content_of(later)->files.size() == 1);
}

TEST_CASE("What a message says of a file is believed only as far as it can be so") {
  const auto file = [](const std::string& metadata, const std::string& url) {
    const auto result = read("<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>" + metadata +
                             "</file><sources><url-data xmlns='http://jabber.org/protocol/url-data' target='" + url +
                             "'/></sources></file-sharing><body>x</body>");
    const auto* content = content_of(result);
    return content ? content->files : std::vector<connector::File>();  // refused: nobody can fetch it
  };
  for (const char* url : {"file:///etc/passwd", "javascript:alert(1)", "https://x.test/a b", "", "aesgcm:x"})
    CHECK(file("", url).empty());
  const auto odd = file(
      "<media-type>image/png; charset=\"x\"</media-type><size>-1</size><width>99999999999</width>"
      "<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>AAAA</hash><name> " +
          std::string(1000, 'n') + "</name>",
      "https://x.test/a");
  REQUIRE(odd.size() == 1);
  CHECK(odd[0].media_type.empty());
  CHECK(odd[0].bytes == 0);
  CHECK(odd[0].width == 0);
  CHECK(odd[0].sha256.empty());
  CHECK(odd[0].name.size() == 256);
}

TEST_CASE("A place is a link that phones open (XEP-0080, RFC 5870)") {
  CHECK(text_of("<geoloc xmlns='http://jabber.org/protocol/geoloc'><lat>45.44</lat><lon>12.33</lon></geoloc>") ==
        "geo:45.440000,12.330000");
  CHECK(text_of("<body>geo:45.44,12.33</body><geoloc xmlns='http://jabber.org/protocol/geoloc'><lat>45.44</lat>"
                "<lon>12.33</lon></geoloc>") == "geo:45.44,12.33");
  CHECK(text_of("<body>here</body><geoloc xmlns='http://jabber.org/protocol/geoloc'><lat>91</lat><lon>0</lon>"
                "</geoloc>") == "here");
}

TEST_CASE("A text longer than anything is refused with the limit") {
  CHECK(refusal_of("<body>" + std::string((64 << 10) + 1, 'a') + "</body>") ==
        "This message is too long: at most 65536 bytes can be sent.");
}

namespace {
std::string files_in(const std::string& children) {
  const auto result = read(children);
  if (const auto* content = content_of(result)) {
    std::string out = "text=[" + content->text + "] files=" + std::to_string(content->files.size());
    for (const auto& f : content->files) out += " " + f.url;
    return out;
  }
  return std::holds_alternative<xmpp::StanzaError>(result) ? "(refused)" : "(nothing)";
}
}  // namespace

TEST_CASE("No file of a message is lost without a word, however many there are") {
  std::string children, body;
  for (int i = 0; i < 33; ++i) {
    const std::string url = "https://h.test/" + std::to_string(1000 + i) + ".jpg";
    body += (body.empty() ? "" : "\n") + url;
    children +=
        "<file-sharing xmlns='urn:xmpp:sfs:0'><sources><url-data xmlns='http://jabber.org/protocol/url-data' target='" +
        url + "'/></sources></file-sharing>";
  }
  children += "<body>" + body + "</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body/></fallback>";
  const std::string got = files_in(children);
  CAPTURE(got);
  CHECK((got == "(refused)" || got.find("1032.jpg") != got.npos));
}

TEST_CASE("A file out of reach is not lost without a word beside one that is not") {
  const std::string got = files_in(
      "<body>https://h.test/a.jpg\nhttps://h.test/b.enc</body>"
      "<file-sharing xmlns='urn:xmpp:sfs:0'><sources><url-data xmlns='http://jabber.org/protocol/url-data' "
      "target='https://h.test/a.jpg'/></sources></file-sharing>"
      "<file-sharing xmlns='urn:xmpp:sfs:0'><sources><encrypted xmlns='urn:xmpp:esfs:0'/></sources></file-sharing>"
      "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body/></fallback>");
  CAPTURE(got);
  CHECK((got == "(refused)" || got.find("b.enc") != got.npos));
}

TEST_CASE("What is said of a link or a file is not lost (XEP-0066, XEP-0446)") {
  const std::string got =
      files_in("<x xmlns='jabber:x:oob'><url>https://h.test/a.jpg</url><desc>Meet me here</desc></x>");
  CAPTURE(got);
  CHECK(got.find("Meet me here") != got.npos);
  const std::string sfs = files_in(
      "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><desc>Meet me here</desc></file>"
      "<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='https://h.test/a.jpg'/></sources>"
      "</file-sharing>");
  CAPTURE(sfs);
  CHECK(sfs.find("Meet me here") != sfs.npos);
}

TEST_CASE("A correction that announces files is no retraction (XEP-0447 §4.2)") {
  const std::string got = action_of(
      "<replace xmlns='urn:xmpp:message-correct:0' id='m1'/><file-sharing xmlns='urn:xmpp:sfs:0'>"
      "<file xmlns='urn:xmpp:file:metadata:0'><name>a.jpg</name></file></file-sharing>");
  CAPTURE(got);
  CHECK(got.find("retract") == got.npos);
}

TEST_CASE("Words beside a link in one line stay") {
  const std::string got =
      files_in("<body>https://h.test/a.jpg?x hello</body><x xmlns='jabber:x:oob'><url>https://h.test/a.jpg</url></x>");
  CAPTURE(got);
  CHECK(got.find("hello") != got.npos);
}

TEST_CASE("A link that begins another one in the body is not lost") {
  const std::string got =
      files_in("<body>xmpp:room@a.test?join;x=1</body><x xmlns='jabber:x:oob'><url>xmpp:room@a.test</url></x>");
  CAPTURE(got);
  CHECK(got.find("xmpp:room@a.test\n") + got.find("\nxmpp:room@a.test]") != got.npos);
}

TEST_CASE("A file out of reach is refused in whichever way it is shared (XEP-0385)") {
  const std::string sims =
      "<reference xmlns='urn:xmpp:reference:0' type='data'><media-sharing xmlns='urn:xmpp:sims:1'><sources><reference "
      "xmlns='urn:xmpp:reference:0' type='data' uri='cid:sha1+00@bob.xmpp.org'/></sources></media-sharing></reference>";
  const std::string a = files_in("<body>hello</body>" + sims);
  CAPTURE(a);
  CHECK(a == "(refused)");
  const std::string b = files_in(
      "<body>hello\nhttps://h.test/a</body><fallback xmlns='urn:xmpp:fallback:0' "
      "for='urn:xmpp:sims:1'><body start='6' end='22'/></fallback>" +
      sims);
  CAPTURE(b);
  CHECK((b == "(refused)" || b.find("https://h.test/a") != b.npos));
}

TEST_CASE("Older programs describe a file in an older way (XEP-0234)") {
  const auto result = read(
      "<body>https://h.test/x</body><reference xmlns='urn:xmpp:reference:0' type='data'><media-sharing "
      "xmlns='urn:xmpp:sims:1'><file xmlns='urn:xmpp:jingle:apps:file-transfer:4'><media-type>image/png</media-type>"
      "<name>a.png</name></file><sources><reference xmlns='urn:xmpp:reference:0' type='data' "
      "uri='https://h.test/x'/></sources></media-sharing></reference>");
  REQUIRE(content_of(result));
  CHECK(content_of(result)->files.at(0).media_type == "image/png");
}

TEST_CASE("Of several links in the words one that is no file stays") {
  const std::string got = files_in(
      "<body>first:\nhttps://h.test/a.jpg\nsecond:\nhttps://h.test/b.jpg</body>"
      "<x xmlns='jabber:x:oob'><url>https://h.test/a.jpg</url></x>");
  CAPTURE(got);
  CHECK(got.find("b.jpg") != got.npos);
}

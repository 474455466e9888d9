#include "connectors/msn/convert/lists.hpp"
#include "connectors/msn/convert/message.hpp"
#include "connectors/msn/convert/percent.hpp"
#include "connectors/msn/convert/status.hpp"
#include "gateway/base/text.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::msn;
using connector::Availability;

namespace {

std::vector<std::string> to_text_payloads(std::string_view text) {
  std::vector<std::string> payloads;
  for (const std::string& part : to_text_parts(text)) payloads.push_back(to_text_payload(part));
  return payloads;
}

}  // namespace

TEST_CASE("Percent-encoding comes back as it went, whatever the text") {
  CHECK(to_percent("Alice W 100%") == "Alice%20W%20100%25");
  CHECK(to_percent("a@x.test") == "a@x.test");
  for (const char* text : {"", "plain", "a b%c=d,e", "Zoë ☃ 💃", "100%", "%41"})
    CHECK(from_percent(to_percent(text)) == text);
}

TEST_CASE("Names are read however a server writes them") {
  CHECK(from_percent("Zo%c3%ab") == "Zoë");
  CHECK(from_percent("Zoë%20raw") == "Zoë raw");
  CHECK(from_percent("50%") == "50%");
  CHECK(from_percent("50%zz") == "50%zz");
  CHECK(from_percent("Zo%EB") == "Zoë");  // ISO 8859-1
  CHECK(from_percent("a%0D%0Ab%00") == "ab");
}

TEST_CASE("A status is what it is nearest to") {
  CHECK(to_availability("NLN") == Availability::online);
  CHECK(to_availability("BSY") == Availability::do_not_disturb);
  CHECK(to_availability("PHN") == Availability::do_not_disturb);
  for (const char* code : {"AWY", "IDL", "BRB", "LUN"}) CHECK(to_availability(code) == Availability::away);
  CHECK(to_availability("FLN") == Availability::offline);
  CHECK(to_availability("XXX") == Availability::online);
  CHECK(to_status_code(Availability::chat) == "NLN");
  CHECK(to_status_code(Availability::do_not_disturb) == "BSY");
  CHECK(to_status_code(Availability::extended_away) == "AWY");
  CHECK(to_status_code(Availability::offline) == "AWY");
}

TEST_CASE("A personal message comes back as it went, on one line, and is cut between characters") {
  for (const char* text : {"", "busy & \"happy\" <3", "Zoë ☃"})
    CHECK(parse_personal_message(to_personal_message(text)) == text);
  CHECK(parse_personal_message(to_personal_message("a\nb")) == "a b");
  std::string snow;
  for (int i = 0; i < 200; ++i) snow += "☃";
  const std::string cut = parse_personal_message(to_personal_message(snow));
  CHECK(cut.size() <= most_personal_message_bytes);
  CHECK(cut.size() > most_personal_message_bytes - 3);
  CHECK(base::is_utf8(cut));
}

TEST_CASE("A personal message is read leniently") {
  CHECK(parse_personal_message("<Data><PSM>a &#233; &#xE9; &apos;&nonsense; &</PSM></Data>") == "a é é '&nonsense; &");
  CHECK(parse_personal_message("<Data><PSM></PSM></Data>").empty());
  CHECK(parse_personal_message("").empty());
  CHECK(parse_personal_message("<PSM>unfinished").empty());
  CHECK(parse_personal_message("<PSM>&#xD800;&#0;</PSM>") == "&#xD800;&#0;");
}

TEST_CASE("A text is one payload where it fits, with the line ends that MSN has") {
  const auto payloads = to_text_payloads("one\ntwo\r\nthree");
  REQUIRE(payloads.size() == 1);
  CHECK(payloads[0].ends_with("\r\n\r\none\r\ntwo\r\nthree"));
  CHECK(read_payload(payloads[0]).kind == Spoken::Kind::text);
  CHECK(read_payload(payloads[0]).text == "one\ntwo\nthree");
}

TEST_CASE("A long text is cut where no character is torn, each payload within the limit, and nothing is lost") {
  const std::string family = "👨‍👩‍👧‍👦", flag = "🇩🇪", accent = "e\u0301";
  for (const std::string& cluster : {family, flag, accent, std::string("x"), std::string("\r\n")}) {
    for (std::size_t shift = 0; shift < 8; ++shift) {
      std::string text(shift, 'a');
      while (text.size() < 4000) text += cluster;
      std::string back;
      const auto payloads = to_text_payloads(text);
      CHECK(payloads.size() >= 3);
      for (const std::string& payload : payloads) {
        CHECK(payload.size() <= most_message_bytes);
        const std::string body = parse_payload(payload).body;
        CHECK((body.size() - (back.empty() ? shift : 0)) % cluster.size() == 0);
        back += body;
      }
      CHECK(back == text);
    }
  }
}

TEST_CASE("One cluster that is longer than a message is cut between its characters") {
  std::string zalgo = "a";
  while (zalgo.size() < 4000) zalgo += "\u0301";
  std::string back;
  for (const std::string& payload : to_text_payloads(zalgo)) {
    CHECK(payload.size() <= most_message_bytes);
    const std::string body = parse_payload(payload).body;
    CHECK(base::is_utf8(body));
    back += body;
  }
  CHECK(back == zalgo);
}

TEST_CASE("Payloads are what their type says, in any spelling of the headers") {
  CHECK(read_payload(to_typing_payload("a@x.test")).kind == Spoken::Kind::typing);
  CHECK(read_payload(to_nudge_payload()).kind == Spoken::Kind::nudge);
  CHECK(read_payload("mime-version: 1.0\r\nCONTENT-TYPE:text/PLAIN\r\n\r\nhi").text == "hi");
  CHECK(read_payload("Content-Type: text/x-msnmsgr-datacast\r\n\r\nID: 4\r\nData: dances\r\n").text == "/me dances");
  CHECK(read_payload("Content-Type: text/x-msnmsgr-datacast\r\n\r\nID: 2\r\n").kind == Spoken::Kind::nothing);
  CHECK(read_payload("Content-Type: application/x-msnmsgrp2p\r\n\r\n\1\2").kind == Spoken::Kind::nothing);
  CHECK(read_payload("Content-Type: text/x-msmsgsinvite\r\n\r\nInvitation-Command: INVITE").kind ==
        Spoken::Kind::picture);
  CHECK(read_payload("").kind == Spoken::Kind::nothing);
}

TEST_CASE("A text in chunks is put together; one that is never whole is given up") {
  ChunkedTexts chunks;
  const std::string one = "Content-Type: text/plain\r\nMessage-ID: {1}\r\nChunks: 3\r\n\r\nab";
  CHECK_FALSE(chunks.add(one));
  CHECK_FALSE(chunks.add("Message-ID: {1}\r\nChunk: 1\r\n\r\ncd"));
  CHECK(chunks.add("Content-Type: text/plain\r\n\r\nbetween") == "Content-Type: text/plain\r\n\r\nbetween");
  const auto whole = chunks.add("Message-ID: {1}\r\nChunk: 2\r\n\r\nef");
  REQUIRE(whole);
  CHECK(read_payload(*whole).text == "abcdef");
  CHECK_FALSE(chunks.add("Message-ID: {1}\r\nChunk: 2\r\n\r\nef"));
  for (int i = 0; i < 10; ++i) CHECK_FALSE(chunks.add("Message-ID: {" + std::to_string(i) + "}\r\nChunks: 2\r\n\r\na"));
  CHECK_FALSE(chunks.add("Message-ID: {0}\r\nChunk: 1\r\n\r\nb"));
  CHECK(chunks.add("Message-ID: {9}\r\nChunk: 1\r\n\r\nb"));
}

TEST_CASE("A member without a guid, without groups, or with neither is read; one without bits is not") {
  CHECK(parse_member({"N=A@x.test", "F=A%20B", "C=0123456789", "11", "1", "gggggggggg,hhhhhhhhhh"}) ==
        Member{"a@x.test", "A B", "0123456789", 11, {"gggggggggg", "hhhhhhhhhh"}});
  CHECK(parse_member({"N=a@x.test", "8", "1", ""}) == Member{"a@x.test", "", "", 8, {}});
  CHECK(parse_member({"N=a@x.test", "F=", "3"}) == Member{"a@x.test", "", "", 3, {}});
  CHECK_FALSE(parse_member({"N=a@x.test", "F=a"}));
  CHECK_FALSE(parse_member({"N=a@x.test", "many", "1"}));
  CHECK_FALSE(parse_member({"F=a", "3", "1"}));
}

TEST_CASE("An address has one true form") {
  CHECK(parse_email(" Juliet@X.test ") == "juliet@x.test");
  CHECK(parse_email("mailto:juliet@x.test") == "juliet@x.test");
  for (const char* wrong : {"juliet", "@x.test", "juliet@", "juliet@x", "a@b@c.test", "a b@x.test", "a@x .test", "",
                            "a@.test", "a@x.", "a\r\n@x.test", "zoë@x.test"})
    CHECK_FALSE(parse_email(wrong));
}

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
  CHECK(parse_personal_message("<PSM>one\r\ntwo\n\nthree\tfour\n</PSM>") == "one two three four");
  CHECK(parse_personal_message("<PSM>&#xD800;&#0;</PSM>") == "&#xD800;&#0;");
}

TEST_CASE("What somebody hears or plays is their personal message where they have no other") {
  const auto media = [](const std::string& words, const std::string& media) {
    return parse_personal_message("<Data><PSM>" + words + "</PSM><CurrentMedia>" + media + "</CurrentMedia></Data>");
  };
  const std::string song = R"(\0Music\01\0{0} - {1}\0It is the East\0Romeo &amp; Co\0\0\0)";
  CHECK(media("", song) == "♫ It is the East - Romeo & Co");
  CHECK(media("busy", song) == "busy");
  CHECK(media("", R"(\0Games\01\0Playing {0}\0Chess\0)") == "Playing Chess");
  for (const char* none :
       {"", R"(\0Music\00\0{0} - {1}\0a\0b\0)", R"(\0Music\01\0)", R"(\0Music\01\0{0} - {7}\0)", "Music"})
    CHECK(media("", none).empty());
  CHECK(media("", R"(\0Music\01\0{1}: {0} {9} {x}\0{1}\0b\0)") == "♫ b: {1} {9} {x}");
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
  CHECK(read_payload("Content-Type: text/x-msnmsgr-datacast\r\n\r\nID: 5\r\n").kind == Spoken::Kind::nothing);
  CHECK(read_payload("Content-Type: application/x-msnmsgrp2p\r\n\r\n\1\2").kind == Spoken::Kind::nothing);
  CHECK(read_payload("").kind == Spoken::Kind::nothing);
}

TEST_CASE(
    "A wink, a voice clip, a drawing and an offer of a file or a call are not carried, and said to be what they are") {
  const std::string cast = "Content-Type: text/x-msnmsgr-datacast\r\n\r\n", offer = "offers you a file or a call";
  const std::string slp =
      "Content-Type: application/x-msnmsgrp2p\r\nP2P-Dest: romeo@x.test\r\n\r\n" + std::string(48, '\0') +
      "INVITE MSNMSGR:romeo@x.test MSNSLP/1.0\r\nContent-Type: application/x-msnmsgr-sessionreqbody\r\n\r\nEUF-GUID: ";
  for (const auto& [payload, words] : std::vector<std::pair<std::string, std::string>>{
           {cast + "ID: 2\r\nData: <msnobj/>\r\n", "sends you a wink"},
           {cast + "ID: 3\r\nData: <msnobj/>\r\n", "sends you a voice clip"},
           {"Content-Type: image/gif\r\n\r\nbase64:AAAA", "sends you a drawing"},
           {"Content-Type: application/x-ms-ink\r\n\r\nbase64:AAAA", "sends you a drawing"},
           {"Content-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\nInvitation-Command: INVITE\r\n", offer},
           {slp + "{5D3E02AB-6190-11D3-BBBB-00C04F795683}\r\nSessionID: 1\r\n", offer}}) {
    CHECK(read_payload(payload).kind == Spoken::Kind::uncarried);
    CHECK(read_payload(payload).text == words);
  }
  for (const std::string& payload :
       {std::string("Content-Type: text/x-msmsgsinvite\r\n\r\nInvitation-Command: CANCEL\r\nCancel-Code: TIMEOUT\r\n"),
        std::string("Content-Type: text/x-msmsgsinvite\r\n\r\nInvitation-Command: ACCEPT\r\n"),
        slp + "{A4268EEC-FEC5-49E5-95C3-F126696BDBF6}\r\nSessionID: 1\r\n"})  // the user's picture is asked for
    CHECK(read_payload(payload).kind == Spoken::Kind::nothing);
}

TEST_CASE("A text that names who says it, as the accounts of groups do, says so") {
  const std::string head = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n";
  CHECK(read_payload(head + "P4-Context: Mercutio\r\n\r\na plague").speaker == "Mercutio");
  CHECK(read_payload(head + "\r\na plague").speaker.empty());
}

TEST_CASE("A text in more chunks or of more bytes than are taken is told as far as it goes, once, and says so") {
  for (const auto& [chunks, part] : {std::pair(100, std::string("ä")), std::pair(60, std::string(4000, 'b'))}) {
    ChunkedTexts texts;
    std::vector<std::string> told;
    const auto add = [&](const std::string& payload) {
      if (auto whole = texts.add(payload)) told.push_back(std::move(*whole));
    };
    add("Content-Type: text/plain\r\nMessage-ID: {1}\r\nChunks: " + std::to_string(chunks) + "\r\n\r\n" + part +
        "\xc3");
    for (int i = 1; i < chunks; ++i) {
      const std::string torn = part == "ä" ? "\xa4\xc3" : part;  // within a letter
      add("Message-ID: {1}\r\nChunk: " + std::to_string(i) + "\r\n\r\n" + torn);
    }
    REQUIRE(told.size() == 1);
    CHECK(told[0].size() < 70'000);
    CHECK(told[0].ends_with(" […]"));
    if (part == "ä") CHECK(base::is_utf8(told[0]));
  }
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
  CHECK(parse_email("Juliet%x.test") == "juliet@x.test");
  CHECK(parse_email("mailto:juliet@x.test") == "juliet@x.test");
  CHECK(parse_email("mailto:juliet@x.test?subject=Balcony") == "juliet@x.test");  // RFC 6068 §2
  for (const char* odd : {"juliet@x", "zoë@x.test", "a/b@x.test"}) CHECK(parse_email(odd) == odd);
  for (const char* wrong : {"juliet", "@x.test", "juliet@", "a@b@c.test", "a b@x.test", "a@x .test", "", "a@.test",
                            "a@x.", "a\r\n@x.test", "a%41@x.test", "a%b%x.test", "%x.test", "a%", "zo\xeb@x.test"})
    CHECK_FALSE(parse_email(wrong));
}

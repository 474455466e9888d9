#include "connectors/oscar/convert/charset.hpp"
#include "connectors/oscar/convert/html.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "connectors/oscar/convert/status.hpp"
#include "connectors/oscar/convert/text.hpp"
#include "tests/unit/oscar/octets.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::oscar;
using connector::Availability;
using tests::octets;

namespace {

IncomingMessage message(std::string sender, std::vector<TextPiece> pieces) {
  IncomingMessage made;
  made.cookie = "cookie01";
  made.sender.name = std::move(sender);
  made.pieces = std::move(pieces);
  return made;
}

std::string shown(const std::string& sender, std::uint16_t charset, std::string text,
                  const char* page = "windows-1252") {
  return text_of(message(sender, {{charset, std::move(text)}}), page);
}

}  // namespace

TEST_CASE("Texts in every charset that clients send") {
  CHECK(shown("100001", 0, "plain") == "plain");
  CHECK(shown("100001", 2, octets("043f 0440 d83d de00")) == "пр😀");
  CHECK(shown("100001", 2, octets("0041 0000 42")) == "A");
  CHECK(shown("100001", 3, octets("e9 80")) == "é€");
  CHECK(shown("100001", 3, octets("cff0e8"), "windows-1251") == "При");
  CHECK(shown("100001", 0, "пр") == "пр");                               // UTF-8 that calls itself ASCII
  CHECK(shown("100001", 0, octets("043f 0440")) == "пр");                // UTF-16 that does
  CHECK(shown("100001", 0, octets("cff0e8"), "windows-1251") == "При");  // a code page that does
  CHECK(text_of(message("100001", {{0, "a"}, {2, octets("00e9")}}), "windows-1252") == "aé");
  CHECK(shown("100001", 0, octets("03b3 03b5 03b9 03b1")) == "γεια");  // UTF-16, in other alphabets
  CHECK(shown("100001", 0, octets("05e9 05dc 05d5 05dd 0020 0061")) == "שלום a");
  CHECK(shown("100001", 0, octets("0e2a 0e27 0e31 0e2a")) == "สวัส");
  CHECK(shown("100001", 0, "a\tb\tc\t") == "a\tb\tc\t");
  CHECK(shown("100001", 3, "тест", "windows-1251") == "тест");  // UTF-8 that calls itself Latin-1 (SIM 0.9.5)
  CHECK(shown("100001", 3, octets("f2e5f1f2"), "windows-1251") == "тест");
  CHECK(base::is_utf8(shown("100001", 2, octets("d83d 0041 dc00"))));
  CHECK(base::is_utf8(from_code_page(octets("81 8d ff 00"), "windows-1252")));
}

TEST_CASE("Code pages are those that ICU has") {
  CHECK(is_code_page("windows-1251"));
  CHECK(is_code_page("KOI8-R"));
  CHECK_FALSE(is_code_page(""));
  CHECK_FALSE(is_code_page("windows-nonsense"));
}

TEST_CASE("What is sent is ASCII where that is enough") {
  CHECK(write_piece("hello") == TextPiece{0, "hello"});
  CHECK(write_piece("é😀") == TextPiece{2, octets("00e9 d83d de00")});
  // open-oscar-server takes HTML out of what ICQ users write in ASCII.
  for (const char* text : {"use <div> here", "</b>", "<!-- x", "AT&amp;T", "&#65;"}) {
    const auto pieces = to_pieces(text, true);
    REQUIRE(pieces.size() == 1);
    CHECK(pieces[0].charset == 2);
    CHECK(from_utf16(pieces[0].octets) == text);
  }
  CHECK(to_pieces("1 < 2 & 3 > 2", true)[0].charset == 0);
}

TEST_CASE("HTML becomes what it shows") {
  CHECK(html_to_text("<HTML><BODY BGCOLOR=\"#ffffff\"><FONT LANG=\"0\">hi <b>you</b></FONT></BODY></HTML>") ==
        "hi you");
  CHECK(html_to_text("a<br>b<BR/>c") == "a\nb\nc");
  CHECK(html_to_text("1 &lt; 2 &amp;&#38; &#x44F;&nbsp;&unknown; & so") == "1 < 2 && я &unknown; & so");
  CHECK(html_to_text("two\r\nwords<br>\nand more\n") == "two words\nand more");
  CHECK(html_to_text("3 < 4 and 5 > 4") == "3 < 4 and 5 > 4");
  CHECK(html_to_text("<a href=\"http://x.test/?a=1&amp;b\">look</a>") == "look (http://x.test/?a=1&b)");
  CHECK(html_to_text("<a href='http://x.test'>http://x.test</a>") == "http://x.test");
  CHECK(html_to_text("x<!-- no -->y<!-- endless") == "xy");
  CHECK(html_to_text("&#0;&#xD800;&#x110000;&#99999999999;") == "&#0;&#xD800;&#x110000;&#99999999999;");
  CHECK(html_to_text("<a href=") == "<a href=");
  CHECK(html_to_text(text_to_html("a & <b>\nc")) == "a & <b>\nc");
}

TEST_CASE("Only AIM's people and what begins like HTML are read as such") {
  CHECK(shown("100001", 0, "1 <b> 2") == "1 <b> 2");
  CHECK(shown("100001", 0, "<html>1 <b>2</b></html>") == "1 2");
  CHECK(shown("100001", 0, "<font> is deprecated") == "<font> is deprecated");
  CHECK(shown("chattyjoe", 0, "1 <b>2</b>\r\n3") == "1 2\n3");
  CHECK(shown("100001", 0, "a\r\nb\rc\nd") == "a\nb\nc\nd");
}

TEST_CASE("Old clients' other kinds are told in words") {
  auto old = message("100001", {{0, "Look\xFEhttp://x.test"}});
  old.channel = 4;
  old.kind = IncomingMessage::Kind::url;
  CHECK(text_of(old, "windows-1252") == "Look\nhttp://x.test");
  old.kind = IncomingMessage::Kind::mail;
  old.pieces[0].octets =
      "Joe\xFE\xFE\xFEjoe@x.test\xFE"
      "3\xFEhello";
  CHECK(text_of(old, "windows-1252") == "Joe <joe@x.test>: hello");
  old.kind = IncomingMessage::Kind::contacts;
  old.pieces[0].octets =
      "2\xFE"
      "100001\xFE"
      "Al\xFE"
      "100002\xFE"
      "Bo\xFE";
  CHECK(text_of(old, "windows-1252") == "Al (100001)\nBo (100002)");
  old.kind = IncomingMessage::Kind::authorisation_request;
  old.pieces[0].octets =
      "n\xFE\xFE\xFE\xFE"
      "1\xFEplease";
  CHECK(reason_of(old, "windows-1252") == "please");
}

TEST_CASE("The octet that parts fields is a letter in Russian texts") {
  const auto said = [](IncomingMessage::Kind kind, std::string octets) {
    auto old = message("100001", {{0, std::move(octets)}});
    old.channel = 4;
    old.kind = kind;
    return old;
  };
  using Kind = IncomingMessage::Kind;
  const std::string page = "windows-1251";
  const std::string i_love_you = octets("ff 20 ebfee1ebfe 20 f2e5e1ff");  // "я люблю тебя": FE is ю
  const std::string lyusya = octets("cbfef1ff");                          // "Люся"
  const std::string sep = "\xFE";
  CHECK(reason_of(said(Kind::authorisation_request, "n" + sep + sep + sep + "m@x.test" + sep + "1" + sep + i_love_you),
                  page) == "я люблю тебя");
  CHECK(reason_of(said(Kind::authorisation_request, lyusya + sep + sep + sep + sep + "0" + sep + i_love_you), page) ==
        "я люблю тебя");
  CHECK(reason_of(said(Kind::authorisation_request, i_love_you.substr(0, 1)), page) == "я");
  CHECK(text_of(said(Kind::mail, lyusya + sep + sep + sep + "l@x.test" + sep + "3" + sep + i_love_you), page) ==
        "Люся <l@x.test>: я люблю тебя");
  CHECK(text_of(said(Kind::url, i_love_you + sep + "http://x.test"), page) == "я люблю тебя\nhttp://x.test");
  CHECK(text_of(said(Kind::server, i_love_you), page) == "я люблю тебя");
  CHECK(text_of(said(Kind::contacts, "2" + sep + "100001" + sep + lyusya + sep + "100002" + sep + "Bo" + sep), page) ==
        "Люся (100001)\nBo (100002)");
}

TEST_CASE("An empty line at the end of every text is none (ICQ 8)") {
  CHECK(shown("100001", 0, "hello\r\n") == "hello");
  CHECK(shown("100001", 2, octets("0061 000a 000a 0062 000a")) == "a\n\nb");
  CHECK(shown("100001", 0, "  two spaces  ") == "  two spaces  ");
}

TEST_CASE("A message has the same id each time that it comes, and another one has another") {
  const auto a = message("Chatty Joe", {{0, "x"}});
  auto b = a;
  b.sender.name = "chattyjoe";
  CHECK(id_of(a) == id_of(b));
  b.cookie = "cookie02";
  CHECK(id_of(a) != id_of(b));
  auto stored = a, other = a;
  stored.cookie = other.cookie = "";
  stored.stored_at = 1700000000;
  other.stored_at = 1700000060;
  CHECK(id_of(stored) != id_of(other));
  other = stored;
  CHECK(id_of(stored) == id_of(other));
  other.pieces[0].octets = "y";
  CHECK(id_of(stored) != id_of(other));
  auto odd = a;
  odd.sender.name = "Jo\xE9";
  CHECK(base::is_utf8(id_of(odd)));
  // Old programs give no cookies: "ok" may be said twice.
  auto live = a;
  live.cookie = std::string(8, '\0');
  CHECK(id_of(live) != id_of(live));
}

TEST_CASE("Contacts have one spelling") {
  const auto id = [](std::string_view typed) {
    const auto contact = parse_contact(typed);
    return contact ? contact->value : std::string("none");
  };
  CHECK(id("123456789") == "123456789");
  CHECK(id(" 123-456-789 ") == "123456789");
  CHECK(id("Chatty Joe") == "chattyjoe");
  CHECK(id("CHATTYJOE") == "chattyjoe");
  CHECK(id("joe@Example.org") == "joe@example.org");
  for (const char* bad : {"", " ", "9999", "0123456789", "2147483647", "99999999999", "j", "1joe", "jo/e", "é", "a\nb",
                          "-", "joe:", "joe☺", "jo\xE9", "\xD0"})
    CHECK_MESSAGE(id(bad) == "none", bad);
  CHECK(id(std::string(65, 'a')) == "none");
  // open-oscar-server takes letters of any alphabet, and lowers them one by one.
  CHECK(id("Zo\u00CB M") == "zo\u00EBm");
  CHECK(id("ZoE\u0308") == "zo\u00EB");  // a letter and its mark
  CHECK(id("Джо 7") == "джо7");
  CHECK(id("ΟΔΥΣΣΕΥΣ") == "οδυσσευσ");
  CHECK(id("İstanbul") == "istanbul");
  for (const char* typed : {"Chatty Joe", "123-456-789", "Zo\u00CB", "Джо"}) CHECK(id(id(typed)) == id(typed));
  CHECK(plain_name("Jo\xE9 B") ==
        "jo\xE9"
        "b");
}

TEST_CASE("Statuses go out and come back") {
  for (const auto availability : {Availability::offline, Availability::online, Availability::chat, Availability::away,
                                  Availability::extended_away, Availability::do_not_disturb}) {
    UserInfo user;
    user.status = to_status(availability) | 0x10020000;  // with flags in the high word
    CHECK(to_availability(user) == availability);
  }
  UserInfo aim;
  CHECK(to_availability(aim) == Availability::online);
  aim.is_away = true;
  CHECK(to_availability(aim) == Availability::away);
  aim.status = 0x10;
  CHECK(to_availability(aim) == Availability::do_not_disturb);
}

TEST_CASE("A long text goes in several messages, cut between characters and words") {
  CHECK(to_pieces("", true).empty());
  CHECK(to_pieces("a\nb", true) == std::vector<TextPiece>{{0, "a\r\nb"}});
  CHECK(to_pieces("a\n<b>", false) == std::vector<TextPiece>{{0, "a<br>&lt;b&gt;"}});
  std::string words;
  for (int i = 0; i < 500; ++i) words += "word ";
  const auto pieces = to_pieces(words, true);
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[0].octets.size() <= 1000);
  CHECK(pieces[0].octets.ends_with("word"));
  CHECK(pieces[1].octets.starts_with("word"));
  // The longest text fits, wherever its words end.
  std::string unlucky;
  while (unlucky.size() < 8000 - 522) unlucky += std::string(520, 'a') + ' ';
  CHECK(to_pieces(unlucky, true).size() <= most_pieces);
  std::string emoji;
  for (int i = 0; i < 1500; ++i) emoji += "😀";
  const auto two = to_pieces(emoji, true);
  REQUIRE(two.size() == 2);
  CHECK(from_utf16(two[0].octets) + from_utf16(two[1].octets) == emoji);
}

#include "connectors/sms/text/encoding.hpp"
#include "connectors/sms/text/gsm_tables.hpp"
#include "connectors/sms/text/segments.hpp"
#include "gateway/base/text.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace wherry;
using namespace wherry::sms;

namespace {

std::string gsm(std::string_view utf8) { return to_gsm7(to_code_points(utf8)).value_or("not in the alphabet"); }
std::string packed(std::string_view utf8) { return base::to_hex(pack_septets(gsm(utf8))); }

std::size_t count(const std::string& text, SplitOptions options = {}) {
  options.most_parts = 255;
  const auto result = split(text, options);
  return result ? result->parts.size() : 0;
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// The text again, from the parts.
std::string join(const Split& s) {
  std::string all;
  for (const auto& part : s.parts) all += decode(part, s.alphabet);
  return all;
}

}  // namespace

TEST_CASE("GSM 7 packing gives what gammu and Kannel put on the wire (3GPP TS 23.038 §6.1.2.1)") {
  CHECK(packed("hello") == "e8329bfd06");
  CHECK(packed("hellohello") == "e8329bfd4697d9ec37");
  CHECK(packed("via smsd å €") == "f67418346fcfc9a007685306");
  CHECK(packed("kannel at å €") == "ebb0db5d6683c274d003b42903");
  CHECK(packed("hej gammu {x} ä") == "e8b21a740eb7db75d00685dfa4407b");
  CHECK(packed("1234567") == "31d98c56b3dd00");
  CHECK(packed("@@@@@@@@") == "00000000000000");
  CHECK(gsm("via smsd å €").size() == 13);
}

TEST_CASE("GSM 7 packing begins on a septet's border behind a header (3GPP TS 23.040 §9.2.3.24)") {
  // Two parts of "lång text " thirty times, as gammu writes them: header of 6 octets, one bit of fill.
  const std::string text = gsm(repeat("lång text ", 30));
  CHECK(base::to_hex(pack_septets(text.substr(0, 153), 6)).substr(0, 32) == "d80ff719442fe3e920f6c37d06d1cb78");
  CHECK(pack_septets(text.substr(0, 153), 6).size() == 134);
  CHECK(base::to_hex(pack_septets(text.substr(153), 6)).substr(0, 28) == "ce207a194f07b11fee33885ec6d3");
  for (const std::size_t header : {0U, 3U, 6U, 7U, 8U}) {
    CHECK(unpack_septets(pack_septets(text, header), text.size(), header) == text);
  }
}

TEST_CASE("GSM 7 without a length in septets pads with CR instead of a false '@' (3GPP TS 23.038 §6.1.2.3.1)") {
  CHECK(base::to_hex(pack_septets("1234567", 0, Padding::carriage_return)) == "31d98c56b3dd1a");
  CHECK(unpack_all_septets(pack_septets("1234567", 0, Padding::carriage_return)) == "1234567");
  CHECK(unpack_all_septets(pack_septets("12345678", 0, Padding::carriage_return)) == "12345678");
  // Who pads with zeros ends no text with '@'; in the middle of a long one it stays.
  CHECK(unpack_all_septets(pack_septets("1234567")) == "1234567");
  CHECK(unpack_all_septets(pack_septets(std::string("1234567\0", 8)), 0, Rest::more_follows) ==
        std::string("1234567\0", 8));
}

TEST_CASE("GSM 7 has every character of its tables, both ways (3GPP TS 23.038 §6.2.1)") {
  for (unsigned i = 0; i < 128; ++i) {
    if (i == 0x1B) continue;
    const std::u32string one(1, gsm_default[i]);
    CHECK(*to_gsm7(one) == std::string(1, static_cast<char>(i)));
    CHECK(from_gsm7(*to_gsm7(one)) == one);
  }
  for (const char32_t c : std::u32string(U"^{}\\[~]|€\f")) {
    CHECK(gsm7_septets(c) == 2);
    CHECK(from_gsm7(*to_gsm7(std::u32string(1, c))) == std::u32string(1, c));
  }
  for (const char32_t c : std::u32string(U"çáíóúêôõã`\tΑ😀’")) CHECK(gsm7_septets(c) == 0);
  int known = 0;
  for (char32_t c = 0; c <= 0x110000; ++c) known += gsm7_septets(c) > 0 ? 1 : 0;
  CHECK(known == 137);  // 127 without ESC, and 10 behind it
  CHECK(gsm7_septets(U'Ç') == 1);
  CHECK_FALSE(to_gsm7(U"naïve"));
}

TEST_CASE("GSM 7 decoding never fails: unknown extensions, lone escapes, high bits (3GPP TS 23.038 §6.2.1.1)") {
  CHECK(to_utf8(from_gsm7("\x1B\x65")) == "€");
  CHECK(to_utf8(from_gsm7("\x1B\x41")) == "A");
  CHECK(to_utf8(from_gsm7("a\x1B")) == "a ");
  CHECK(to_utf8(from_gsm7("\x1B\x1B")) == " ");
  CHECK(to_utf8(from_gsm7("\xE1")) == "a");
  CHECK(to_utf8(from_gsm7(std::string("\0", 1))) == "@");
}

TEST_CASE("National shift tables are read for Turkish, Spanish and Portuguese (3GPP TS 23.038 Annex A)") {
  CHECK(to_utf8(from_gsm7("\x1B\x67\x1B\x69", {1, 0})) == "ğı");
  CHECK(to_utf8(from_gsm7("\x1C\x1D\x04", {0, 1})) == "Şş€");
  CHECK(to_utf8(from_gsm7("\x1B\x61\x1B\x65", {2, 0})) == "á€");
  CHECK(to_utf8(from_gsm7("\x7B\x1B\x7C", {3, 3})) == "ãõ");
  CHECK(to_utf8(from_gsm7("\x1B\x61", {13, 13})) == "a");  // Urdu is not read: the default tables
}

TEST_CASE("UCS-2 carries surrogate pairs, and half of anything is shown as unreadable (RFC 2781)") {
  CHECK(base::to_hex(to_ucs2(U"aé€😀")) == "006100e920acd83dde00");
  CHECK(to_utf8(from_ucs2(*base::from_hex("006100e920acd83dde00"))) == "aé€😀");
  CHECK(to_utf8(from_ucs2(*base::from_hex("d83d0061"))) == "\uFFFDa");
  CHECK(to_utf8(from_ucs2(*base::from_hex("de00d83d"))) == "\uFFFD\uFFFD");
  CHECK(to_utf8(from_ucs2(*base::from_hex("006100"))) == "a\uFFFD");
}

TEST_CASE("A byte order mark at the beginning tells the order, and goes (Unicode §23.8, RFC 2781 §3.2)") {
  CHECK(decode(*base::from_hex("fffe14043e04"), Alphabet::ucs2) == "До");
  CHECK(decode(*base::from_hex("feff0414043e"), Alphabet::ucs2) == "До");
  CHECK(decode(*base::from_hex("0414043e"), Alphabet::ucs2) == "До");
  CHECK(decode("\xEF\xBB\xBFok", Alphabet::utf8) == "ok");
  CHECK(decode("\xFF\xFE", Alphabet::ucs2).empty());
}

TEST_CASE("UTF-8 that is ill formed becomes U+FFFD and nothing is lost behind it (RFC 3629)") {
  CHECK(to_utf8(to_code_points("a\xFF"
                               "b\xC3")) == "a\uFFFDb\uFFFD");
  CHECK(to_utf8(to_code_points("\xED\xA0\x80")) == "\uFFFD\uFFFD\uFFFD");
  CHECK(to_code_points("😀").size() == 1);
}

TEST_CASE("data_coding chooses the alphabet (SMPP 3.4 §5.2.19, 3GPP TS 23.038 §4)") {
  CHECK(coding_of(0x00, Alphabet::latin1).alphabet == Alphabet::latin1);
  CHECK(coding_of(0x01, Alphabet::gsm7).alphabet == Alphabet::ascii);
  CHECK(coding_of(0x03, Alphabet::gsm7).alphabet == Alphabet::latin1);
  CHECK(coding_of(0x08, Alphabet::gsm7).alphabet == Alphabet::ucs2);
  CHECK(coding_of(0x04, Alphabet::gsm7).alphabet == Alphabet::binary);
  CHECK(coding_of(0x10, Alphabet::latin1).alphabet == Alphabet::gsm7);
  CHECK(coding_of(0x18, Alphabet::latin1).alphabet == Alphabet::ucs2);
  CHECK(coding_of(0x48, Alphabet::latin1).alphabet == Alphabet::ucs2);  // marked for automatic deletion
  CHECK(coding_of(0x40, Alphabet::latin1).alphabet == Alphabet::gsm7);
  CHECK(coding_of(0x68, Alphabet::latin1).alphabet == Alphabet::binary);  // and compressed
  CHECK(coding_of(0xF5, Alphabet::gsm7).alphabet == Alphabet::binary);
  CHECK(coding_of(0xF1, Alphabet::gsm7).alphabet == Alphabet::gsm7);
  CHECK(coding_of(0xC8, Alphabet::gsm7).discard_if_empty);
  CHECK_FALSE(coding_of(0xD8, Alphabet::gsm7).discard_if_empty);
  CHECK(coding_of(0xE0, Alphabet::gsm7).alphabet == Alphabet::ucs2);
}

TEST_CASE("Other character sets are read with iconv, and unreadable ones say so") {
  CHECK(decode_charset("\xBF\xE0\xD8\xD2\xD5\xE2", "ISO-8859-5") == "Привет");
  CHECK(decode_charset("\x82\xA0\x87\x40\x81\x60\x87\x8A", coding_of(0x05, Alphabet::gsm7).charset) == "あ①～㈱");
  CHECK(decode_charset("\xBE\xC8\xB3\xE7\x8C\x63 abc", coding_of(0x0E, Alphabet::gsm7).charset).ends_with(" abc"));
  CHECK(decode_charset("\x1B$B$\"\x1B(B!", coding_of(0x0A, Alphabet::gsm7).charset) == "あ!");
  CHECK(decode_charset("\xFFok\xFF", "CP949") == "\uFFFDok\uFFFD");  // nothing behind it is lost
  CHECK(decode_charset("ok\x82", "CP932") == "ok\uFFFD");            // half a character at the end
  CHECK(decode_charset("abc", "no such set") == "[3 bytes of data that is not text]");
}

TEST_CASE("A text is cut at 160/153/152 septets and 70/67/66 units (3GPP TS 23.040 §9.2.3.24.1)") {
  CHECK(count(std::string(160, 'a')) == 1);
  CHECK(count(std::string(161, 'a')) == 2);
  CHECK(count(std::string(306, 'a')) == 2);
  CHECK(count(std::string(307, 'a')) == 3);
  CHECK(count(repeat("я", 70)) == 1);
  CHECK(count(repeat("я", 71)) == 2);
  CHECK(count(repeat("я", 134)) == 2);
  CHECK(count(repeat("я", 135)) == 3);
  SplitOptions wide;
  wide.concatenation = Concatenation::udh16;
  CHECK(count(std::string(304, 'a'), wide) == 2);
  CHECK(count(std::string(305, 'a'), wide) == 3);
  CHECK(count(repeat("я", 132), wide) == 2);
  CHECK(count(repeat("я", 133), wide) == 3);
  CHECK(count("") == 1);
}

TEST_CASE("A text is not cut between ESC and what it escapes (3GPP TS 23.038 §6.2.1.1)") {
  CHECK(count(repeat("€", 80)) == 1);
  CHECK(count(repeat("€", 81)) == 2);
  const auto s = split(std::string(152, 'a') + "€" + std::string(20, 'b'), {});
  REQUIRE(s->parts.size() == 2);
  CHECK(s->parts[0].size() == 152);
  CHECK(s->parts[1].substr(0, 2) == "\x1B\x65");
}

TEST_CASE("A text is not cut through a surrogate pair, a combining sequence or an emoji sequence") {
  const auto pairs = split(repeat("я", 66) + "😀" + repeat("я", 20), {});
  REQUIRE(pairs->parts.size() == 2);
  CHECK(pairs->parts[0].size() == 66 * 2);
  const std::string family = "👨\u200D👩\u200D👧";  // 8 units
  const auto joined = split(repeat("я", 63) + family + "я", {});
  REQUIRE(joined->parts.size() == 2);
  CHECK(decode(joined->parts[1], Alphabet::ucs2) == family + "я");
  const auto accent = split(repeat("я", 66) + "e\u0301" + repeat("я", 10), {});
  CHECK(decode(accent->parts[1], Alphabet::ucs2).starts_with("e\u0301"));
  const auto flag = split(repeat("я", 65) + "🇸🇪" + repeat("я", 10), {});
  CHECK(decode(flag->parts[1], Alphabet::ucs2).starts_with("🇸🇪"));
  CHECK(join(*split(repeat("e\u0301", 200), {})) == repeat("e\u0301", 200));
  // One sequence longer than a segment is cut all the same, and comes out whole again.
  const std::string endless = "e" + repeat("\u0301", 150);
  CHECK(join(*split(endless, {})) == endless);
}

TEST_CASE("A text is not cut through a letter of any script (UAX #29)") {
  struct Row {
    const char *script, *letter;
  };
  static constexpr Row rows[] = {{"Devanagari", "कि"},
                                 {"Bengali", "কি"},
                                 {"Gurmukhi", "ਕਿ"},
                                 {"Gujarati", "કિ"},
                                 {"Tamil", "கி"},
                                 {"Telugu", "కి"},
                                 {"Kannada", "ಕಿ"},
                                 {"Malayalam", "കി"},
                                 {"Sinhala", "කි"},
                                 {"Thai", "กิ"},
                                 {"Lao", "ກິ"},
                                 {"Khmer", "កិ"},
                                 {"Myanmar", "ကိ"},
                                 {"Tibetan", "ཀི"},
                                 {"Hangul", "\u1100\u1161\u11A8"},
                                 {"Arabic", "بِ"},
                                 {"Hebrew", "בִ"},
                                 {"emoji", "👍🏽"},
                                 {"keycap", "1\uFE0F\u20E3"}};
  for (const Row& row : rows) {
    CAPTURE(row.script);
    const auto cut = split(repeat("я", 66) + row.letter + repeat("я", 20), {});
    REQUIRE(cut->parts.size() == 2);
    CHECK(decode(cut->parts[0], Alphabet::ucs2) == repeat("я", 66));
    CHECK(decode(cut->parts[1], Alphabet::ucs2).starts_with(row.letter));
  }
}

TEST_CASE("A link's own alphabet is used where GSM 7 has the text too, else UCS-2 (SMPP 3.4 §5.2.19)") {
  SplitOptions latin;
  latin.link = Alphabet::latin1;
  CHECK(split("Ångström @", latin)->parts[0] == "\xC5ngstr\xF6m @");
  CHECK(split("€", latin)->alphabet == Alphabet::ucs2);
  CHECK(split("á", latin)->alphabet == Alphabet::ucs2);  // Latin-1 has it, the handset's alphabet does not
  SplitOptions ascii;
  ascii.link = Alphabet::ascii;
  CHECK(split("[x]", ascii)->parts[0] == "[x]");
  CHECK(split("é", ascii)->alphabet == Alphabet::ucs2);
  SplitOptions utf8;
  utf8.link = Alphabet::utf8;
  CHECK(split("é€", utf8)->parts[0] == "é€");
  CHECK(split("\x07", {})->alphabet == Alphabet::ucs2);
}

TEST_CASE("Smart encoding keeps a text in GSM 7 where that takes fewer segments, and only where it is asked for") {
  SplitOptions smart;
  smart.simplify = true;
  const std::string more(70, 'x');
  CHECK(split("“It’s…” – •" + more, smart)->parts[0] == "\"It's...\" - *" + more);
  CHECK(split("“It’s…”" + more, {})->alphabet == Alphabet::ucs2);
  CHECK(split("a\r\nb\tc" + more, smart)->parts[0] == "a\nb c" + more);
  // What is not cheaper for it stays as it was written.
  CHECK(join(*split("“It’s…”", smart)) == "“It’s…”");
  CHECK(join(*split("«Привет…»", smart)) == "«Привет…»");
  CHECK(count(repeat("я", 69) + "…", smart) == 1);
}

TEST_CASE("A text that takes too many segments is refused with what to do") {
  SplitOptions few;
  few.most_parts = 2;
  CHECK(split(std::string(306, 'a'), few).has_value());
  const auto refused = split(std::string(307, 'a'), few);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == base::Errc::bad_input);
  CHECK(refused.error().text == "The text would take 3 text messages, and 2 is the most. Send it in pieces.");
  few.most_parts = 1;
  for (const Concatenation way : {Concatenation::udh, Concatenation::payload}) {
    few.concatenation = way;
    CHECK(count(repeat("ü", 160), few) == 1);
    CHECK(count(repeat("я", 70), few) == 1);
    CHECK_FALSE(split(repeat("ü", 161), few).has_value());
  }
}

TEST_CASE("Any text comes out of its segments as it went in (seeded)") {
  std::mt19937 random(20261123);
  const std::u32string alphabet = U"aZ09 @£$ÉéΔ€[]{}|^~\\яжÑ\u0301\u200D😀👨🇸🇪\nçáё中한";
  for (int round = 0; round < 400; ++round) {
    std::u32string text;
    const std::size_t length = random() % 400;
    const std::size_t variety = 1 + random() % alphabet.size();
    for (std::size_t i = 0; i < length; ++i) text += alphabet[random() % variety];
    SplitOptions options;
    options.most_parts = 255;
    options.concatenation = random() % 2 ? Concatenation::udh : Concatenation::udh16;
    const auto s = split(to_utf8(text), options);
    REQUIRE(s.has_value());
    CHECK(join(*s) == to_utf8(text));
    const std::size_t single = s->alphabet == Alphabet::ucs2 ? 140 : 160;
    const std::size_t each = s->alphabet == Alphabet::ucs2 ? 134 : 153;
    for (const auto& part : s->parts) CHECK(part.size() <= (s->parts.size() == 1 ? single : each));
  }
}

TEST_CASE("The concatenation header is written and read, 8 and 16 bits (3GPP TS 23.040 §9.2.3.24.1, .8)") {
  const Position narrow{Position::Kind::udh, 0x28, 2, 1}, wide{Position::Kind::udh16, 0x1234, 3, 3};
  CHECK(base::to_hex(make_header(narrow)) == "050003280201");
  CHECK(base::to_hex(make_header(wide)) == "06080412340303");
  CHECK(*parse_header(make_header(narrow) + "text")->position == narrow);
  CHECK(*parse_header(make_header(wide) + "text")->position == wide);
  CHECK(parse_header(make_header(wide) + "text")->octets == 7);
  CHECK(make_header({Position::Kind::sar, 1, 2, 1}).empty());
}

TEST_CASE("A header that is malformed or unknown is passed over, never more (3GPP TS 23.040 §9.2.3.24)") {
  const auto parse = [](std::string_view hex) { return parse_header(*base::from_hex(hex)); };
  CHECK_FALSE(parse(""));
  CHECK_FALSE(parse("05000328"));  // reaches beyond the data
  CHECK_FALSE(parse("ff"));
  CHECK_FALSE(parse("070500032802"));  // its length counts one octet too many
  CHECK_FALSE(
      parse_header("Hello, this is a text whose parts the SMS centre has put together; the bit was left behind."));
}

TEST_CASE("A header's elements are read in any company (3GPP TS 23.040 §9.2.3.24)") {
  const auto parse = [](std::string_view hex) { return *parse_header(*base::from_hex(hex)); };
  CHECK_FALSE(parse("050003280200").position);      // part 0
  CHECK_FALSE(parse("050003280203").position);      // part beyond the total
  CHECK_FALSE(parse("050003280001").position);      // a total of 0
  CHECK_FALSE(parse("0500042802010100").position);  // a wrong length
  CHECK_FALSE(parse("0600ff28020100").position);    // an element that reaches beyond the header
  CHECK(parse("0b0504158215820003280201").port == 0x1582U);
  CHECK(parse("0b0504158215820003280201").position->reference == 0x28);
  CHECK(parse("08240101250102ff00").shifts == Shifts{1, 2});
  CHECK(parse("00").octets == 1);
}

TEST_CASE("The header's parser takes any octets (seeded)") {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string octets(random() % 24, '\0');
    for (char& c : octets) c = static_cast<char>(random() % (random() % 2 ? 256 : 9));
    const auto header = parse_header(octets);
    if (!header) continue;
    CHECK(header->octets <= octets.size());
    if (header->position) CHECK(header->position->part <= header->position->total);
  }
}

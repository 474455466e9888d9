#include "gateway/connector/json_text.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using connector::parse_json;

namespace {
std::string written(std::string_view text) {
  std::string out;
  connector::append_json_string(out, text);
  return out;
}
}  // namespace

TEST_CASE("append_json_string escapes what JSON must have escaped, and no line ever breaks (RFC 8259 §7)") {
  CHECK(written("plain ~ text") == "\"plain ~ text\"");
  CHECK(written("a\"b\\c") == R"("a\"b\\c")");
  CHECK(written("1\n2\r3\t4") == R"("1\n2\r3\t4")");
  CHECK(written(std::string_view("\0\x01\x1f\x7f", 4)) == "\"\\u0000\\u0001\\u001f\x7f\"");
  CHECK(written("") == "\"\"");
}

TEST_CASE("append_json_string keeps well-formed UTF-8 of every length (RFC 3629 §3)") {
  for (const char* text :
       {"é", "€", "😀", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\U00010000", "\U0010ffff"}) {
    CHECK(written(text) == "\"" + std::string(text) + "\"");
  }
}

TEST_CASE("append_json_string writes U+FFFD for each longest cut-off start and each stray octet (Unicode 15 §3.9)") {
  const std::string r = "\xEF\xBF\xBD";
  CHECK(written("a\xff"
                "b") == "\"a" + r + "b\"");
  CHECK(written("\x80\x80") == "\"" + r + r + "\"");
  CHECK(written("\xE2\x82") == "\"" + r + "\"");  // the start of a euro sign
  CHECK(written("\xE2\x82(") == "\"" + r + "(\"");
  CHECK(written("\xF0\x9F\x98") == "\"" + r + "\"");
  CHECK(written("\xC0\xAF") == "\"" + r + r + "\"");                  // overlong
  CHECK(written("\xED\xA0\x80") == "\"" + r + r + r + "\"");          // a surrogate
  CHECK(written("\xF4\x90\x80\x80") == "\"" + r + r + r + r + "\"");  // beyond U+10FFFF
}

TEST_CASE("append_json_string writes what a JSON parser reads back, for any octets") {
  std::uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::string octets;
    for (int i = 0; i < 40; ++i) octets += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    const auto parsed = parse_json(written(octets));
    REQUIRE(parsed.has_value());
    // Writing what was read changes nothing any more.
    CHECK(written(parsed->get<std::string>()) == written(octets));
  }
}

TEST_CASE("parse_json bounds the depth before it builds anything") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse_json(nested(16)).has_value());
  CHECK(parse_json(nested(17)).error().text == "the JSON nests deeper than 16 levels");
  CHECK(parse_json(std::string(1 << 20, '[')).error().code == base::Errc::bad_input);
  CHECK(parse_json("[\"" + std::string(1000, '[') + "\\\"[[\"]").has_value());  // brackets in a string nest nothing
  CHECK(parse_json(nested(3), 2).error().code == base::Errc::bad_input);
}

TEST_CASE("parse_json tells where malformed text is wrong, without repeating it") {
  CHECK(parse_json("{\"password\":hunter2}").error().text == "not JSON: error at byte 13");
  for (const char* text : {"", "{", "[1,]", "nul", "\"\xff\"", "\"\n\"", "1e999", "{}{}", "'a'"}) {
    CAPTURE(text);
    CHECK(parse_json(text).error().code == base::Errc::bad_input);
  }
}

// JSON with strangers' texts in it: read wherever its frame is whole.
#include "connectors/sms/http/api/forgiving_json.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace wherry::sms::http;
using nlohmann::json;
using namespace std::string_literals;

namespace {

// What the text of {"t":"…"} is, with these octets between its quotation marks.
std::string read_between(const std::string& octets) {
  const auto parsed = parse_forgivingly("{\"t\":\"" + octets + "\"}");
  return parsed ? parsed->at("t").get<std::string>() : "(not read)";
}

}  // namespace

TEST_CASE("Half of a pair becomes U+FFFD, and whole pairs stay (RFC 8259 §8.2)") {
  const std::string mark = "\xEF\xBF\xBD";
  CHECK(read_between("cut \\ud83d") == "cut " + mark);
  CHECK(read_between("\\ude00 cut") == mark + " cut");
  CHECK(read_between("\\ud83d\\ud83d\\ude00") == mark + "\xF0\x9F\x98\x80");
  CHECK(read_between("\\ud83dx\\uDE00") == mark + "x" + mark);
  CHECK(read_between("\\uD83D\\uDE00") == "\xF0\x9F\x98\x80");
  CHECK(read_between("\\ud83d\\n") == mark + "\n");
  CHECK(read_between("\\\\ud83d") == "\\ud83d");  // a backslash, and letters
}

TEST_CASE("Octets that are not UTF-8 become U+FFFD") {
  CHECK(read_between("caf\xE9") == "caf\xEF\xBF\xBD");
  CHECK(read_between("\xED\xA0\xBD").find_first_not_of("\xEF\xBF\xBD") == std::string::npos);  // CESU-8
  CHECK(read_between("hi \xF0\x9F").starts_with("hi \xEF\xBF\xBD"));
  CHECK(read_between("\xC3\xA9") == "\xC3\xA9");
}

TEST_CASE("Raw control characters and backslashes in strings are what they are") {
  CHECK(read_between("a\nb\tc\x01") == "a\nb\tc\x01");
  CHECK(read_between("a\0b"s) == "a\0b"s);
  CHECK(read_between("\\o/ \\u12") == "\\o/ \\u12");
  CHECK(read_between("\\\n") == "\\\n");
  CHECK(read_between("\\\"\\/\\b\\f\\n\\r\\t\\u0041") == "\"/\b\f\n\r\tA");
}

TEST_CASE("A byte order mark goes (RFC 8259 §8.1)") {
  CHECK(parse_forgivingly("\xEF\xBB\xBF{}") == json::object());
  CHECK(parse_forgivingly(" \r\n{} \n") == json::object());
}

TEST_CASE("Numbers that 64 bits do not hold as they are written keep their spelling") {
  const auto spelled = [](const char* number) {
    const auto parsed = parse_forgivingly("[" + std::string(number) + "]");
    return parsed ? parsed->at(0) : json();
  };
  for (const char* number : {"123456789012345678901234567890", "-9223372036854775809", "1.10", "1e3", "1E-400", "007",
                             "1558719886.000200"}) {
    CAPTURE(number);
    CHECK(spelled(number) == number);
  }
  CHECK(spelled("18446744073709551615") == 18446744073709551615u);
  CHECK(spelled("-7") == -7);
  CHECK(spelled("0") == 0);
  CHECK(spelled("\"1.10\"") == "1.10");
}

TEST_CASE("What is no JSON is none") {
  for (const char* text :
       {"", "{", "{\"a\":}", "{\"a\":1,}", "[1.]", "[-]", "[1e]", "[1-2]", "{\"a\":\"b", "a=b", "[tru]"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_forgivingly(text));
  }
  CHECK_FALSE(parse_forgivingly(std::string(1000, '[')));
}

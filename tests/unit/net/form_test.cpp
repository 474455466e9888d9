#include "gateway/net/http_client.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using net::FormFields;

TEST_CASE("to_form writes spaces as plus and everything unusual as percent escapes (WHATWG URL §5.2)") {
  const FormFields fields{{"To", "+15550100"}, {"Body", "a b&c=d/é~"}, {"empty", ""}};
  CHECK(net::to_form(fields) == "To=%2B15550100&Body=a+b%26c%3Dd%2F%C3%A9%7E&empty=");
}

TEST_CASE("parse_form reads what to_form writes, every octet included") {
  std::string octets;
  for (int i = 0; i < 256; ++i) octets += static_cast<char>(i);
  const FormFields fields{{octets, octets}, {"b", ""}};
  CHECK(net::parse_form(net::to_form(fields)).value() == fields);
}

TEST_CASE("parse_form skips empty pieces, and a field without '=' has an empty value (WHATWG URL §5.1)") {
  const FormFields expected{{"a", "1"}, {"b", ""}, {"", "2"}, {"c", "x=y"}};
  CHECK(net::parse_form("&a=1&&b&=2&c=x=y&").value() == expected);
}

TEST_CASE("parse_form refuses a broken escape, wherever it is") {
  for (const char* text : {"a=%", "a=%4", "a=%4g", "%zz=1", "a=1&b=%"}) {
    CAPTURE(text);
    CHECK(net::parse_form(text).error().code == base::Errc::bad_input);
  }
  CHECK(net::parse_form("a=%41").value() == FormFields{{"a", "A"}});
}

TEST_CASE("parse_form refuses more fields than allowed") {
  CHECK(net::parse_form("a&b&c", 3).value().size() == 3);
  CHECK(net::parse_form("a&b&c&d", 3).error().code == base::Errc::bad_input);
}

#include "gateway/store/connector_storage.hpp"

#include <doctest/doctest.h>

using wherry::store::end_of_prefix;

TEST_CASE("end_of_prefix is the next text after everything with that prefix, in UTF-8 (RFC 3629)") {
  CHECK(end_of_prefix("part:") == "part;");
  CHECK(end_of_prefix("a\x7F") == "a\xC2\x80");
  CHECK(end_of_prefix("\u07FF") == "\u0800");
  CHECK(end_of_prefix("\uD7FF") == "\uE000");
  CHECK(end_of_prefix("\uFFFF") == "\U00010000");
  CHECK(end_of_prefix("x\U0010FFFF\U0010FFFF") == "y");
  CHECK_FALSE(end_of_prefix("\U0010FFFF").has_value());
  CHECK_FALSE(end_of_prefix("").has_value());
}

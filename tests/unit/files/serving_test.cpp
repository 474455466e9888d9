// Ranges of a file (RFC 9110 §14), as browsers and players ask for them.
#include "gateway/files/serving.hpp"

#include <doctest/doctest.h>

using namespace wherry::files;

TEST_CASE("A range is what there is of it; several, and what is none, are the whole") {
  const auto range = [](const char* header) {
    const auto asked = range_of(header, 100);
    return asked ? std::to_string(asked->first) + "+" + std::to_string(asked->bytes) : std::string("all");
  };
  CHECK(range("bytes=0-9") == "0+10");
  CHECK(range("bytes=90-") == "90+10");
  CHECK(range("bytes=90-1000") == "90+10");
  CHECK(range("bytes=-10") == "90+10");
  CHECK(range("bytes=-1000") == "0+100");
  CHECK(range("bytes=100-") == "0+0");
  for (const char* header : {"", "bytes=", "bytes=-", "bytes=a-b", "bytes=9-0", "bytes=0-1,5-6", "lines=0-9",
                             "bytes=18446744073709551616-", "bytes=0-18446744073709551616"})
    CHECK(range(header) == "all");
  CHECK(range_of("bytes=0-", 0)->bytes == 0);
}

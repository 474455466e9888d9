#include "gateway/net/token_bucket.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace std::chrono_literals;

TEST_CASE("TokenBucket gives its burst at once and then its rate") {
  const net::TokenBucket::Time start{};
  net::TokenBucket bucket(10, 3, start);
  for (int i = 0; i < 3; ++i) CHECK(bucket.take(start) == 0ns);
  const auto wait = bucket.take(start);
  CHECK(wait > 99ms);
  CHECK(wait < 101ms);
  CHECK(bucket.take(start + wait) == 0ns);
  CHECK(bucket.take(start + wait) > 0ns);
}

TEST_CASE("TokenBucket saves up no more than its burst") {
  const net::TokenBucket::Time start{};
  net::TokenBucket bucket(10, 3, start);
  int taken = 0;
  while (bucket.take(start + 1h) == 0ns) ++taken;
  CHECK(taken == 3);
}

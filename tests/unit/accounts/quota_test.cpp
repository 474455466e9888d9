// How much work people may have under way.
#include "gateway/accounts/quota.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

using namespace wherry::accounts;

TEST_CASE("One who is not registered has one place, and gets the next when that is given back") {
  Quota quota({10, 1, 20});
  {
    const auto first = quota.take("mercutio@y.test", false);
    CHECK(first);
    CHECK_FALSE(quota.take("mercutio@y.test", false));
    CHECK(quota.take("tybalt@y.test", false));
  }
  CHECK(quota.take("mercutio@y.test", false));
}

TEST_CASE("All who are not registered have so many places together, and take none from those who are") {
  Quota quota({10, 1, 20});
  std::vector<Quota::Place> places;
  for (int i = 0; i < 20; ++i) places.push_back(*quota.take("u" + std::to_string(i) + "@evil.test", false));
  CHECK_FALSE(quota.take("mercutio@y.test", false));
  for (int i = 0; i < 10; ++i) places.push_back(*quota.take("romeo@x.test", true));
  CHECK_FALSE(quota.take("romeo@x.test", true));
  CHECK(quota.take("juliet@x.test", true));
  places.clear();
  CHECK(quota.take("mercutio@y.test", false));
}

TEST_CASE("A place that moves is one place, and may outlive its quota") {
  auto quota = std::make_unique<Quota>(QuotaLimits{1, 1, 1});
  auto place = quota->take("romeo@x.test", true);
  {
    const Quota::Place moved = std::move(*place);
    CHECK_FALSE(quota->take("romeo@x.test", true));
  }
  CHECK(quota->take("romeo@x.test", true));
  auto last = quota->take("juliet@x.test", true);
  quota.reset();
}

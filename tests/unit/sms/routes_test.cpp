// Who has a number, who may have it, and what that costs.
#include "connectors/sms/routes.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace wherry;
using namespace wherry::sms;
using Numbers = std::vector<std::string>;

namespace {

const base::Time now = base::Time(std::chrono::seconds(1795400000));

NumberConfiguration number(std::string text, std::vector<std::string> users = {}, bool pool = false) {
  return {std::move(text), "main", std::move(users), pool};
}

}  // namespace

TEST_CASE("A number that was given to somebody else is its first user's no longer") {
  Routes routes({number("+15550001", {"mercutio@x.test", "@y.test"})});
  CHECK_FALSE(routes.own({1}, "romeo@x.test", "+15550001"));
  CHECK(routes.own({2}, "mercutio@x.test", "+15550001"));
  CHECK(routes.own({3}, "any@y.test", "+15550001"));
  CHECK(routes.owners("+15550001") == std::vector<base::AccountId>{{2}, {3}});
}

TEST_CASE("A number without users, and one of the pool, is kept by whoever is registered with it") {
  Routes routes({number("+15550001"), number("+15550002", {}, true), number("+15550003", {"juliet@x.test"}, true)});
  CHECK(routes.own({1}, "romeo@x.test", "+15550001"));
  CHECK(routes.own({2}, "romeo@x.test", "+15550002"));
  CHECK(routes.own({3}, "romeo@x.test", "+15550003"));
  CHECK(routes.own({4}, "romeo@x.test", "+15550099"));  // not one of ours: nobody else's
}

TEST_CASE("An account that gets another number, or goes, leaves its number free") {
  Routes routes({number("+15550001", {}, true), number("+15550002", {}, true)});
  routes.own({1}, "romeo@x.test", "+15550001");
  CHECK(routes.choices("juliet@x.test", now) == Numbers{"+15550002"});
  routes.own({1}, "romeo@x.test", "+15550002");
  CHECK(routes.owners("+15550001").empty());
  CHECK(routes.choices("juliet@x.test", now) == Numbers{"+15550001"});
  CHECK(routes.choices("romeo@x.test", now) == Numbers{"+15550001", "+15550002"});
  routes.disown({1});
  CHECK(routes.choices("juliet@x.test", now).size() == 2);
}

TEST_CASE("Of a large pool a hundred free numbers are offered, and the user's own") {
  std::vector<NumberConfiguration> numbers;
  for (int i = 0; i < 10'000; ++i) numbers.push_back(number(fmt::format("+1555{:07}", i), {}, true));
  Routes routes(numbers);
  for (int i = 0; i < 5'000; ++i)
    routes.own({i + 1}, fmt::format("user{}@x.test", i), numbers[static_cast<std::size_t>(i)].number);
  const Numbers offered = routes.choices("user7@x.test", now);
  REQUIRE(offered.size() == 101);
  CHECK(offered[0] == "+15550000007");
  CHECK(offered[1] == "+15550005000");
  CHECK(routes.reserve("user7@x.test", "+15550009999", now));
  CHECK_FALSE(routes.reserve("user7@x.test", "+15550000008", now));
  CHECK(routes.owners("+15550004999") == std::vector<base::AccountId>{{5000}});
  CHECK(routes.carrier_of("+15550009999") == "main");
}

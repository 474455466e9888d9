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
  CHECK(routes.choices("romeo@x.test", now, {1}) == Numbers{"+15550001", "+15550002"});
  routes.disown({1});
  CHECK(routes.choices("juliet@x.test", now).size() == 2);
}

TEST_CASE("A further account of a user is not offered what the user has with another") {
  Routes routes({number("+15550001", {"romeo@x.test", "juliet@x.test"}), number("+15550002", {}, true),
                 number("+15550003", {}, true)});
  routes.own({1}, "romeo@x.test", "+15550001");
  CHECK(routes.choices("romeo@x.test", now) == Numbers{"+15550002", "+15550003"});
  CHECK(routes.choices("romeo@x.test", now, {1}).size() == 3);
  CHECK(routes.choices("juliet@x.test", now).size() == 3);
  routes.own({2}, "romeo@x.test", "+15550002");
  CHECK(routes.choices("romeo@x.test", now) == Numbers{"+15550003"});
  CHECK(routes.choices("romeo@x.test", now, {2}) == Numbers{"+15550002", "+15550003"});
  CHECK(routes.choices("romeo@x.test", now, {1}) == Numbers{"+15550001", "+15550003"});
}

TEST_CASE("Of a large pool a hundred free numbers are offered, and the user's own") {
  std::vector<NumberConfiguration> numbers;
  for (int i = 0; i < 10'000; ++i) numbers.push_back(number(fmt::format("+1555{:07}", i), {}, true));
  Routes routes(numbers);
  for (int i = 0; i < 5'000; ++i)
    routes.own({i + 1}, fmt::format("user{}@x.test", i), numbers[static_cast<std::size_t>(i)].number);
  const Numbers offered = routes.choices("user7@x.test", now, {8});
  REQUIRE(offered.size() == 101);
  CHECK(offered[0] == "+15550000007");
  CHECK(offered[1] == "+15550005000");
  CHECK(routes.reserve("user7@x.test", "+15550009999", now));
  CHECK_FALSE(routes.reserve("user7@x.test", "+15550000008", now));
  CHECK(routes.owners("+15550004999") == std::vector<base::AccountId>{{5000}});
  CHECK(routes.carrier_of("+15550009999") == "main");
}

TEST_CASE("A registration looks at as many numbers in a pool of 4,000 as in one of 200, and when it is nearly full") {
  const auto steps_of_one = [](int size, int taken) {
    std::vector<NumberConfiguration> numbers;
    for (int i = 0; i < size; ++i) numbers.push_back(number(fmt::format("+1555{:07}", i), {}, true));
    Routes routes(numbers);
    for (int i = 0; i < taken; ++i) {
      const std::string user = fmt::format("user{}@x.test", i), &wanted = numbers[static_cast<std::size_t>(i)].number;
      REQUIRE(routes.reserve(user, wanted, now));
      routes.own({i + 1}, user, wanted);
    }
    const std::uint64_t before = routes.steps();
    const Numbers offered = routes.choices("late@x.test", now);
    REQUIRE(offered.size() == 100);
    REQUIRE(routes.reserve("late@x.test", offered.back(), now));
    routes.own({taken + 1}, "late@x.test", offered.back());
    return routes.steps() - before;
  };
  CHECK(steps_of_one(200, 0) == 101);
  CHECK(steps_of_one(4'000, 0) == 101);
  CHECK(steps_of_one(4'000, 3'900) == 101);
}

// What came back, and when it is tried again: without a loop, a store or a link. What becomes of it is in inbox_test.
#include "gateway/queues/inbox/returned.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace wherry;
using namespace wherry::queues;

namespace {

constexpr base::AccountId romeo{1}, juliet{2};
constexpr std::int64_t minute = 60 * 1000, hour = 60 * minute, day = 24 * hour, noon = 1000 * day;

Incoming message(std::int64_t id, std::size_t bytes = 2, std::int64_t age = 0) {
  connector::MessageReceived received;
  received.content.text = std::string(bytes, 'x');
  return {id, romeo, 0, noon - age, std::move(received), 0, false};
}

using Ids = std::vector<std::int64_t>;
Ids ids(const std::vector<Returned::Waiting>& rows) {
  Ids all;
  for (const auto& row : rows) all.push_back(row.id);
  return all;
}

}  // namespace

TEST_CASE("What came back is tried when it is as old again, at least half an hour and at most a day later") {
  struct Case {
    std::int64_t age, wait;
  };
  for (const Case& c : {Case{0, 30 * minute},
                        {10 * minute, 30 * minute},
                        {hour, hour},
                        {16 * hour, 16 * hour},
                        {3 * day, day},
                        {-hour, 30 * minute}}) {
    CAPTURE(c.age);
    Returned returned;
    returned.wait(message(5, 2, c.age), 5, noon);
    CHECK(returned.take_due(romeo, noon + c.wait - 1).empty());
    CHECK(ids(returned.take_due(romeo, noon + c.wait)) == Ids{5});
    CHECK(returned.take_due(romeo, noon + day).empty());  // it is under way
    CHECK(returned.accounts().empty());
  }
}

TEST_CASE("What an earlier run left is as old as the time of day says, between nothing and a day (DECISIONS.md 34)") {
  CHECK(Returned::born(noon, 3 * hour) == noon - 3 * hour);
  CHECK(Returned::born(noon, 365 * day) == noon - day);
  CHECK(Returned::born(noon, -365 * day) == noon);
}

TEST_CASE("When the user comes all of it is tried, in order, but what they were there for three times") {
  Returned returned;
  Incoming refused = message(7);
  refused.refusals = Returned::most_refusals;
  returned.wait(message(9), 9, noon);
  returned.wait(refused, 7, noon);
  returned.wait(message(3), 12, noon);  // under a new row
  returned.wait(message(4), 4, noon);
  CHECK(returned.take_for_coming(juliet).empty());
  CHECK(ids(returned.take_for_coming(romeo)) == Ids{4, 9, 12});
  CHECK(returned.take_for_coming(romeo).empty());
  CHECK(ids(returned.take_due(romeo, noon + hour)) == Ids{7});
}

TEST_CASE("What could not be sent anew waits as before") {
  Returned returned;
  Incoming refused = message(7);
  refused.refusals = 2;
  returned.wait(refused, 7, noon);
  const auto taken = returned.take_for_coming(romeo);
  REQUIRE(taken.size() == 1);
  returned.wait(romeo, taken[0]);
  CHECK(returned.accounts() == std::vector{romeo});
  const auto again = returned.take_for_coming(romeo);
  REQUIRE(again.size() == 1);
  CHECK(again[0].refusals == 2);
  CHECK(again[0].due == noon + Returned::least_wait);
}

TEST_CASE("The newest of what our server took is remembered, in number and in bytes, and only for its own account") {
  Returned returned;
  for (std::int64_t id = 1; id <= 1500; ++id) returned.put_taken(message(id));
  CHECK(!returned.find_taken(romeo, 500));
  CHECK(returned.find_taken(romeo, 501));
  CHECK(returned.find_taken(romeo, 1500));
  CHECK(!returned.find_taken(romeo, 1501));
  CHECK(!returned.find_taken(juliet, 1500));
  returned.put_taken(message(1501, 400 << 10));
  CHECK(returned.find_taken(romeo, 1500));
  returned.put_taken(message(1502, 400 << 10));
  CHECK(!returned.find_taken(romeo, 1501));
  CHECK(returned.find_taken(romeo, 1502));
  returned.put_taken(message(1503, 1 << 20));  // alone it is kept, whatever its size
  CHECK(returned.find_taken(romeo, 1503));
  CHECK(!returned.find_taken(romeo, 1502));
}

TEST_CASE("A receipt is nothing to keep, and word of a failure is") {
  Returned returned;
  Incoming receipt = message(1), failure = message(2);
  receipt.delivery = convert::SendDelivered();
  failure.delivery = convert::SendFailed();
  returned.put_taken(receipt);
  returned.put_taken(failure);
  CHECK(!returned.find_taken(romeo, 1));
  CHECK(returned.find_taken(romeo, 2));
}

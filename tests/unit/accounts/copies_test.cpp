// A broadcast of presence and a directed one look alike (RFC 6121 §4.4.2, 4.6).
#include "gateway/accounts/copies.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::accounts;

namespace {

const UserPresence away{connector::Availability::away, "", 0}, busy{connector::Availability::do_not_disturb, "", 0};
const std::string desk = "romeo@x.test/desk", phone = "romeo@x.test/phone";

base::ContactId contact(int number) { return base::ContactId{"c" + std::to_string(number)}; }

}  // namespace

TEST_CASE("Copies that came before the gateway's own are forgotten with it, those of other devices not") {
  Copies copies;
  for (int i = 0; i < 100; ++i) copies.hold(desk, away, contact(i));
  copies.hold(phone, busy, contact(1));
  copies.forget(desk);
  const auto left = copies.take(100);
  REQUIRE(left.size() == 1);
  CHECK(left[0].device == phone);
  CHECK_FALSE(left[0].is_for_everybody);
  CHECK(copies.empty());
}

TEST_CASE("What only some contacts got is for them; what most of them got is for everybody") {
  struct Case {
    int got, seeing;
    bool is_for_everybody;
  };
  for (const Case& c :
       {Case{1, 1, false}, Case{1, 10, false}, Case{5, 10, false}, Case{6, 10, true}, Case{10, 10, true}}) {
    CAPTURE(c.got);
    Copies copies;
    for (int i = 0; i < c.got; ++i) copies.hold(desk, away, contact(i));
    for (int i = 0; i < c.got; ++i) copies.hold(desk, away, contact(i));  // as a server that repeats itself
    const auto groups = copies.take(static_cast<std::size_t>(c.seeing));
    REQUIRE(groups.size() == 1);
    CHECK(groups[0].contacts.size() == static_cast<std::size_t>(c.got));
    CHECK(groups[0].is_for_everybody == c.is_for_everybody);
  }
}

TEST_CASE("Of a device's presence for one contact the newest counts, and a flood of changes is bounded") {
  Copies copies;
  copies.hold(desk, away, contact(1));
  copies.hold(desk, busy, contact(1));
  const auto groups = copies.take(10);
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].presence == busy);
  for (int i = 0; i < 1000; ++i) copies.hold(desk, {connector::Availability::online, std::to_string(i), 0}, contact(i));
  CHECK(copies.take(10).size() == 20);
}

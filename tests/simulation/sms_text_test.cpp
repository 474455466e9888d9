// What the simulation takes for a text that came as it was written.
#include "tests/simulation/sms_text.hpp"
#include "tests/simulation/addresses.hpp"

#include <doctest/doctest.h>

using namespace wherry::simulation;

namespace {

Plan plan_over_sms() {
  Plan plan;
  plan.carriers.emplace_back();
  return plan;
}

// The first of such tags whose body has several pieces.
std::string long_tag(const Plan& plan) {
  for (int i = 1;; ++i) {
    std::string tag = "n" + std::to_string(i) + " for romeo";
    if (pieces_of(plan, tag).size() > 2) return tag;
  }
}

}  // namespace

TEST_CASE("A body has its tag, and is whole as it is") {
  const Plan plan = plan_over_sms();
  const std::string tag = long_tag(plan), body = body_of(plan, tag);
  CHECK(body.size() > tag.size());
  CHECK(tag_in(body) == tag);
  CHECK(wholeness_of(plan, body) == Wholeness::whole);
  CHECK(body_of(Plan{}, tag) == tag);
}

TEST_CASE("A body without one of its pieces is garbled, unless it says so") {
  const Plan plan = plan_over_sms();
  const std::string tag = long_tag(plan), rest = body_of(plan, tag).substr(pieces_of(plan, tag).front().size());
  CHECK(wholeness_of(plan, rest) == Wholeness::garbled);
  CHECK(wholeness_of(plan, "[…] " + rest + "\n[Incomplete: part 1 of 3 did not arrive.]") == Wholeness::marked);
}

TEST_CASE("Numbers have names, and where the network has none the names are the addresses") {
  const Plan plan = plan_over_sms();
  CHECK(name_of_number(user_number(1)) == "juliet");
  CHECK(name_of_number(contact_number(2)) == "c3");
  CHECK(contact_at(plan, address_of(plan, "c3")) == "c3");
  CHECK(address_of(Plan{}, "c3") == "c3");
}

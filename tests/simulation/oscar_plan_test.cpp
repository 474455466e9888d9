// Who is who over ICQ and AIM, and what belongs there.
#include "tests/simulation/addresses.hpp"
#include "tests/simulation/plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace wherry::simulation;

TEST_CASE("Everybody has a name of their own at an OSCAR server, which tells who it is") {
  for (const bool is_aim : {false, true}) {
    Plan plan;
    plan.oscar = OscarTraits{};
    plan.oscar->is_aim = is_aim;
    std::set<std::string> names;
    for (const std::string person : {"romeo", "romeo~work", "juliet", "juliet~home", "c1", "c2", "c8"}) {
      const std::string name = address_of(plan, person);
      CHECK(names.insert(name).second);
      CHECK(contact_at(plan, name) == person);
      CHECK(std::all_of(name.begin(), name.end(), [&](char c) { return is_aim ? c != '~' : c >= '0' && c <= '9'; }));
    }
  }
}

TEST_CASE("Users of one network write to each other, and never to themselves") {
  bool crosses = false;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    for (const Step& step : draw_oscar_plan(seed).steps) {
      if (!is_user(step.contact)) continue;
      crosses = true;
      CHECK(step.contact - first_user_contact != step.user);
      CHECK(step.contact - first_user_contact < draw_oscar_plan(seed).users);
    }
  }
  CHECK(crosses);
}

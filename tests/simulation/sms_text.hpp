// What a text over SMS says: its tag, by which the history names it, within a body that shows whether it came as it was
// written. Elsewhere the tag is all of it. Pure.
#pragma once

#include "tests/simulation/plan.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace wherry::simulation {

// The body, in pieces that a contact's phone may cut it into. The last one has the tag.
std::vector<std::string> pieces_of(const Plan& plan, const std::string& tag);
std::string body_of(const Plan& plan, const std::string& tag);
// The tag of a body, also of one that lacks something.
std::string tag_in(std::string_view body);

enum class Wholeness {
  whole,    // as it was written
  marked,   // not so, and says so
  garbled,  // not so
};
Wholeness wholeness_of(const Plan& plan, std::string_view body);

std::string user_number(int user);                      // "+14155550101"
std::string contact_number(int contact);                // "+14155550201"
std::string name_of_number(const std::string& number);  // "romeo" or "c1"; else the number

}  // namespace wherry::simulation

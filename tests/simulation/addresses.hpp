// What people are called in the network, over the connectors that have rules for it. Pure.
#pragma once

#include "tests/simulation/plan.hpp"

#include <string>

namespace wherry::simulation {

// The network's name of a contact, or of a user's account; and the history's.
std::string address_of(const Plan& plan, const std::string& person);
std::string contact_at(const Plan& plan, const std::string& address);

}  // namespace wherry::simulation

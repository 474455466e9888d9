// A short exchange in both directions, once with every single fault at every single place.
#pragma once

#include "tests/simulation/trial.hpp"

#include <vector>

namespace wherry::simulation {

// Plays the exchange without a fault first, and counts the places.
std::vector<Plan> exhaustive_plans(const Ground& ground);

}  // namespace wherry::simulation

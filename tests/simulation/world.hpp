// Runs one plan: moves time, gives turns to the gateway's loop and the world's, does the plan's steps, and writes the
// history.
#pragma once

#include "tests/simulation/history.hpp"
#include "tests/simulation/plan.hpp"

#include <functional>
#include <string>

namespace wherry::simulation {

struct Counts {
  std::int64_t turns = 0;  // of the gateway's loop
  std::int64_t store_operations = 0;
  std::int64_t turns_to_heal = 0, operations_to_heal = 0;  // of them, before Plan::healed_at
};

// Once in a process: time and chance are the process's. `file`: an empty store with the newest schema, which is used
// up. `seen` is told of each record as it is made.
History run(const Plan& plan, const std::string& file, Counts* counts, std::function<void(const Record&)> seen);

// Makes such a file.
void make_store(const std::string& file, const std::string& migrations);

}  // namespace wherry::simulation

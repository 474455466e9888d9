// One plan in a process of its own, so that a crash is the plan's and memory is fresh; and from a failure, the smallest
// plan that fails the same way.
#pragma once

#include "tests/simulation/plan.hpp"
#include "tests/simulation/world.hpp"

#include <set>
#include <string>
#include <vector>

namespace wherry::simulation {

struct Outcome {
  std::vector<std::string> rules;  // that were broken; "crash" where the process died, "hang" where it did not end
  std::string words;               // what broke them, or what the sanitizer said
  std::string history;             // a line each
  std::string hash;
  std::string log;  // of the gateway
  Counts counts;
  std::vector<long long> happened;  // how often, by What
  bool failed() const { return !rules.empty(); }
};

// What all trials share.
struct Ground {
  std::string folder;  // temporary, in memory
  std::string empty_store;
  std::set<std::string> ignored;  // rules
};

// Starts `plan`, at once; the outcome is there when collect() says so.
class Trial {
 public:
  Trial(const Ground& ground, Plan plan);
  const Plan& plan() const { return plan_; }
  int process() const { return process_; }
  Outcome collect();  // waits for its end

 private:
  [[noreturn]] void play(int output);

  const Ground& ground_;
  Plan plan_;
  int process_ = -1, output_ = -1;
  std::string store_, errors_, history_;
};

// Leaves out what it can, while `rule` is still broken. At most `most` trials.
Plan shrink(const Ground& ground, Plan plan, const std::string& rule, int most = 400);

}  // namespace wherry::simulation

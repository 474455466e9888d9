#include "tests/simulation/exhaustive.hpp"

namespace wherry::simulation {

std::vector<Plan> exhaustive_plans(const Ground& ground) {
  std::vector<Plan> plans;
  for (const Plan& plain :
       {short_plan(connector::Idempotency::none), short_plan(connector::Idempotency::by_key), leaving_plan()}) {
    const Outcome outcome = Trial(ground, plain).collect();
    plans.push_back(plain);
    for (std::int64_t at = 1; at <= outcome.counts.turns_to_heal; ++at) {
      Plan dies = plain, breaks = plain;
      dies.dies_at_turn = breaks.session_ends_at_turn = at;
      plans.push_back(std::move(dies));
      plans.push_back(std::move(breaks));
    }
    for (std::int64_t at = 1; at <= outcome.counts.operations_to_heal; ++at) {
      for (const Act fault : {Act::die_before_commit, Act::die_after_commit, Act::fail_statement, Act::lose_store}) {
        Plan faulty = plain;
        faulty.store_fault_at = at;
        faulty.store_fault = fault;
        plans.push_back(std::move(faulty));
      }
    }
  }
  return plans;
}

}  // namespace wherry::simulation

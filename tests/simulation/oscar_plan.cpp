// Plans over the connector "oscar": drawn as the others are, then fitted to what ICQ and AIM can do.
#include "tests/simulation/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::simulation {

namespace {

// Their messages are not named again.
bool is_known_to_oscar(Act act) {
  switch (act) {
    case Act::correct:
    case Act::retract:
    case Act::react:
    case Act::contact_edits:
    case Act::contact_retracts:
    case Act::contact_reacts: return false;
    default: return true;
  }
}

// Whom users may write to and have on their lists: also each other.
bool goes_to_a_contact(Act act) {
  return act == Act::send || act == Act::send_again || act == Act::subscribe || act == Act::unsubscribe;
}

}  // namespace

Plan draw_oscar_plan(std::uint64_t seed) {
  const Draw draw(seed);
  Plan plan = draw_plan(seed);
  plan.networks.resize(1);
  NetworkTraits& network = plan.networks.front();
  const bool follows_presence = network.follows_presence;
  network = NetworkTraits();
  network.follows_presence = follows_presence;
  network.has_presence = network.has_contact_list = true;
  OscarTraits traits;
  traits.is_aim = draw.happens(400, "is_aim");
  traits.has_icq_services = !traits.is_aim && draw.happens(700, "has_icq_services");
  traits.keeps_silently = draw.happens(250, "keeps_silently");
  traits.is_slow = draw.happens(150, "is_slow");
  plan.oscar = traits;
  std::erase_if(plan.steps, [](const Step& step) { return !is_known_to_oscar(step.act); });
  std::uint64_t number = 0;
  for (Step& step : plan.steps) {
    step.network = 0;
    ++number;
    if (plan.users < 2 || !goes_to_a_contact(step.act) || !draw.happens(300, "crosses", number)) continue;
    const auto other = draw.between(1, plan.users - 1, "crosses_to", number);
    step.contact = first_user_contact + static_cast<int>((step.user + other) % plan.users);
  }
  return plan;
}

std::string describe(const OscarTraits& traits) {
  return fmt::format("{}{}{}{}", traits.is_aim ? "AIM" : "ICQ",
                     traits.has_icq_services ? ", kept messages are deleted by who has them" : "",
                     traits.keeps_silently ? ", says nothing when it keeps a message" : "",
                     traits.is_slow ? ", slow rates" : "");
}

}  // namespace wherry::simulation

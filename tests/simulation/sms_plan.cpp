// Plans over the connector "sms": drawn as the others are, then fitted to what the telephone network can do.
#include "tests/simulation/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace wherry::simulation {

namespace {

constexpr Microseconds patience_for_parts = 2'400'000'000;  // the connector's, and some more

CarrierTraits draw_carrier(const Draw& draw, std::uint64_t i) {
  CarrierTraits traits;
  traits.is_http = draw.happens(350, "is_http", i);
  traits.list = static_cast<List>(draw.between(0, static_cast<int>(List::late), "list", i));
  traits.clock_off_s = draw.happens(300, "clock_is_off", i) ? draw.between(-600, 600, "clock_off", i) : 0;
  traits.two_binds = draw.happens(300, "two_binds", i);
  traits.ids = static_cast<Ids>(draw.between(0, static_cast<int>(Ids::by_text), "ids", i));
  traits.receipts = static_cast<ReceiptForm>(draw.between(0, static_cast<int>(ReceiptForm::unmarked), "receipts", i));
  traits.reports_on_transmitter = draw.happens(300, "reports_on_transmitter", i);
  traits.swaps_addresses = draw.happens(200, "swaps", i);
  traits.concatenation = static_cast<int>(draw.between(0, 2, "concatenation", i));
  traits.window = draw.happens(300, "small_window", i) ? draw.between(1, 3, "window", i) : 10;
  return traits;
}

// A leap of the clock makes the connector give long texts up (its README), and no text message asks, is listed or
// named again.
bool belongs(Act act) {
  switch (act) {
    case Act::jump_clock:
    case Act::correct:
    case Act::retract:
    case Act::react:
    case Act::contact_edits:
    case Act::contact_retracts:
    case Act::contact_reacts:
    case Act::contact_presence:
    case Act::contact_asks:
    case Act::list_contacts:
    case Act::answer_contact:
    case Act::need_login: return false;
    default: return true;
  }
}

// Nothing breaks. After a break the same segment again is taken for one whose answer was lost, which it may be.
bool is_calm(Act act) { return act <= Act::list_contacts; }

}  // namespace

Plan draw_sms_plan(std::uint64_t seed) {
  const Draw draw(seed);
  Plan plan = draw_plan(seed);
  plan.networks.resize(1);
  NetworkTraits& network = plan.networks.front();
  network = NetworkTraits();
  network.deadline_s = 3'600;
  const auto carriers = draw.between(1, 2, "carriers");
  for (std::int64_t i = 0; i < carriers; ++i)
    plan.carriers.push_back(draw_carrier(draw, static_cast<std::uint64_t>(i)));
  plan.repeats_references = draw.happens(150, "repeats_references");
  plan.accounts.clear();  // a user has one number
  std::erase_if(plan.steps, [&](Step& step) {
    step.network = 0;
    return step.account > 0 || !belongs(step.act) || (plan.repeats_references && !is_calm(step.act));
  });
  if (plan.repeats_references) plan.bad_luck = 0;
  for (CarrierTraits& carrier : plan.carriers) carrier.is_http = carrier.is_http && !plan.repeats_references;
  plan.ages = false;
  plan.ends_at = plan.healed_at + patience_for_parts;
  return plan;
}

std::string describe(const CarrierTraits& traits) {
  constexpr std::array ids = {"names",
                              "decimal",
                              "hexadecimal in answers",
                              "hexadecimal in receipts",
                              "zeros in receipts",
                              "counted for each recipient",
                              "one for each text"};
  constexpr std::array forms = {"text", "parameters", "text and parameters", "unmarked text"};
  constexpr std::array concatenations = {"udh", "udh16", "sar"};
  constexpr std::array lists = {"faithful", "redacted", "rewritten", "late"};
  if (traits.is_http)
    return fmt::format("HTTP, its list is {}, its clock {} s off", lists.at(static_cast<std::size_t>(traits.list)),
                       traits.clock_off_s);
  return fmt::format("SMPP, {}, ids: {}, receipts: {}{}{}, {}, window {}",
                     traits.two_binds ? "transmitter and receiver" : "transceiver",
                     ids.at(static_cast<std::size_t>(traits.ids)), forms.at(static_cast<std::size_t>(traits.receipts)),
                     traits.reports_on_transmitter ? " on any link" : "",
                     traits.swaps_addresses ? " with addresses swapped" : "",
                     concatenations.at(static_cast<std::size_t>(traits.concatenation)), traits.window);
}

}  // namespace wherry::simulation

#include "connectors/sms/parts/part_state.hpp"

namespace wherry::sms {

using connector::Stage;

void note_part(PartStates& states, unsigned number, unsigned count, Stage stage) {
  if (number == 0 || number > count || count > most_parts) return;
  if (states.size() < count) states.resize(count, part_open);
  char& state = states[number - 1];
  if (stage == Stage::delivered || stage == Stage::read) state = part_delivered;
  else if (stage == Stage::failed && state != part_delivered) state = part_failed;
}

std::optional<Stage> fold(const PartStates& states) {
  if (!states.empty() && states.find_first_not_of(part_delivered) == states.npos) return Stage::delivered;
  if (states.find(part_failed) != states.npos) return Stage::failed;
  return std::nullopt;
}

}  // namespace wherry::sms

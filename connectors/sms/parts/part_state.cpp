#include "connectors/sms/parts/part_state.hpp"

namespace wherry::sms {

using connector::Stage;

void note_part(PartStates& states, unsigned number, unsigned count, Stage stage) {
  if (number == 0 || number > count || count > most_parts) return;
  if (states.size() < count) states.resize(count, '-');
  char& state = states[number - 1];
  if (stage == Stage::delivered || stage == Stage::read) state = 'd';
  else if (stage == Stage::failed && state != 'd') state = 'f';
}

std::optional<Stage> fold(const PartStates& states) {
  if (!states.empty() && states.find_first_not_of('d') == states.npos) return Stage::delivered;
  if (states.find('f') != states.npos) return Stage::failed;
  return std::nullopt;
}

}  // namespace wherry::sms

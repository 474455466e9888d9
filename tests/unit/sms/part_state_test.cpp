// The parts of a text, folded into one.
#include "connectors/sms/parts/part_state.hpp"

#include <doctest/doctest.h>

using namespace wherry::sms;
using wherry::connector::Stage;

namespace {

std::optional<Stage> after(std::initializer_list<std::pair<unsigned, Stage>> reports, unsigned count = 2) {
  PartStates states;
  for (const auto& [number, stage] : reports) note_part(states, number, count, stage);
  return fold(states);
}

}  // namespace

TEST_CASE("A text is delivered when all its parts are, and has failed when one has") {
  CHECK_FALSE(after({}));
  CHECK_FALSE(after({{1, Stage::delivered}}));
  CHECK_FALSE(after({{1, Stage::delivered}, {2, Stage::accepted}}));
  CHECK(after({{2, Stage::delivered}, {1, Stage::delivered}}) == Stage::delivered);
  CHECK(after({{2, Stage::failed}}) == Stage::failed);
  CHECK(after({{1, Stage::delivered}, {2, Stage::failed}}) == Stage::failed);
}

TEST_CASE("A part that was delivered after all is; one that was delivered has not failed") {
  CHECK(after({{1, Stage::failed}, {2, Stage::delivered}, {1, Stage::delivered}}) == Stage::delivered);
  CHECK(after({{1, Stage::delivered}, {2, Stage::delivered}, {1, Stage::failed}}) == Stage::delivered);
}

TEST_CASE("A part that there cannot be changes nothing") {
  for (const unsigned number : {0U, 3U}) CHECK_FALSE(after({{number, Stage::failed}}));
  CHECK_FALSE(after({{1, Stage::failed}}, 256));
}

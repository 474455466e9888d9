// What became of the parts of a text that are reported one by one, folded into one: all delivered, or the first
// failure. For every carrier. Pure.
#pragma once

#include "gateway/connector/contract.hpp"

#include <optional>
#include <string>

namespace wherry::sms {

inline constexpr unsigned most_parts = 255;  // of one text (3GPP TS 23.040 §9.2.3.24.1)

// A letter for each part.
using PartStates = std::string;
inline constexpr char part_open = '-', part_delivered = 'd', part_failed = 'f';  // open: nothing final is known

// Part `number` (from 1) of `count` has come so far. Delivered after failed counts, failed after delivered does not.
// Nothing is noted of a part that there cannot be.
void note_part(PartStates& states, unsigned number, unsigned count, connector::Stage stage);

// Nothing: it is open yet.
std::optional<connector::Stage> fold(const PartStates& states);

}  // namespace wherry::sms

// The child's process, and what it wrote: each line is looked at before the gateway's own code takes it.
#pragma once

#include "gateway/child/connector.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::conformance {

inline constexpr std::size_t most_lines = 20'000;  // of one process; more is a flood
inline constexpr std::size_t most_mistakes = 5;    // that are kept

struct Record {
  std::vector<std::string> mistakes;  // in what it wrote, each once
  std::optional<int> code;            // how the last process ended that was stopped: its exit code, or -signal
  std::optional<int> pid;             // of the one that runs, or ran last
};

// What in a line of the child's is not as schemas/connector-protocol.schema.json says; empty: nothing. What an answer's
// result must be, only who asked can say.
std::string mistake_in(std::string_view line);

// The beginning of a line, as one that can be printed.
std::string excerpt(std::string_view line);

// net::LineProcess::start, with every process of it watched. Reading from one that wrote too many lines throws Broken.
// `record` outlives the processes.
child::StartProcess watched(Record& record);

}  // namespace wherry::conformance

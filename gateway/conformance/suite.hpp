// Holds a child connector to the promises of connectors/README.md, from outside: its process, its lines, and what its
// author describes. Every wait has a limit.
#pragma once

#include "gateway/conformance/description.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace wherry::conformance {

enum class Verdict { holds, fails, not_tried };

struct Judgement {
  std::string promise;
  Verdict verdict = Verdict::holds;
  std::string why;  // it fails, or was not tried
};

struct Counts {
  std::size_t holding = 0, failing = 0, not_tried = 0;
};

// Tries every promise and tells each as soon as it is judged. An error: the child refuses the description's
// configuration, and the text begins with the key's path.
connector::Result<Counts> try_child(Description description, std::vector<std::string> command,
                                    const std::function<void(const Judgement&)>& tell);

}  // namespace wherry::conformance

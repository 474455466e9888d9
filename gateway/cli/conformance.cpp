// wherry conformance: whether a child connector keeps what connectors/README.md promises, for its author.
#include "gateway/cli/commands.hpp"

#include "gateway/cli/exit.hpp"
#include "gateway/config/source.hpp"
#include "gateway/conformance/suite.hpp"

#include <iostream>

namespace wherry::cli {

namespace {

void print(const conformance::Judgement& judgement) {
  using conformance::Verdict;
  if (judgement.verdict == Verdict::holds) std::cout << "ok    " << judgement.promise << std::endl;
  else if (judgement.verdict == Verdict::fails)
    std::cout << "FAIL  " << judgement.promise << ": " << judgement.why << std::endl;
  else std::cout << "not tried: " << judgement.promise << ": " << judgement.why << std::endl;
}

}  // namespace

int try_conformance(const std::filesystem::path& file, const std::vector<std::string>& command) {
  auto source = config::read_source(file);
  if (!source) return complain(source.error());
  auto description = conformance::read_description(source->values);
  source->mistakes.add(description);
  if (!source->mistakes.empty()) return complain(config::locate(*source, source->mistakes.error()));
  const auto counts = conformance::try_child(std::move(*description), command, print);
  if (!counts) return complain(config::locate(*source, counts.error()));
  std::cout << counts->holding << " ok, " << counts->failing << " failed, " << counts->not_tried << " not tried"
            << std::endl;
  return counts->failing == 0 ? exit_ok : exit_failed;
}

}  // namespace wherry::cli

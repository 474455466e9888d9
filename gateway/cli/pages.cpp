// wherry config example, reference: what the tables of keys make. deploy/ has both, and a test compares.
#include "gateway/cli/commands.hpp"

#include "gateway/cli/exit.hpp"
#include "gateway/config/pages.hpp"
#include "gateway/config/places.hpp"
#include "gateway/connector/loader.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace wherry::cli {

namespace {

// Every connector that is installed and has keys of its own, by name.
base::Result<std::vector<config::ConnectorKeys>> installed_connectors() {
  const char* given = std::getenv("WHERRY_CONNECTORS");
  const std::filesystem::path folder = given && *given ? given : config::places_of_program().connectors;
  std::vector<config::ConnectorKeys> all;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    if (file.path().extension() != ".so") continue;
    const auto plugin = connector::load_connector(std::filesystem::absolute(file.path()).string());
    if (!plugin) return plugin.error();
    if (!(*plugin)->sections.empty()) all.push_back({file.path().stem().string(), (*plugin)->sections});
  }
  if (error) return base::Error{base::Errc::bad_input, folder.string() + " cannot be read: " + error.message()};
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

int print(std::string (*page)(const std::vector<config::ConnectorKeys>&)) {
  const auto connectors = installed_connectors();
  if (!connectors) return complain(connectors.error());
  std::cout << page(*connectors);
  return exit_ok;
}

}  // namespace

int print_example() { return print(config::example); }
int print_reference() { return print(config::reference); }

}  // namespace wherry::cli

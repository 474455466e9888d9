// What the operator says about a child: its command, its environment, and what is handed on to it.
#pragma once

#include "gateway/base/error.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace wherry::child {

struct Settings {
  std::vector<std::string> command, environment;  // environment: "NAME=value"
  nlohmann::json configuration = nlohmann::json::object();
};

// The shape stands at make_child_connector(). The error's text begins with the offending key's path.
base::Result<Settings> parse_settings(const nlohmann::json& object);

}  // namespace wherry::child

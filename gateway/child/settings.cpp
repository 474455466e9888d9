#include "gateway/child/settings.hpp"

#include <utility>

namespace wherry::child {

using base::Errc;
using base::Error;
using base::Result;
using nlohmann::json;

Result<Settings> parse_settings(const json& object) {
  const auto bad = [](std::string text) { return Error{Errc::bad_input, std::move(text), {}}; };
  if (!object.is_object()) return bad("the configuration must be an object");
  Settings settings;
  for (const auto& [name, value] : object.items()) {
    if (name == "command" && value.is_array()) {
      for (const json& word : value) {
        if (!word.is_string()) return bad("command[" + std::to_string(settings.command.size()) + "]: must be a string");
        settings.command.push_back(word.get<std::string>());
      }
    } else if (name == "environment" && value.is_object()) {
      for (const auto& [variable, text] : value.items()) {
        if (!text.is_string()) return bad("environment." + variable + ": must be a string");
        settings.environment.push_back(variable + "=" + text.get<std::string>());
      }
    } else if (name == "configuration" && value.is_object()) {
      settings.configuration = value;
    } else {
      return bad(name +
                 ": must be one of command (an array of strings), environment (an object of strings), configuration "
                 "(an object)");
    }
  }
  if (settings.command.empty())
    return bad("command: must be the program to start and its arguments, as in [\"python3\", \"echo.py\"]");
  return settings;
}

}  // namespace wherry::child

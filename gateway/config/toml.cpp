#include "gateway/config/toml.hpp"

#include <cmath>
#include <cstdlib>

namespace wherry::config {

std::string expand(const std::string& text, const toml::node& node) {
  std::string out;
  for (std::size_t at = 0;;) {
    const auto dollar = text.find("${", at);
    out += text.substr(at, dollar - at);
    if (dollar == std::string::npos) return out;
    const auto end = text.find('}', dollar);
    const std::string name = end == std::string::npos ? "" : text.substr(dollar + 2, end - dollar - 2);
    const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
    if (!value)
      throw Wrong{"line " + std::to_string(node.source().begin.line) + ": the environment has no variable for " +
                  text.substr(dollar, end == std::string::npos ? end : end - dollar + 1)};
    out += value;
    at = end + 1;
  }
}

nlohmann::json to_json(const toml::node& node, const std::string& path, const std::filesystem::path& folder) {
  if (const auto* table = node.as_table()) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [key, value] : *table)
      json[std::string(key.str())] = to_json(value, path + "." + std::string(key.str()), folder);
    return json;
  }
  if (const auto* array = node.as_array()) {
    nlohmann::json json = nlohmann::json::array();
    for (const auto& value : *array)
      json.push_back(to_json(value, path + "[" + std::to_string(json.size()) + "]", folder));
    return json;
  }
  if (const auto value = node.value_exact<std::string>()) {
    const std::string text = expand(*value, node);
    return path.ends_with("_file") && !text.empty() ? (folder / text).string() : text;
  }
  if (const auto value = node.value_exact<bool>()) return *value;
  if (const auto value = node.value_exact<std::int64_t>()) return *value;
  if (const auto value = node.value_exact<double>(); value && std::isfinite(*value)) return *value;
  throw Wrong{"line " + std::to_string(node.source().begin.line) + ": " + path +
              ": dates, times, nan and inf mean nothing here; must be a text in quotes, a number, true or false, a "
              "list or a table"};
}

void note_lines(const toml::node& node, const std::string& path, std::map<std::string, std::size_t>& lines) {
  lines[path] = node.source().begin.line;
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table)
      note_lines(value, (path.empty() ? "" : path + ".") + std::string(key.str()), lines);
  } else if (const auto* array = node.as_array()) {
    for (std::size_t i = 0; i < array->size(); ++i)
      note_lines((*array)[i], path + "[" + std::to_string(i) + "]", lines);
  }
}

}  // namespace wherry::config

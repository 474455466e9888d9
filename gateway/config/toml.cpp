#include "gateway/config/toml.hpp"

#include <cmath>
#include <cstdlib>

namespace wherry::config {

namespace {

std::string expand(const std::string& text, const std::string& path, connector::Mistakes& mistakes) {
  std::string out;
  for (std::size_t at = 0;;) {
    const auto dollar = text.find("${", at);
    out += text.substr(at, dollar - at);
    if (dollar == std::string::npos) return out;
    const auto end = text.find('}', dollar);
    const std::string name = end == std::string::npos ? "" : text.substr(dollar + 2, end - dollar - 2);
    const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
    if (!value) {
      const std::string hint = name == "CREDENTIALS_DIRECTORY"
                                   ? "; systemd sets it for the unit, and you may: CREDENTIALS_DIRECTORY=/etc/wherry"
                                   : "";
      mistakes.add(path + ": the environment has no variable for " +
                   text.substr(dollar, end == std::string::npos ? end : end - dollar + 1) + hint);
      return text;
    }
    out += value;
    at = end + 1;
  }
}

std::string below(const std::string& path, std::string_view key) {
  return (path.empty() ? "" : path + ".") + std::string(key);
}

std::string at(const std::string& path, std::size_t index) { return path + "[" + std::to_string(index) + "]"; }

}  // namespace

nlohmann::json to_json(const toml::node& node, const std::string& path, const std::filesystem::path& folder,
                       connector::Mistakes& mistakes) {
  if (const auto* table = node.as_table()) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [key, value] : *table)
      json[std::string(key.str())] = to_json(value, below(path, key.str()), folder, mistakes);
    return json;
  }
  if (const auto* array = node.as_array()) {
    nlohmann::json json = nlohmann::json::array();
    for (const auto& value : *array) json.push_back(to_json(value, at(path, json.size()), folder, mistakes));
    return json;
  }
  if (const auto value = node.value_exact<std::string>()) {
    const std::string text = expand(*value, path, mistakes);
    return path.ends_with("_file") && !text.empty() ? (folder / text).string() : text;
  }
  if (const auto value = node.value_exact<bool>()) return *value;
  if (const auto value = node.value_exact<std::int64_t>()) return *value;
  if (const auto value = node.value_exact<double>(); value && std::isfinite(*value)) return *value;
  mistakes.add(path +
               ": dates, times, nan and inf mean nothing here; must be a text in quotes, a number, true or false, a "
               "list or a table");
  return nullptr;
}

void note_lines(const toml::node& node, const std::string& path, std::map<std::string, std::size_t>& lines) {
  lines[path] = node.source().begin.line;
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) note_lines(value, below(path, key.str()), lines);
  } else if (const auto* array = node.as_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) note_lines((*array)[i], at(path, i), lines);
  }
}

}  // namespace wherry::config

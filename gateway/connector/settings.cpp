#include "gateway/connector/settings.hpp"

#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace wherry::connector {

using nlohmann::json;

Fields::Fields(const json& object, std::string path) : object_(object), path_(std::move(path)) {
  if (!object.is_object())
    error_ =
        base::Error{base::Errc::bad_input, fmt::format("{}: must be a table", path_.empty() ? "configuration" : path_)};
}

std::string Fields::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void Fields::wrong(std::string_view key, std::string_view what) {
  if (!error_) error_ = base::Error{base::Errc::bad_input, fmt::format("{}: {}", path_of(key), what)};
}

const json* Fields::find(std::string_view key) {
  asked_.emplace(key);
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string Fields::required_text(std::string_view key) {
  const json* value = find(key);
  if (!value) wrong(key, "is missing");
  else if (!value->is_string() || value->get_ref<const std::string&>().empty())
    wrong(key, "must be a text that is not empty");
  else return value->get<std::string>();
  return {};
}

std::string Fields::text(std::string_view key, std::string fallback) {
  const json* value = find(key);
  if (!value) return fallback;
  if (value->is_string()) return value->get<std::string>();
  wrong(key, "must be a text");
  return fallback;
}

std::string Fields::choice(std::string_view key, std::string fallback, const std::vector<std::string>& allowed) {
  const std::string value = text(key, std::move(fallback));
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    wrong(key, fmt::format("must be one of {}", fmt::join(allowed, ", ")));
  }
  return value;
}

std::int64_t Fields::number(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most) {
  const json* value = find(key);
  if (!value) return fallback;
  if (value->is_number_integer()) {
    const bool too_large =
        value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(most);
    if (!too_large && value->get<std::int64_t>() >= least && value->get<std::int64_t>() <= most)
      return value->get<std::int64_t>();
  }
  wrong(key, fmt::format("must be a whole number from {} to {}", least, most));
  return fallback;
}

double Fields::decimal(std::string_view key, double fallback, double least, double most) {
  const json* value = find(key);
  if (!value) return fallback;
  if (value->is_number() && value->get<double>() >= least && value->get<double>() <= most) return value->get<double>();
  wrong(key, fmt::format("must be a number from {} to {}", least, most));
  return fallback;
}

bool Fields::flag(std::string_view key, bool fallback) {
  const json* value = find(key);
  if (!value) return fallback;
  if (value->is_boolean()) return value->get<bool>();
  wrong(key, "must be true or false");
  return fallback;
}

std::vector<std::string> Fields::texts(std::string_view key) {
  std::vector<std::string> result;
  const json* value = find(key);
  if (!value) return result;
  if (!value->is_array()) wrong(key, "must be a list of texts");
  else {
    for (const json& item : *value) {
      if (item.is_string() && !item.get_ref<const std::string&>().empty()) result.push_back(item.get<std::string>());
      else wrong(key, "must be a list of texts");
    }
  }
  return result;
}

const json* Fields::object(std::string_view key) {
  const json* value = find(key);
  if (value && !value->is_object()) {
    wrong(key, "must be a table");
    return nullptr;
  }
  return value;
}

std::vector<const json*> Fields::objects(std::string_view key) {
  std::vector<const json*> result;
  const json* value = find(key);
  if (!value) return result;
  if (!value->is_array()) {
    wrong(key, "must be a list of tables");
    return result;
  }
  for (const json& item : *value) result.push_back(&item);
  return result;
}

base::Secret Fields::secret(std::string_view key) {
  const std::string file_key = std::string(key) + "_file";
  const std::string plain = text(key, {}), file = text(file_key, {});
  if (!plain.empty() && !file.empty()) wrong(file_key, fmt::format("stands beside {}: keep one of them", key));
  if (file.empty()) {
    if (plain.empty())
      wrong(key, fmt::format("is missing; give it, or {} with the name of a file that holds it", file_key));
    return base::Secret(plain);
  }
  std::ifstream in(file);
  std::string line;
  if (!in || !std::getline(in, line) || base::trim(line).empty())
    wrong(file_key, fmt::format("cannot read a line from {}", file));
  return base::Secret(std::string(base::trim(line)));
}

bool Fields::has_secret(std::string_view key) const {
  return object_.is_object() && (object_.contains(key) || object_.contains(std::string(key) + "_file"));
}

base::Result<void> Fields::finish() {
  for (const auto& [key, value] : object_.items()) {
    if (!object_.is_object() || asked_.contains(key)) continue;
    const std::string meant = base::nearest(key, asked_);
    if (!meant.empty()) error_.reset();  // that a key is missing, perhaps: it is only misspelt
    wrong(key, meant.empty() ? "there is no such key" : fmt::format("there is no such key; did you mean {}?", meant));
    break;
  }
  if (error_) return *error_;
  return base::ok();
}

}  // namespace wherry::connector

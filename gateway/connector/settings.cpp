#include "gateway/connector/settings.hpp"

#include "gateway/base/text.hpp"
#include "gateway/connector/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace wherry::connector {

using nlohmann::json;

namespace {

std::vector<std::string> words_of(std::string_view choices) {
  std::vector<std::string> words;
  for (const std::string_view word : base::split(choices, ' ')) words.emplace_back(word);
  return words;
}

}  // namespace

Fields::Fields(const json& object, std::string path, std::span<const Key> keys)
    : object_(object), path_(std::move(path)), keys_(keys) {
  for (const Key& key : keys) {
    known_.emplace(key.name);
    if (key.type.kind == Type::Kind::secret) known_.insert(std::string(key.name) + "_file");
  }
}

std::string Fields::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void Fields::wrong(std::string_view key, std::string_view what) {
  const bool is_told = std::any_of(wrong_.begin(), wrong_.end(), [&](const auto& told) { return told.first == key; });
  if (!is_told) wrong_.emplace_back(key, what);
}

void Fields::missing(std::string_view key, std::string_view what) {
  missing_.emplace(key);
  wrong(key, what);
}

const Key& Fields::entry(std::string_view key) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const Key& k) { return k.name == key; });
  if (found == keys_.end()) throw std::logic_error("the table of keys lacks " + path_of(key));
  return *found;
}

bool Fields::has(std::string_view key) const {
  if (!object_.is_object()) return false;
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

const json* Fields::find(std::string_view key) {
  known_.emplace(key);
  return has(key) ? &*object_.find(key) : nullptr;
}

std::string Fields::text(std::string_view key) {
  const Key& k = entry(key);
  if (k.standard != required) return text(key, std::string(k.standard));
  if (!has(key) || object_.at(key) == "") return missing(key, fmt::format("is missing: {}", k.meaning)), std::string();
  return text(key, {});
}

std::string Fields::choice(std::string_view key) {
  const Key& k = entry(key);
  return choice(key, std::string(k.standard), words_of(k.type.choices));
}

std::int64_t Fields::number(std::string_view key) {
  const Key& k = entry(key);
  if (k.standard == required) {
    if (!has(key)) missing(key, fmt::format("is missing: {}", k.meaning));
    return number(key, k.type.least, k.type.least, k.type.most);
  }
  return number(key, std::stoll(std::string(k.standard)), k.type.least, k.type.most);
}

double Fields::decimal(std::string_view key) {
  const Key& k = entry(key);
  return decimal(key, std::stod(std::string(k.standard)), static_cast<double>(k.type.least),
                 static_cast<double>(k.type.most));
}

bool Fields::flag(std::string_view key) { return flag(key, entry(key).standard == "true"); }

std::string Fields::required_text(std::string_view key) {
  const std::string value = text(key, {});
  if (!has(key)) missing(key, "is missing");
  else if (value.empty()) wrong(key, "must not be empty");
  return value;
}

std::string Fields::text(std::string_view key, std::string fallback) {
  const json* value = find(key);
  if (!value) return fallback;
  if (value->is_string()) return value->get<std::string>();
  const bool is_plain = value->is_primitive();
  wrong(key,
        is_plain ? fmt::format("must be a text in quotes, like \"{}\"", value->dump()) : "must be a text in quotes");
  return fallback;
}

std::string Fields::choice(std::string_view key, std::string fallback, const std::vector<std::string>& allowed) {
  const std::string value = text(key, std::move(fallback));
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    wrong(key, fmt::format("must be one of {}", fmt::join(allowed, ", ")));
    return allowed.front();
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
  const auto is_text = [](const json& item) { return item.is_string() && !item.get_ref<const std::string&>().empty(); };
  if (!value->is_array() || !std::all_of(value->begin(), value->end(), is_text)) {
    wrong(key, "must be a list of texts, like [\"a\", \"b\"]");
    return result;
  }
  for (const json& item : *value) result.push_back(item.get<std::string>());
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
  const auto is_table = [](const json& item) { return item.is_object(); };
  if (!value->is_array() || !std::all_of(value->begin(), value->end(), is_table)) {
    wrong(key, fmt::format("must be written as [[{}]]", key));
    return result;
  }
  for (const json& item : *value) result.push_back(&item);
  return result;
}

std::string Fields::what_is_missing(std::string_view key) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const Key& k) { return k.name == key; });
  if (found != keys_.end()) return fmt::format("is missing: {}; or {}_file", found->meaning, key);
  return fmt::format("is missing; give it, or {}_file with the name of a file that holds it", key);
}

base::Secret Fields::secret(std::string_view key) {
  const std::string file_key = std::string(key) + "_file";
  const std::string plain = text(key, {}), file = text(file_key, {});
  if (has(key) && has(file_key)) wrong(key, fmt::format("stands beside {}: keep one of them", file_key));
  if (file.empty()) {
    if (plain.empty()) missing(key, what_is_missing(key));
    return base::Secret(plain);
  }
  if (file.find("${") != std::string::npos) return base::Secret();  // of a variable that is not there, which was told
  auto held = read_secret_file(file);
  if (!held) wrong(file_key, fmt::format("{} {}", file, held.error().text));
  return base::Secret(held ? *held : std::string());
}

bool Fields::has_secret(std::string_view key) const { return has(key) || has(std::string(key) + "_file"); }

std::string Fields::meant_by(std::string_view unknown) const { return base::nearest(unknown, known_); }

bool Fields::is_misspelt(std::string_view key) const {
  if (has(key) || !object_.is_object()) return false;
  for (const auto& [given, value] : object_.items()) {
    if (!known_.contains(given) && meant_by(given) == key) return true;
  }
  return false;
}

base::Result<void> Fields::finish() {
  if (!object_.is_object()) {
    return base::Error{base::Errc::bad_input,
                       fmt::format("{}: must be a table", path_.empty() ? "configuration" : path_)};
  }
  for (const auto& [key, value] : object_.items()) {
    if (known_.contains(key)) continue;
    const std::string meant = meant_by(key);
    std::erase_if(wrong_, [&](const auto& told) {  // that a key is missing: it is only misspelt
      return missing_.contains(told.first) && (told.first == meant || told.first + "_file" == meant);
    });
    wrong(key, meant.empty() ? "there is no such key" : fmt::format("there is no such key; did you mean {}?", meant));
  }
  Mistakes mistakes;
  for (const auto& [key, what] : wrong_) mistakes.add(path_of(key) + ": " + what);
  if (!mistakes.empty()) return mistakes.error();
  return base::ok();
}

}  // namespace wherry::connector

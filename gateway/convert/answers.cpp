#include "gateway/convert/answers.hpp"

#include "gateway/base/text.hpp"

#include <algorithm>

namespace wherry::convert {

namespace {

constexpr std::size_t least_digits = 6;  // of a number without its country code: fewer say too little
constexpr std::size_t most_named = 10;

std::string digits_of(std::string_view text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), [](char c) { return c >= '0' && c <= '9'; });
  return digits;
}

// "00" in front is how many telephones write "+" (ITU-T E.123 §2.3); one zero stands for the country code.
bool is_same_number(std::string_view choice, std::string_view typed) {
  const std::string whole = digits_of(choice);
  std::string part = digits_of(typed);
  if (typed.find('+') != std::string_view::npos) return part == whole;
  if (part.starts_with("00")) return part.substr(2) == whole;
  if (part.starts_with('0')) part.erase(0, 1);
  return part == whole || (part.size() >= least_digits && whole.ends_with(part));
}

template <class Same>
const std::string* only_one(const std::vector<std::string>& choices, Same same) {
  const auto first = std::find_if(choices.begin(), choices.end(), same);
  if (first == choices.end() || std::find_if(first + 1, choices.end(), same) != choices.end()) return nullptr;
  return &*first;
}

}  // namespace

std::optional<std::string> meant_choice(const connector::Field& field, std::string_view typed) {
  if (std::ranges::find(field.choices, typed) != field.choices.end()) return std::string(typed);
  const std::string lower = base::to_lower_ascii(typed);
  const auto in_another_case = [&](const std::string& choice) { return base::to_lower_ascii(choice) == lower; };
  if (const std::string* choice = only_one(field.choices, in_another_case)) return *choice;
  if (field.name != "phone" || digits_of(typed).empty()) return std::nullopt;
  const auto is_it = [&](const std::string& choice) { return is_same_number(choice, typed); };
  if (const std::string* choice = only_one(field.choices, is_it)) return *choice;
  return std::nullopt;
}

std::optional<std::string> meant_truth(std::string_view typed) {
  const std::string lower = base::to_lower_ascii(typed);
  if (lower == "1" || lower == "true" || lower == "yes") return "1";
  if (lower == "0" || lower == "false" || lower == "no") return "0";
  return std::nullopt;
}

std::string offered(const connector::Field& field) {
  std::string names;
  for (std::size_t i = 0; i < std::min(field.choices.size(), most_named); ++i)
    names += (i > 0 ? ", " : "") + field.choices[i];
  return "one of those offered: " + names + (field.choices.size() > most_named ? " …" : "");
}

}  // namespace wherry::convert

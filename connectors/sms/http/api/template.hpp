// Texts of a configuration with placeholders, as "Bearer {token}". "{{" is a brace. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::sms::http {

using Placeholders = std::vector<std::string_view>;
using Values = std::map<std::string_view, std::string>;

// What is wrong with a template, said after its key: a placeholder that is none of `known`, or a brace that is not
// closed.
std::optional<std::string> problem_of(std::string_view text, const Placeholders& known);

// The template with values in its placeholders. Those without a value become nothing.
std::string fill(std::string_view text, const Values& values);

}  // namespace wherry::sms::http

// What a person means by an answer: the same number, choice or truth value in another spelling. Pure.
#pragma once

#include "gateway/connector/contract.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wherry::convert {

// The choice of `field` that is meant by `typed`, as the field writes it: the same text, else the only one that is it
// in another case, else, where the field is a phone number ("phone", XEP-0077), the only one with these digits, with or
// without the country code or the zero that stands for it. Nothing: none, or several.
std::optional<std::string> meant_choice(const connector::Field& field, std::string_view typed);

// "1" or "0" (XEP-0004 §3.3), also for yes, no, true and false in any case.
std::optional<std::string> meant_truth(std::string_view typed);

// "one of those offered: a, b", or the first of many.
std::string offered(const connector::Field& field);

}  // namespace wherry::convert

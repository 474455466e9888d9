// JSON with strangers' texts in it. What a stranger typed, or an SMS centre cut in half, must not decide whether the
// JSON around it is read. Pure.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace wherry::sms::http {

// Well-formed JSON of what is nearly that. Octets that are not UTF-8, and halves of a pair written as "\ud83d", become
// U+FFFD; raw control characters in strings and a backslash before what is no escape are escaped; a byte order mark at
// the beginning goes. A number that 64 bits do not hold exactly becomes a string of its spelling: ids are what is
// written, and one digit less is another id.
std::string repaired_json(std::string_view text);

// What it says; nothing where it is no JSON for all that, or nests too deep.
std::optional<nlohmann::json> parse_forgivingly(std::string_view text);

std::string_view without_byte_order_mark(std::string_view text);

// UTF-8, whatever the octets are.
std::string to_well_formed(std::string_view octets);

}  // namespace wherry::sms::http

// JSON text (RFC 8259) in and out, for the codec and the child protocol: written by appending, read within bounds.
#pragma once

#include "gateway/base/error.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace wherry::connector {

// Appends `text` as a JSON string: on one line, and well-formed whatever `text` holds (octets that are not UTF-8 become
// U+FFFD).
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, std::int64_t number);

// Parses one JSON text that nests at most `most_depth` arrays and objects. bad_input, with the position, where it is
// malformed or not UTF-8. The caller bounds its length.
base::Result<nlohmann::json> parse_json(std::string_view text, std::size_t most_depth = 16);

}  // namespace wherry::connector

// Actions as JSON: the same text in queue rows, child lines, logs and tests (schemas/connector-protocol.schema.json).
//
//   {"type":"send_message","chat":"c:+15550100","key":"k1","text":"hi","files":[{"url":"https://…","media_type":"image/png","bytes":12}]}
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/connector/action.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace wherry::connector {

std::string to_text(const Action& action);  // JSON without line breaks
nlohmann::json to_json(const Action& action);

// bad_input with the offending member's name, unsupported where the type itself is unknown; unknown members are
// ignored, so that an older side understands a newer one. Identifiers are never empty, have at most 2,000 bytes,
// and no NUL; from other texts NUL is taken out.
base::Result<Action> parse_action(const nlohmann::json& json);
base::Result<Action> parse_action(std::string_view text);
// JSON can be made of a string, too: without this one the call would be ambiguous.
inline base::Result<Action> parse_action(const std::string& text) { return parse_action(std::string_view(text)); }

base::Result<ChatId> parse_chat(std::string_view text);  // "c:…" or "r:…", of at most 2,000 bytes, without NUL

}  // namespace wherry::connector

// Events as JSON: the same text in queue rows, child lines, logs and tests (schemas/connector-protocol.schema.json).
//
//   {"type":"message_received","chat":"c:+15550100","sender":"+15550100","id":"n1","text":"yo","sent_at":1795400000000}
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/connector/event.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace wherry::connector {

std::string to_text(const Event& event);  // JSON without line breaks
nlohmann::json to_json(const Event& event);

// bad_input with the offending member's name, unsupported where the type itself is unknown; unknown members are
// ignored, so that an older side understands a newer one. Identifiers are never empty, have at most 2,000 bytes,
// and no NUL; from other texts NUL is taken out.
base::Result<Event> parse_event(const nlohmann::json& json);
base::Result<Event> parse_event(std::string_view text);
// JSON can be made of a string, too: without this one the call would be ambiguous.
inline base::Result<Event> parse_event(const std::string& text) { return parse_event(std::string_view(text)); }

}  // namespace wherry::connector

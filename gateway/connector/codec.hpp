// Actions, events and receipts as JSON: the same text in queue rows, child lines, logs and tests
// (schemas/connector-protocol.schema.json).
//
//   {"type":"send_message","chat":"c:+15550100","key":"k1","text":"hi","files":[{"url":"https://…","media_type":"image/png","bytes":12}]}
//   {"type":"message_received","chat":"c:+15550100","sender":"+15550100","id":"n1","text":"yo","sent_at":1795400000000}
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/connector/contract.hpp"

#include <nlohmann/json.hpp>

namespace wherry::connector {

std::string to_text(const Action& action);  // JSON without line breaks
std::string to_text(const Event& event);
nlohmann::json to_json(const Action& action);
nlohmann::json to_json(const Event& event);

// bad_input with the offending member's name, unsupported where the type itself is unknown; unknown members are
// ignored, so that an older side understands a newer one. Identifiers are never empty, have at most 2,000 bytes,
// and no NUL; from other texts NUL is taken out.
base::Result<Action> parse_action(const nlohmann::json& json);
base::Result<Event> parse_event(const nlohmann::json& json);
base::Result<Action> parse_action(std::string_view text);
base::Result<Event> parse_event(std::string_view text);
// JSON can be made of a string, too: without these two the call would be ambiguous.
inline base::Result<Action> parse_action(const std::string& text) {
  return parse_action(std::string_view(text));
}
inline base::Result<Event> parse_event(const std::string& text) {
  return parse_event(std::string_view(text));
}

base::Result<ChatId> parse_chat(std::string_view text);  // "c:…" or "r:…", of at most 2,000 bytes, without NUL
std::string_view to_string(Availability availability);
std::optional<Availability> parse_availability(std::string_view text);

}  // namespace wherry::connector

// Queries and their answers as child lines carry them: pure. The shapes are in schemas/connector-protocol.schema.json.
#pragma once

#include "gateway/connector/contract.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace wherry::child {

// {"type":"profile","contact":"juliet"}
std::string to_text(const connector::Query& query);

// What `query` is answered by: {"name":"Juliet"}, {"file":{…}}, {"contacts":[…]}, {"rooms":[…]}, {"participants":[…]}
// or
// {"messages":[…]}. The error's text begins with the offending member.
connector::Result<connector::Answer> parse_answer(const connector::Query& query, const nlohmann::json& result);

}  // namespace wherry::child

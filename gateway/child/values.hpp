// What child lines carry besides actions and events, between JSON and the contract's types: pure, bounded, used by
// the other files here. No string may contain NUL, which no store takes. The shapes are in
// schemas/connector-protocol.schema.json.
#pragma once

#include "gateway/base/log.hpp"
#include "gateway/connector/contract.hpp"

#include <nlohmann/json.hpp>

#include <optional>

namespace wherry::child {

using namespace connector;  // it is the contract's other face, and speaks its words

inline constexpr int child_protocol = 2;

// The member of that name, or null.
const nlohmann::json& member(const nlohmann::json& object, const char* name);
// As one line of text; what is not UTF-8 becomes U+FFFD.
std::string to_line(const nlohmann::json& value);

// The whole answer to `hello`.
struct Greeting {
  Network network;
  Capabilities capabilities;       // of every chat, or until a chat's own are known
  bool capabilities_vary = false;  // from chat to chat: it is asked (`capabilities`)
  bool has_shared_link = false;    // it is asked to `run`
};
// {"protocol":2,"network":{"id":"echo","name":"Echo",…},"capabilities":{"text":{"most":160,"unit":"septets"},…}}
Result<Greeting> parse_greeting(const nlohmann::json& json);

// {"text":{"most":160,"unit":"septets"},"files":"full","edit":"full","edit_within":900,…}; what is left out is as
// struct Capabilities says.
Result<Capabilities> parse_capabilities(const nlohmann::json& json);
nlohmann::json to_json(const Capabilities& capabilities);

// The answer to know_account: {"idempotency":"none"} or {}.
Result<std::optional<Idempotency>> parse_idempotency(const nlohmann::json& json);

// {"title":"…","instructions":"…","fields":[{"name":"nick","label":"Nickname","type":"text","required":false}]}
Result<Form> parse_form(const nlohmann::json& json);

// {"nick":"Romeo"}: what a log-in gives back to be kept. At most 100 strings without NUL, of 256 KiB together.
Result<Answers> parse_credentials(const nlohmann::json& json);
nlohmann::json to_json(const Answers& answers);

// {"account":7,"user":"romeo@example.org","credentials":{"nick":"Romeo"}}
nlohmann::json to_json(const Account& account);

// [{"key":"part/1","value":"…"}]
Result<std::vector<Entry>> parse_entries(const nlohmann::json& json);
nlohmann::json to_json(const std::vector<Entry>& entries);

// {"account":7,"event":{…}}: an event that a child may publish, for an account that may not be registered.
struct Published {
  AccountId account;
  Event event;
};
Result<Published> parse_published(const nlohmann::json& json);

// {"level":"warn","text":"…"}; nothing where there is no text.
struct LogLine {
  log::Level level = log::Level::info;
  std::string text;  // shortened
};
std::optional<LogLine> parse_log_line(const nlohmann::json& json);

// {"ids":["net-77"]} or {}
Result<Receipt> parse_receipt(const nlohmann::json& json);
// {"contact":"+15550100"}
Result<ContactId> parse_contact_answer(const nlohmann::json& json);

}  // namespace wherry::child

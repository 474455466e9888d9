#include "gateway/connector/action_codec.hpp"

#include "gateway/connector/json_members.hpp"
#include "gateway/connector/json_text.hpp"

namespace wherry::connector {

using nlohmann::json;

// clang-format off
template <> constexpr std::string_view type_name<SendMessage> = "send_message";
template <> constexpr std::string_view type_name<SetPresence> = "set_presence";
template <> constexpr std::string_view type_name<AddContact> = "add_contact";
template <> constexpr std::string_view type_name<AnswerContact> = "answer_contact";
template <> constexpr std::string_view type_name<RemoveContact> = "remove_contact";

template <class V> void members(V& v, Is<SendMessage> auto& m) { v.required("chat", m.chat); v.required("key", m.key); v.content(m.content); }
template <class V> void members(V& v, Is<SetPresence> auto& m) { v.optional("to", m.to); v.required("availability", m.availability); v.optional("status", m.status); }
template <class V> void members(V& v, Is<AddContact> auto& m) { v.required("contact", m.contact); }
template <class V> void members(V& v, Is<AnswerContact> auto& m) { v.required("contact", m.contact); v.required("accepted", m.accepted); }
template <class V> void members(V& v, Is<RemoveContact> auto& m) { v.required("contact", m.contact); }
// clang-format on

std::string to_text(const Action& action) { return write_variant(action); }
json to_json(const Action& action) { return json::parse(write_variant(action)); }

Result<Action> parse_action(const json& object) {
  return read_variant<Action>(object, "action", std::make_index_sequence<std::variant_size_v<Action>>());
}
Result<Action> parse_action(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed) return parsed.error();
  return parse_action(*parsed);
}

}  // namespace wherry::connector

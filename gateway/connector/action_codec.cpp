#include "gateway/connector/action_codec.hpp"

#include "gateway/connector/json_members.hpp"
#include "gateway/connector/json_text.hpp"

namespace wherry::connector {

using nlohmann::json;

// clang-format off
template <> constexpr std::string_view type_name<SendMessage> = "send_message";
template <> constexpr std::string_view type_name<EditMessage> = "edit_message";
template <> constexpr std::string_view type_name<RetractMessage> = "retract_message";
template <> constexpr std::string_view type_name<React> = "react";
template <> constexpr std::string_view type_name<MarkRead> = "mark_read";
template <> constexpr std::string_view type_name<SetTyping> = "set_typing";
template <> constexpr std::string_view type_name<SetPresence> = "set_presence";
template <> constexpr std::string_view type_name<SetProfile> = "set_profile";
template <> constexpr std::string_view type_name<AddContact> = "add_contact";
template <> constexpr std::string_view type_name<AnswerContact> = "answer_contact";
template <> constexpr std::string_view type_name<RemoveContact> = "remove_contact";
template <> constexpr std::string_view type_name<RenameContact> = "rename_contact";
template <> constexpr std::string_view type_name<BlockContact> = "block_contact";
template <> constexpr std::string_view type_name<CreateRoom> = "create_room";
template <> constexpr std::string_view type_name<JoinRoom> = "join_room";
template <> constexpr std::string_view type_name<LeaveRoom> = "leave_room";
template <> constexpr std::string_view type_name<SetTopic> = "set_topic";
template <> constexpr std::string_view type_name<Invite> = "invite";
template <> constexpr std::string_view type_name<SetRole> = "set_role";

template <class V> void members(V& v, Is<SendMessage> auto& m) { v.required("chat", m.chat); v.required("key", m.key); v.content(m.content); }
template <class V> void members(V& v, Is<EditMessage> auto& m) { v.required("chat", m.chat); v.required("key", m.key); v.required("target", m.target); v.content(m.content); }
template <class V> void members(V& v, Is<RetractMessage> auto& m) { v.required("chat", m.chat); v.required("key", m.key); v.required("target", m.target); }
template <class V> void members(V& v, Is<React> auto& m) { v.required("chat", m.chat); v.required("key", m.key); v.required("target", m.target); v.list("reactions", m.reactions); }
template <class V> void members(V& v, Is<MarkRead> auto& m) { v.required("chat", m.chat); v.required("target", m.target); }
template <class V> void members(V& v, Is<SetTyping> auto& m) { v.required("chat", m.chat); v.required("typing", m.typing); }
template <class V> void members(V& v, Is<SetPresence> auto& m) { v.optional("to", m.to); v.required("availability", m.availability); v.optional("status", m.status); }
template <class V> void members(V& v, Is<SetProfile> auto& m) { v.optional("name", m.name); v.optional("avatar", m.avatar); }
template <class V> void members(V& v, Is<AddContact> auto& m) { v.required("contact", m.contact); v.optional("text", m.text); }
template <class V> void members(V& v, Is<AnswerContact> auto& m) { v.required("contact", m.contact); v.required("accepted", m.accepted); }
template <class V> void members(V& v, Is<RemoveContact> auto& m) { v.required("contact", m.contact); }
template <class V> void members(V& v, Is<RenameContact> auto& m) { v.required("contact", m.contact); v.optional("name", m.name); }
template <class V> void members(V& v, Is<BlockContact> auto& m) { v.required("contact", m.contact); v.required("blocked", m.blocked); }
template <class V> void members(V& v, Is<CreateRoom> auto& m) { v.optional("name", m.name); v.list("members", m.members); }
template <class V> void members(V& v, Is<JoinRoom> auto& m) { v.required("room", m.room); v.optional("nick", m.nick); }
template <class V> void members(V& v, Is<LeaveRoom> auto& m) { v.required("room", m.room); }
template <class V> void members(V& v, Is<SetTopic> auto& m) { v.required("room", m.room); v.optional("topic", m.topic); }
template <class V> void members(V& v, Is<Invite> auto& m) { v.required("room", m.room); v.required("contact", m.contact); }
template <class V> void members(V& v, Is<SetRole> auto& m) { v.required("room", m.room); v.required("contact", m.contact); v.required("role", m.role); }
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

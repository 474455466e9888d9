#include "gateway/connector/event_codec.hpp"

#include "gateway/connector/json_members.hpp"
#include "gateway/connector/json_text.hpp"

namespace wherry::connector {

using nlohmann::json;

// clang-format off
template <> constexpr std::string_view type_name<MessageReceived> = "message_received";
template <> constexpr std::string_view type_name<MessageEdited> = "message_edited";
template <> constexpr std::string_view type_name<MessageRetracted> = "message_retracted";
template <> constexpr std::string_view type_name<Reacted> = "reacted";
template <> constexpr std::string_view type_name<MessageProgressed> = "message_progressed";
template <> constexpr std::string_view type_name<ContactAsked> = "contact_asked";
template <> constexpr std::string_view type_name<ContactAnswered> = "contact_answered";
template <> constexpr std::string_view type_name<ContactRemoved> = "contact_removed";
template <> constexpr std::string_view type_name<AccountNotice> = "account_notice";
template <> constexpr std::string_view type_name<RoomClosed> = "room_closed";
template <> constexpr std::string_view type_name<ContactsListed> = "contacts_listed";
template <> constexpr std::string_view type_name<ContactListChanged> = "contact_list_changed";
template <> constexpr std::string_view type_name<PresenceChanged> = "presence_changed";
template <> constexpr std::string_view type_name<MessageRead> = "message_read";
template <> constexpr std::string_view type_name<TypingChanged> = "typing_changed";
template <> constexpr std::string_view type_name<ContactChanged> = "contact_changed";
template <> constexpr std::string_view type_name<CapabilitiesChanged> = "capabilities_changed";
template <> constexpr std::string_view type_name<RoomListed> = "room_listed";
template <> constexpr std::string_view type_name<RoomChanged> = "room_changed";
template <> constexpr std::string_view type_name<ParticipantsChanged> = "participants_changed";
template <> constexpr std::string_view type_name<AccountChanged> = "account_changed";

template <class V> void members(V& v, Is<MessageReceived> auto& m) { v.required("chat", m.chat); v.required("sender", m.sender); v.required("id", m.id); v.content(m.content); v.required("sent_at", m.sent_at); v.optional("from_me", m.from_me); }
template <class V> void members(V& v, Is<MessageEdited> auto& m) { v.required("chat", m.chat); v.required("sender", m.sender); v.required("id", m.id); v.required("target", m.target); v.content(m.content); v.required("sent_at", m.sent_at); v.optional("from_me", m.from_me); }
template <class V> void members(V& v, Is<MessageRetracted> auto& m) { v.required("chat", m.chat); v.required("sender", m.sender); v.required("id", m.id); v.required("target", m.target); v.optional("from_me", m.from_me); }
template <class V> void members(V& v, Is<Reacted> auto& m) { v.required("chat", m.chat); v.required("sender", m.sender); v.required("id", m.id); v.required("target", m.target); v.list("reactions", m.reactions); v.optional("from_me", m.from_me); }
template <class V> void members(V& v, Is<MessageProgressed> auto& m) { v.required("id", m.id); v.required("stage", m.stage); v.optional("text", m.text); }
template <class V> void members(V& v, Is<ContactAsked> auto& m) { v.required("contact", m.contact); v.optional("name", m.name); v.optional("text", m.text); }
template <class V> void members(V& v, Is<ContactAnswered> auto& m) { v.required("contact", m.contact); v.required("accepted", m.accepted); }
template <class V> void members(V& v, Is<ContactRemoved> auto& m) { v.required("contact", m.contact); v.optional("still_seen", m.still_seen); }
template <class V> void members(V& v, Is<AccountNotice> auto& m) { v.required("id", m.id); v.optional("text", m.text); }
template <class V> void members(V& v, Is<RoomClosed> auto& m) { v.required("room", m.room); v.required("id", m.id); v.optional("text", m.text); }
template <class V> void members(V& v, Is<ContactsListed> auto& m) { v.list("contacts", m.contacts); }
template <class V> void members(V& v, Is<ContactListChanged> auto& m) { v.list("changed", m.changed); v.list("removed", m.removed); }
template <class V> void members(V& v, Is<PresenceChanged> auto& m) { v.required("contact", m.contact); v.required("availability", m.availability); v.optional("status", m.status); v.optional("idle_since", m.idle_since); }
template <class V> void members(V& v, Is<MessageRead> auto& m) { v.required("chat", m.chat); v.required("sender", m.sender); v.required("up_to", m.up_to); }
template <class V> void members(V& v, Is<TypingChanged> auto& m) { v.required("chat", m.chat); v.required("sender", m.sender); v.required("typing", m.typing); }
template <class V> void members(V& v, Is<ContactChanged> auto& m) { v.required("contact", m.contact); v.optional("name", m.name); v.optional("avatar", m.avatar); }
template <class V> void members(V& v, Is<CapabilitiesChanged> auto& m) { v.optional("chat", m.chat); }
template <class V> void members(V& v, Is<RoomListed> auto& m) { v.required("room", m.room); v.optional("name", m.name); }
template <class V> void members(V& v, Is<RoomChanged> auto& m) { v.required("room", m.room); v.optional("name", m.name); v.optional("topic", m.topic); v.optional("avatar", m.avatar); v.required("role", m.role); }
template <class V> void members(V& v, Is<ParticipantsChanged> auto& m) { v.required("room", m.room); v.list("changed", m.changed); v.list("left", m.left); }
template <class V> void members(V& v, Is<AccountChanged> auto& m) { v.required("online", m.online); v.optional("needs_login", m.needs_login); v.optional("text", m.text); }
// clang-format on

std::string to_text(const Event& event) { return write_variant(event); }
json to_json(const Event& event) { return json::parse(write_variant(event)); }

Result<Event> parse_event(const json& object) {
  return read_variant<Event>(object, "event", std::make_index_sequence<std::variant_size_v<Event>>());
}
Result<Event> parse_event(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed) return parsed.error();
  return parse_event(*parsed);
}

}  // namespace wherry::connector

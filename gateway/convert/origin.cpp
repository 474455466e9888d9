#include "gateway/convert/origin.hpp"

#include "gateway/connector/json_text.hpp"
#include "gateway/convert/to_action.hpp"

namespace wherry::convert {

namespace {

constexpr std::size_t most_type_bytes = 16;  // no type that exists has more (RFC 6121 §4.7.1, §5.2.2)

base::Error damaged_origin() { return {base::Errc::bad_input, "This is no origin."}; }

// Rows of the versions before 1: [user, contact, id, type, lang, receipt, sent]. Read for ever.
base::Result<Origin> parse_unversioned_origin(const nlohmann::json& json) {
  if (json.size() != 7 || !json[5].is_boolean() || !json[6].is_number_integer()) return damaged_origin();
  for (std::size_t i = 0; i < 5; ++i) {
    if (!json[i].is_string()) return damaged_origin();
  }
  Origin origin;
  origin.user = json[0].get<std::string>();
  origin.contact = json[1].get<std::string>();
  origin.stanza_id = json[2].get<std::string>();
  origin.type = json[3].get<std::string>();
  origin.lang = json[4].get<std::string>();
  origin.wants_receipt = json[5].get<bool>();
  origin.sent = json[6].get<std::int64_t>();
  return origin;
}

// Whether the member, where it is there, could be read.
template <class T>
bool read(const nlohmann::json& json, const char* name, bool (nlohmann::json::*is_right)() const noexcept, T& value) {
  const auto found = json.find(name);
  if (found == json.end()) return true;
  if (!((*found).*is_right)()) return false;
  value = found->template get<T>();
  return true;
}

// Members that are not known are a later version's additions, and are ignored.
base::Result<Origin> parse_origin_object(const nlohmann::json& json) {
  constexpr auto is_text = &nlohmann::json::is_string;
  Origin origin;
  if (!json.is_object() || json.value("v", nlohmann::json()) != 1) return damaged_origin();
  const bool all_read = read(json, "user", is_text, origin.user) && read(json, "contact", is_text, origin.contact) &&
                        read(json, "id", is_text, origin.stanza_id) && read(json, "type", is_text, origin.type) &&
                        read(json, "lang", is_text, origin.lang) && read(json, "face", is_text, origin.face) &&
                        read(json, "receipt", &nlohmann::json::is_boolean, origin.wants_receipt) &&
                        read(json, "marker", &nlohmann::json::is_boolean, origin.wants_marker) &&
                        read(json, "origin_id", &nlohmann::json::is_boolean, origin.has_origin_id) &&
                        read(json, "sent", &nlohmann::json::is_number_integer, origin.sent);
  if (!all_read) return damaged_origin();
  return origin;
}

}  // namespace

Origin origin_of(const xmpp::Stanza& stanza, base::Time now) {
  Origin origin;
  origin.user = stanza.from.str();
  origin.contact = stanza.to.str();
  // A message of a longer id was refused. A presence is known by who sent it.
  if (stanza.id().size() <= most_id_bytes) origin.stanza_id = stanza.id();
  if (stanza.type().size() <= most_type_bytes) origin.type = stanza.type();
  origin.lang = stanza.lang();
  origin.wants_receipt = stanza.element.child("request", xmpp::ns::receipts) != nullptr;
  origin.wants_marker = stanza.element.child("markable", xmpp::ns::chat_markers) != nullptr;
  const xmpp::Element* const origin_id = stanza.element.child("origin-id", xmpp::ns::stanza_id);
  origin.has_origin_id = origin_id && !origin.stanza_id.empty() && origin_id->attribute("id") == origin.stanza_id;
  origin.sent = base::to_milliseconds(now);
  return origin;
}

std::string to_text(const Origin& origin) {
  std::string out;
  out.reserve(160 + origin.user.size() + origin.contact.size() + origin.stanza_id.size());
  out += R"({"v":1)";
  const auto add = [&](std::string_view name, std::string_view text) {
    if (text.empty()) return;
    out.append(",\"").append(name).append("\":");
    connector::append_json_string(out, text);
  };
  add("user", origin.user);
  add("contact", origin.contact);
  add("id", origin.stanza_id);
  add("type", origin.type);
  add("lang", origin.lang);
  add("face", origin.face);
  if (origin.wants_receipt) out += R"(,"receipt":true)";
  if (origin.wants_marker) out += R"(,"marker":true)";
  if (origin.has_origin_id) out += R"(,"origin_id":true)";
  out += R"(,"sent":)";
  connector::append_json_number(out, origin.sent);
  return out += '}';
}

base::Result<Origin> parse_origin(std::string_view text) {
  const auto json = connector::parse_json(text);
  if (!json) return damaged_origin();
  return json->is_array() ? parse_unversioned_origin(*json) : parse_origin_object(*json);
}

}  // namespace wherry::convert

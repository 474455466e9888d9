#include "gateway/connector/json_members.hpp"

#include "gateway/connector/json_text.hpp"

#include <cstdint>
#include <utility>

namespace wherry::connector {

namespace {

using nlohmann::json;

constexpr std::size_t most_id_bytes = 2000;
constexpr std::int64_t most_milliseconds = 9'000'000'000'000;  // year 2255: still within a nanosecond clock's 64 bits

// NUL can stand neither in an address nor in a row of every store.
bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::string without_nul(const json& text) {
  std::string result = text.get<std::string>();
  std::erase(result, '\0');
  return result;
}

}  // namespace

// ---- Out ----

void MemberWriter::required(std::string_view name, const std::string& text) {
  begin(name);
  append_json_string(out_, text);
}

void MemberWriter::required(std::string_view name, bool value) {
  begin(name);
  out_ += value ? "true" : "false";
}

void MemberWriter::required(std::string_view name, base::Time time) {
  begin(name);
  append_json_number(out_, base::to_milliseconds(time));
}

void MemberWriter::required(std::string_view name, double value) {
  begin(name);
  out_ += nlohmann::json(value).dump();
}

void MemberWriter::optional(std::string_view name, const std::string& text) {
  if (!text.empty()) required(name, text);
}

void MemberWriter::optional(std::string_view name, std::uint64_t number) {
  if (number == 0) return;
  begin(name);
  append_json_number(out_, static_cast<std::int64_t>(number));
}

void MemberWriter::content(const Content& content) {
  required("text", content.text);
  optional_list("files", content.files);
  optional("reply_to", content.reply_to);
  optional("thread", content.thread);
  optional("location", content.location);
}

void MemberWriter::element(const std::string& text) { append_json_string(out_, text); }

void MemberWriter::begin(std::string_view name) {
  out_ += is_first_ ? "\"" : ",\"";
  is_first_ = false;
  out_ += name;
  out_ += "\":";
}

void MemberWriter::word(std::string_view name, std::string_view value) {
  begin(name);
  out_ += '"';
  out_ += value;
  out_ += '"';
}

// ---- In ----

void MemberReader::required(const char* name, std::string& text) {
  if (const json* value = find(name, true)) identifier(name, *value, text);
}

void MemberReader::required(const char* name, ChatId& chat) {
  const json* value = find(name, true);
  if (!value) return;
  if (!value->is_string()) return fail(name, "must be a string");
  auto parsed = parse_chat(value->get_ref<const std::string&>());
  if (parsed) chat = std::move(*parsed);
  else fail(name, parsed.error().text);
}

void MemberReader::required(const char* name, base::Time& time) {
  const json* value = find(name, true);
  if (!value) return;
  if (!value->is_number_integer() || (value->is_number_unsigned() && value->get<std::uint64_t>() > most_milliseconds) ||
      value->get<std::int64_t>() < -most_milliseconds) {
    return fail(name, "must be milliseconds since 1970, a whole number");
  }
  time = base::from_milliseconds(value->get<std::int64_t>());
}

void MemberReader::optional(const char* name, std::string& text) {
  const json* value = find(name, false);
  if (!value) return;
  if (!value->is_string()) return fail(name, "must be a string");
  text = without_nul(*value);
}

void MemberReader::required(const char* name, double& value) {
  const json* found = find(name, true);
  if (!found) return;
  if (!found->is_number()) return fail(name, "must be a number");
  value = found->get<double>();
}

void MemberReader::required(const char* name, Target& target) {
  const json* found = find(name, true);
  if (!found) return;
  object(name, *found, target);
  if (target.ids.empty() && !error_) fail(std::string(name) + ".ids", "must not be empty");
}

void MemberReader::optional(const char* name, std::uint64_t& number) {
  const json* found = find(name, false);
  if (!found) return;
  const bool fits = found->is_number_unsigned() && found->get<std::uint64_t>() <= std::uint64_t(INT64_MAX);
  if (!fits) return fail(name, "must be a whole number");
  number = found->get<std::uint64_t>();
}

void MemberReader::optional(const char* name, std::uint32_t& number) {
  std::uint64_t found = number;
  optional(name, found);
  if (found > UINT32_MAX) return fail(name, "must be at most 4294967295");
  number = static_cast<std::uint32_t>(found);
}

void MemberReader::content(Content& content) {
  optional("text", content.text);
  optional_list("files", content.files);
  optional("reply_to", content.reply_to);
  optional("thread", content.thread);
  optional("location", content.location);
}

void MemberReader::element(const char* name, const json& found, std::string& text) {
  if (!found.is_string()) return fail(name, "must be a string");
  text = without_nul(found);
}

const json* MemberReader::find(const char* name, bool needed) {
  if (error_) return nullptr;
  const auto member = object_.find(name);
  if (member != object_.end()) return &*member;
  if (needed) fail(name, "is missing");
  return nullptr;
}

void MemberReader::fail(std::string_view name, std::string_view what) {
  if (error_) return;
  error_ = Error{Errc::bad_input, std::string(name) + ": " + std::string(what)};
}

void MemberReader::identifier(const char* name, const json& value, std::string& text) {
  if (!value.is_string()) return fail(name, "must be a string");
  const auto& found = value.get_ref<const std::string&>();
  if (found.empty() || found.size() > most_id_bytes) return fail(name, "must have 1 to 2000 bytes");
  if (has_nul(found)) return fail(name, "must be without NUL");
  text = found;
}

void MemberReader::boolean(const char* name, bool& value, bool needed) {
  const json* found = find(name, needed);
  if (!found) return;
  if (!found->is_boolean()) return fail(name, "must be true or false");
  value = found->get<bool>();
}

Result<ChatId> parse_chat(std::string_view text) {
  if (text.size() > most_id_bytes) return Error{Errc::bad_input, "must have at most 2000 bytes"};
  if (has_nul(text)) return Error{Errc::bad_input, "must be without NUL"};
  if (text.size() > 2 && text[1] == ':') {
    if (text[0] == 'c') return ChatId(ContactId{std::string(text.substr(2))});
    if (text[0] == 'r') return ChatId(RoomId{std::string(text.substr(2))});
  }
  return Error{Errc::bad_input, "must be \"c:\" and a contact, or \"r:\" and a room"};
}

}  // namespace wherry::connector

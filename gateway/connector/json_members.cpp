#include "gateway/connector/json_members.hpp"

#include "gateway/connector/json_text.hpp"

#include <utility>

namespace wherry::connector {

namespace {

using nlohmann::json;

constexpr std::size_t most_id_bytes = 2000;
constexpr std::size_t most_files = 100;
constexpr std::size_t most_listed = 5000, most_groups = 20;    // contacts of a list, groups of one of them
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

void MemberWriter::optional(std::string_view name, const std::string& text) {
  if (!text.empty()) required(name, text);
}

void MemberWriter::optional(std::string_view name, const std::optional<ContactId>& id) {
  if (id) required(name, id->value);
}

void MemberWriter::content(const Content& content) {
  required("text", content.text);
  if (content.files.empty()) return;
  begin("files");
  char separator = '[';
  for (const File& file : content.files) {
    out_ += separator;
    separator = ',';
    out_ += R"({"url":)";
    append_json_string(out_, file.url);
    optional("media_type", file.media_type);
    if (file.bytes > 0) {
      begin("bytes");
      append_json_number(out_, static_cast<std::int64_t>(file.bytes));
    }
    out_ += '}';
  }
  out_ += ']';
}

void MemberWriter::contacts(const std::vector<ListedContact>& contacts) {
  begin("contacts");
  out_ += '[';
  for (const ListedContact& listed : contacts) {
    out_ += &listed == contacts.data() ? R"({"contact":)" : R"(,{"contact":)";
    append_json_string(out_, listed.contact.value);
    optional("name", listed.name);
    if (!listed.groups.empty()) groups(listed.groups);
    out_ += '}';
  }
  out_ += ']';
}

void MemberWriter::groups(const std::vector<std::string>& groups) {
  begin("groups");
  out_ += '[';
  for (const std::string& group : groups) {
    if (&group != groups.data()) out_ += ',';
    append_json_string(out_, group);
  }
  out_ += ']';
}

void MemberWriter::begin(std::string_view name) {
  out_ += ",\"";
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

void MemberReader::optional(const char* name, std::optional<ContactId>& id) {
  if (const json* value = find(name, false)) identifier(name, *value, id.emplace().value);
}

void MemberReader::content(Content& content) {
  optional("text", content.text);
  const json* files = find("files", false);
  if (!files) return;
  if (!files->is_array() || files->size() > most_files) return fail("files", "must be an array of at most 100 objects");
  for (const json& item : *files) {
    if (!item.is_object()) return fail("files", "must be an array of objects");
    File file;
    MemberReader reader(item);
    reader.optional("url", file.url);
    reader.optional("media_type", file.media_type);
    const json* bytes = reader.find("bytes", false);
    if (bytes && (!bytes->is_number_integer() || *bytes < 0)) reader.fail("bytes", "must be a whole number");
    else if (bytes) file.bytes = bytes->get<std::uint64_t>();
    if (reader.error_) return fail("files", reader.error_->text);
    content.files.push_back(std::move(file));
  }
}

void MemberReader::contacts(std::vector<ListedContact>& contacts) {
  const json* list = find("contacts", true);
  if (!list) return;
  if (!list->is_array() || list->size() > most_listed)
    return fail("contacts", "must be an array of at most 5000 objects");
  for (const json& item : *list) {
    if (!item.is_object()) return fail("contacts", "must be an array of objects");
    ListedContact listed;
    MemberReader reader(item);
    reader.required("contact", listed.contact);
    reader.optional("name", listed.name);
    reader.groups(listed.groups);
    if (reader.error_) return fail("contacts", reader.error_->text);
    contacts.push_back(std::move(listed));
  }
}

void MemberReader::groups(std::vector<std::string>& groups) {
  const json* list = find("groups", false);
  if (!list) return;
  if (!list->is_array() || list->size() > most_groups) return fail("groups", "must be an array of at most 20 strings");
  for (const json& group : *list) {
    if (!group.is_string()) return fail("groups", "must be an array of strings");
    groups.push_back(without_nul(group));
  }
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

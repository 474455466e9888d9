#include "gateway/connector/codec.hpp"

#include "gateway/connector/json_text.hpp"

#include <array>
#include <concepts>
#include <utility>

namespace wherry::connector {

namespace {

using nlohmann::json;

constexpr std::size_t most_id_bytes = 2000;
constexpr std::size_t most_files = 100;
constexpr std::size_t most_listed = 5000, most_groups = 20;  // contacts of a list, groups of one of them
constexpr std::int64_t most_milliseconds = 9'000'000'000'000;  // year 2255: still within a nanosecond clock's 64 bits

constexpr std::array<std::pair<Availability, std::string_view>, 6> availabilities{{
    {Availability::offline, "offline"},
    {Availability::online, "online"},
    {Availability::chat, "chat"},
    {Availability::away, "away"},
    {Availability::extended_away, "extended_away"},
    {Availability::do_not_disturb, "do_not_disturb"},
}};
constexpr std::array<std::pair<Stage, std::string_view>, 4> stages{{
    {Stage::accepted, "accepted"},
    {Stage::delivered, "delivered"},
    {Stage::read, "read"},
    {Stage::failed, "failed"},
}};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [entry, name] : table) {
    if (entry == value) return name;
  }
  return {};
}

// NUL can stand neither in an address nor in a row of every store.
bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

std::string without_nul(const json& text) {
  std::string result = text.get<std::string>();
  std::erase(result, '\0');
  return result;
}

// ---- The types: their names and members, said once for both directions ----

// clang-format off
template <class T> constexpr std::string_view type_name = "";
template <> constexpr std::string_view type_name<SendMessage> = "send_message";
template <> constexpr std::string_view type_name<SetPresence> = "set_presence";
template <> constexpr std::string_view type_name<AddContact> = "add_contact";
template <> constexpr std::string_view type_name<AnswerContact> = "answer_contact";
template <> constexpr std::string_view type_name<RemoveContact> = "remove_contact";
template <> constexpr std::string_view type_name<MessageReceived> = "message_received";
template <> constexpr std::string_view type_name<MessageProgressed> = "message_progressed";
template <> constexpr std::string_view type_name<ContactAsked> = "contact_asked";
template <> constexpr std::string_view type_name<ContactAnswered> = "contact_answered";
template <> constexpr std::string_view type_name<ContactRemoved> = "contact_removed";
template <> constexpr std::string_view type_name<ContactsListed> = "contacts_listed";
template <> constexpr std::string_view type_name<PresenceChanged> = "presence_changed";
template <> constexpr std::string_view type_name<AccountChanged> = "account_changed";

// clang-format on

// T is X, const or not: the writer visits constant values, the reader fills variable ones.
template <class T, class X>
concept Is = std::same_as<std::remove_const_t<T>, X>;

// clang-format off
template <class V> void members(V& v, Is<SendMessage> auto& m) { v.required("chat", m.chat); v.required("key", m.key); v.content(m.content); }
template <class V> void members(V& v, Is<SetPresence> auto& m) { v.optional("to", m.to); v.required("availability", m.availability); v.optional("status", m.status); }
template <class V> void members(V& v, Is<AddContact> auto& m) { v.required("contact", m.contact); }
template <class V> void members(V& v, Is<AnswerContact> auto& m) { v.required("contact", m.contact); v.required("accepted", m.accepted); }
template <class V> void members(V& v, Is<RemoveContact> auto& m) { v.required("contact", m.contact); }
template <class V> void members(V& v, Is<MessageReceived> auto& m) { v.required("chat", m.chat); v.required("sender", m.sender); v.required("id", m.id); v.content(m.content); v.required("sent_at", m.sent_at); }
template <class V> void members(V& v, Is<MessageProgressed> auto& m) { v.required("id", m.id); v.required("stage", m.stage); v.optional("text", m.text); }
template <class V> void members(V& v, Is<ContactAsked> auto& m) { v.required("contact", m.contact); v.optional("name", m.name); }
template <class V> void members(V& v, Is<ContactAnswered> auto& m) { v.required("contact", m.contact); v.required("accepted", m.accepted); }
template <class V> void members(V& v, Is<ContactRemoved> auto& m) { v.required("contact", m.contact); }
template <class V> void members(V& v, Is<ContactsListed> auto& m) { v.contacts(m.contacts); }
template <class V> void members(V& v, Is<PresenceChanged> auto& m) { v.required("contact", m.contact); v.required("availability", m.availability); v.optional("status", m.status); }
template <class V> void members(V& v, Is<AccountChanged> auto& m) { v.required("online", m.online); v.optional("needs_login", m.needs_login); v.optional("text", m.text); }
// clang-format on

// ---- Out: appended text, no tree (both queues write one per message) ----

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <class T>
  void whole(const T& value) {
    out_ += R"({"type":")";
    out_ += type_name<T>;
    out_ += '"';
    members(*this, value);
    out_ += '}';
  }

  void required(std::string_view name, const std::string& text) {
    begin(name);
    append_json_string(out_, text);
  }
  template <class Tag>
  void required(std::string_view name, const base::Id<Tag>& id) {
    required(name, id.value);
  }
  void required(std::string_view name, const ChatId& chat) { required(name, base::to_string(chat)); }
  void required(std::string_view name, Availability value) { word(name, name_in(availabilities, value)); }
  void required(std::string_view name, Stage value) { word(name, name_in(stages, value)); }
  void required(std::string_view name, bool value) {
    begin(name);
    out_ += value ? "true" : "false";
  }
  void required(std::string_view name, base::Time time) {
    begin(name);
    append_json_number(out_, base::to_milliseconds(time));
  }
  void optional(std::string_view name, const std::string& text) {
    if (!text.empty()) required(name, text);
  }
  void optional(std::string_view name, const std::optional<ContactId>& id) {
    if (id) required(name, id->value);
  }
  void optional(std::string_view name, bool value) { required(name, value); }

  void content(const Content& content) {
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

  void contacts(const std::vector<ListedContact>& contacts) {
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

 private:
  void groups(const std::vector<std::string>& groups) {
    begin("groups");
    out_ += '[';
    for (const std::string& group : groups) {
      if (&group != groups.data()) out_ += ',';
      append_json_string(out_, group);
    }
    out_ += ']';
  }
  void begin(std::string_view name) {
    out_ += ",\"";
    out_ += name;
    out_ += "\":";
  }
  void word(std::string_view name, std::string_view value) {
    begin(name);
    out_ += '"';
    out_ += value;
    out_ += '"';
  }

  std::string& out_;
};

// ---- In: the first thing that is wrong is remembered, the rest is skipped ----

class Reader {
 public:
  explicit Reader(const json& object) : object_(object) {}

  const std::optional<Error>& error() const { return error_; }

  void required(const char* name, std::string& text) {
    if (const json* value = find(name, true)) identifier(name, *value, text);
  }
  template <class Tag>
  void required(const char* name, base::Id<Tag>& id) {
    required(name, id.value);
  }
  void required(const char* name, ChatId& chat) {
    const json* value = find(name, true);
    if (!value) return;
    if (!value->is_string()) return fail(name, "must be a string");
    auto parsed = parse_chat(value->get_ref<const std::string&>());
    if (parsed)
      chat = std::move(*parsed);
    else
      fail(name, parsed.error().text);
  }
  void required(const char* name, Availability& value) { word(name, availabilities, value); }
  void required(const char* name, Stage& value) { word(name, stages, value); }
  void required(const char* name, bool& value) { boolean(name, value, true); }
  void required(const char* name, base::Time& time) {
    const json* value = find(name, true);
    if (!value) return;
    if (!value->is_number_integer() ||
        (value->is_number_unsigned() && value->get<std::uint64_t>() > most_milliseconds) ||
        value->get<std::int64_t>() < -most_milliseconds) {
      return fail(name, "must be milliseconds since 1970, a whole number");
    }
    time = base::from_milliseconds(value->get<std::int64_t>());
  }
  void optional(const char* name, std::string& text) {
    const json* value = find(name, false);
    if (!value) return;
    if (!value->is_string()) return fail(name, "must be a string");
    text = without_nul(*value);
  }
  void optional(const char* name, std::optional<ContactId>& id) {
    if (const json* value = find(name, false)) identifier(name, *value, id.emplace().value);
  }
  void optional(const char* name, bool& value) { boolean(name, value, false); }

  void content(Content& content) {
    optional("text", content.text);
    const json* files = find("files", false);
    if (!files) return;
    if (!files->is_array() || files->size() > most_files)
      return fail("files", "must be an array of at most 100 objects");
    for (const json& item : *files) {
      if (!item.is_object()) return fail("files", "must be an array of objects");
      File file;
      Reader reader(item);
      reader.optional("url", file.url);
      reader.optional("media_type", file.media_type);
      const json* bytes = reader.find("bytes", false);
      if (bytes && (!bytes->is_number_integer() || *bytes < 0))
        reader.fail("bytes", "must be a whole number");
      else if (bytes)
        file.bytes = bytes->get<std::uint64_t>();
      if (reader.error_) return fail("files", reader.error_->text);
      content.files.push_back(std::move(file));
    }
  }

  void contacts(std::vector<ListedContact>& contacts) {
    const json* list = find("contacts", true);
    if (!list) return;
    if (!list->is_array() || list->size() > most_listed) return fail("contacts", "must be an array of at most 5000 objects");
    for (const json& item : *list) {
      if (!item.is_object()) return fail("contacts", "must be an array of objects");
      ListedContact listed;
      Reader reader(item);
      reader.required("contact", listed.contact);
      reader.optional("name", listed.name);
      reader.groups(listed.groups);
      if (reader.error_) return fail("contacts", reader.error_->text);
      contacts.push_back(std::move(listed));
    }
  }

 private:
  void groups(std::vector<std::string>& groups) {
    const json* list = find("groups", false);
    if (!list) return;
    if (!list->is_array() || list->size() > most_groups) return fail("groups", "must be an array of at most 20 strings");
    for (const json& group : *list) {
      if (!group.is_string()) return fail("groups", "must be an array of strings");
      groups.push_back(without_nul(group));
    }
  }
  const json* find(const char* name, bool needed) {
    if (error_) return nullptr;
    const auto member = object_.find(name);
    if (member != object_.end()) return &*member;
    if (needed) fail(name, "is missing");
    return nullptr;
  }
  void fail(std::string_view name, std::string_view what) {
    if (error_) return;
    error_ = Error{Errc::bad_input, std::string(name) + ": " + std::string(what)};
  }
  void identifier(const char* name, const json& value, std::string& text) {
    if (!value.is_string()) return fail(name, "must be a string");
    const auto& found = value.get_ref<const std::string&>();
    if (found.empty() || found.size() > most_id_bytes) return fail(name, "must have 1 to 2000 bytes");
    if (has_nul(found)) return fail(name, "must be without NUL");
    text = found;
  }
  void boolean(const char* name, bool& value, bool needed) {
    const json* found = find(name, needed);
    if (!found) return;
    if (!found->is_boolean()) return fail(name, "must be true or false");
    value = found->get<bool>();
  }
  template <class Table, class Value>
  void word(const char* name, const Table& table, Value& value) {
    const json* found = find(name, true);
    if (!found) return;
    if (found->is_string()) {
      for (const auto& [entry, word] : table) {
        if (found->get_ref<const std::string&>() == word) {
          value = entry;
          return;
        }
      }
    }
    std::string known;
    for (const auto& [entry, word] : table) known += (known.empty() ? "must be one of " : ", ") + std::string(word);
    fail(name, known);
  }

  const json& object_;
  std::optional<Error> error_;
};

// Fills `result` when `type` names T.
template <class T, class Variant>
bool read_as(std::string_view type, const json& object, Result<Variant>& result) {
  if (type != type_name<T>) return false;
  T value;
  Reader reader(object);
  members(reader, value);
  if (reader.error())
    result = *reader.error();
  else
    result = Variant(std::move(value));
  return true;
}

template <class Variant, std::size_t... I>
Result<Variant> read(const json& object, std::string_view what, std::index_sequence<I...>) {
  if (!object.is_object()) return Error{Errc::bad_input, "must be an object"};
  const auto type = object.find("type");
  if (type == object.end() || !type->is_string()) return Error{Errc::bad_input, "type: must be a string"};
  const auto& name = type->get_ref<const std::string&>();
  Result<Variant> result =
      Error{Errc::unsupported, "type: no such " + std::string(what) + ": " + std::string(name.substr(0, 40))};
  (read_as<std::variant_alternative_t<I, Variant>>(name, object, result) || ...);
  return result;
}

template <class Variant>
std::string write(const Variant& value) {
  std::string text;
  text.reserve(256);
  Writer writer(text);
  std::visit([&](const auto& it) { writer.whole(it); }, value);
  return text;
}

}  // namespace

std::string to_text(const Action& action) {
  return write(action);
}
std::string to_text(const Event& event) {
  return write(event);
}
json to_json(const Action& action) {
  return json::parse(write(action));
}
json to_json(const Event& event) {
  return json::parse(write(event));
}

Result<Action> parse_action(const json& object) {
  return read<Action>(object, "action", std::make_index_sequence<std::variant_size_v<Action>>());
}
Result<Event> parse_event(const json& object) {
  return read<Event>(object, "event", std::make_index_sequence<std::variant_size_v<Event>>());
}
Result<Action> parse_action(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed) return parsed.error();
  return parse_action(*parsed);
}
Result<Event> parse_event(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed) return parsed.error();
  return parse_event(*parsed);
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

std::string_view to_string(Availability availability) {
  return name_in(availabilities, availability);
}

std::optional<Availability> parse_availability(std::string_view text) {
  for (const auto& [entry, name] : availabilities) {
    if (name == text) return entry;
  }
  return std::nullopt;
}

}  // namespace wherry::connector

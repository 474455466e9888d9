#include "gateway/child/values.hpp"

#include "gateway/connector/event_codec.hpp"

#include <array>
#include <utility>

namespace wherry::child {

namespace {

using nlohmann::json;

constexpr std::size_t most_text = 4000, most_fields = 50, most_choices = 200, most_entries = 1000,
                      most_key_bytes = 1000;
constexpr std::size_t most_pictures = 4, most_picture_url = 32 << 10;
constexpr std::size_t most_value_bytes = 512 << 10, most_log_text = 2000;
constexpr std::size_t most_seconds = 10 * 365 * 86400, most_word_bytes = 200, most_words = 200;
constexpr std::size_t most_parts = 100, most_message_id_bytes = 2000;  // of one message
constexpr std::size_t most_credential_bytes = 256 << 10;               // of one account: each is told in one line

constexpr std::array<std::pair<std::string_view, Idempotency>, 3> idempotencies{
    {{"by_key", Idempotency::by_key}, {"queryable", Idempotency::queryable}, {"none", Idempotency::none}}};
constexpr std::array<std::pair<std::string_view, Support>, 5> supports{{{"refuse", Support::refuse},
                                                                        {"drop", Support::drop},
                                                                        {"fall_back", Support::fall_back},
                                                                        {"partial", Support::partial},
                                                                        {"full", Support::full}}};
constexpr std::array<std::pair<std::string_view, TextLimit::Unit>, 3> text_units{
    {{"bytes", TextLimit::Unit::bytes}, {"utf16", TextLimit::Unit::utf16}, {"septets", TextLimit::Unit::septets}}};
constexpr std::array<std::pair<std::string_view, Field::Type>, 6> field_types{{{"text", Field::Type::text},
                                                                               {"secret", Field::Type::secret},
                                                                               {"choice", Field::Type::choice},
                                                                               {"boolean", Field::Type::boolean},
                                                                               {"choices", Field::Type::choices},
                                                                               {"hidden", Field::Type::hidden}}};

// Whose value is a Support.
constexpr std::array<std::pair<const char*, Support Capabilities::*>, 9> supported{
    {{"files", &Capabilities::files},
     {"edit", &Capabilities::edit},
     {"retract", &Capabilities::retract},
     {"react", &Capabilities::react},
     {"reply", &Capabilities::reply},
     {"typing", &Capabilities::typing},
     {"read_marks", &Capabilities::read_marks},
     {"delivery_reports", &Capabilities::delivery_reports},
     {"formatting", &Capabilities::formatting}}};
constexpr const char* other_protocol =
    "must be 2, the version this gateway speaks: to change from 1, answer `hello` with 2, `perform` with \"ids\" (an "
    "array) in place of \"id\", and write \"text\": {\"most\": 160} in place of \"text_bytes\"; see "
    "connectors/README.md";

template <class Table, class Value>
std::string_view word_for(const Table& table, Value value) {
  for (const auto& [word, entry] : table) {
    if (entry == value) return word;
  }
  return {};
}

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// Reads members of one object; the first mistake is kept, with the member's path.
class Members {
 public:
  Members(const json& object, std::string path, std::optional<Error>& error)
      : object_(object), path_(std::move(path)), error_(error) {
    if (!object_.is_object()) fail("", "must be an object");
  }

  void text(const char* name, std::string& value, std::size_t least = 0, std::size_t most = most_text) {
    const json* found = find(name);
    if (!found && least == 0) return;
    if (!found || !found->is_string() || found->get_ref<const std::string&>().size() < least ||
        found->get_ref<const std::string&>().size() > most) {
      return fail(name, "must be a string of " + std::to_string(least) + " to " + std::to_string(most) + " bytes");
    }
    if (has_nul(found->get_ref<const std::string&>())) return fail(name, "must be without NUL");
    value = found->get<std::string>();
  }
  void boolean(const char* name, bool& value) {
    const json* found = find(name);
    if (!found) return;
    if (!found->is_boolean()) return fail(name, "must be true or false");
    value = found->get<bool>();
  }
  void number(const char* name, std::size_t& value) {
    const json* found = find(name);
    if (!found) return;
    if (!found->is_number_integer() || *found < 0) return fail(name, "must be a whole number");
    value = found->get<std::size_t>();
  }
  void seconds(const char* name, std::chrono::seconds& value) {
    std::size_t count = static_cast<std::size_t>(value.count());
    number(name, count);
    if (count > most_seconds) return fail(name, "must be at most " + std::to_string(most_seconds) + " seconds");
    value = std::chrono::seconds(count);
  }
  void texts(const char* name, std::size_t most, std::vector<std::string>& values) {
    for (const json& item : list(name, most)) {
      if (!item.is_string() || item.get_ref<const std::string&>().size() > most_word_bytes)
        return fail(name, "must be strings of at most " + std::to_string(most_word_bytes) + " bytes");
      values.push_back(item.get<std::string>());
    }
  }
  template <class Table, class Value>
  void word(const char* name, const Table& table, Value& value) {
    const json* found = find(name);
    if (!found) return;
    std::string known;
    for (const auto& [text, entry] : table) {
      if (*found == text) {
        value = entry;
        return;
      }
      known += (known.empty() ? "must be one of " : ", ") + std::string(text);
    }
    fail(name, known);
  }
  // An array of at most `most` elements; empty where there is none.
  const json& list(const char* name, std::size_t most) {
    static const json none = json::array();
    const json* found = find(name);
    if (!found) return none;
    if (found->is_array() && found->size() <= most) return *found;
    fail(name, "must be an array of at most " + std::to_string(most));
    return none;
  }
  const json& object(const char* name) {
    static const json none = json::object();
    const json* found = find(name);
    return found ? *found : none;
  }
  void fail(std::string_view name, std::string_view what) {
    if (error_) return;
    std::string path = path_ + std::string(name);
    if (path.ends_with('.')) path.pop_back();  // the object itself
    error_ = Error{Errc::bad_input, path + (path.empty() ? "" : ": ") + std::string(what)};
  }

 private:
  const json* find(const char* name) const {
    if (error_) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  const json& object_;
  std::string path_;
  std::optional<Error>& error_;
};

// What each of `capabilities` says.
Capabilities read_capabilities(const json& object, const std::string& path, std::optional<Error>& error) {
  Capabilities capabilities;
  Members members(object, path, error);
  Members text(members.object("text"), path + "text.", error);
  text.number("most", capabilities.text.most);
  text.word("unit", text_units, capabilities.text.unit);
  members.texts("file_types", most_words, capabilities.file_types);
  members.number("file_bytes", capabilities.file_bytes);
  members.seconds("edit_within", capabilities.edit_within);
  members.seconds("retract_within", capabilities.retract_within);
  members.texts("reactions", most_words, capabilities.reactions);
  members.number("most_reactions", capabilities.most_reactions);
  for (const auto& [name, member] : supported) members.word(name, supports, capabilities.*member);
  return capabilities;
}

bool is_in_room(const Event& event) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { std::holds_alternative<base::RoomId>(one.chat); })
          return std::holds_alternative<base::RoomId>(one.chat);
        else return false;
      },
      event);
}

template <class T>
Result<T> finish(T value, const std::optional<Error>& error) {
  if (error) return *error;
  return value;
}

}  // namespace

const json& member(const json& object, const char* name) {
  static const json none;
  if (!object.is_object()) return none;
  const auto found = object.find(name);
  return found == object.end() ? none : *found;
}

std::string to_line(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

Result<Greeting> parse_greeting(const json& object) {
  std::optional<Error> error;
  Greeting greeting;
  Members whole(object, "", error);
  std::size_t protocol = 0;
  whole.number("protocol", protocol);
  if (protocol != child_protocol) whole.fail("protocol", other_protocol);
  Network& network = greeting.network;
  Members members(whole.object("network"), "network.", error);
  members.text("id", network.id, 1, 40);
  members.text("name", network.name, 1, 200);
  members.text("disco_type", network.disco_type, 1, 40);
  members.text("client_type", network.client_type, 0, 40);
  members.text("contact_prompt", network.contact_prompt);
  members.text("contact_help", network.contact_help);
  for (const auto& [language, entry] : members.object("contact_prompts").items()) {
    Members one(entry, "network.contact_prompts." + language.substr(0, 40) + ".", error);
    one.text("prompt", network.contact_prompts[language].prompt);
    one.text("help", network.contact_prompts[language].help);
  }
  members.word("idempotency", idempotencies, network.idempotency);
  members.boolean("redelivers", network.redelivers);
  members.boolean("has_presence", network.has_presence);
  members.boolean("has_contact_list", network.has_contact_list);
  members.boolean("reports_delivery", network.reports_delivery);
  members.boolean("refers_to_messages", network.refers_to_messages);
  members.boolean("has_search", network.has_search);
  members.boolean("has_blocking", network.has_blocking);
  members.boolean("has_profile", network.has_profile);
  members.seconds("proof_of_life", network.proof_of_life);
  members.boolean("capabilities_vary", greeting.capabilities_vary);
  network.capabilities_vary = greeting.capabilities_vary;
  members.boolean("has_shared_link", greeting.has_shared_link);
  greeting.capabilities = read_capabilities(whole.object("capabilities"), "capabilities.", error);
  return finish(std::move(greeting), error);
}

Result<Capabilities> parse_capabilities(const json& object) {
  std::optional<Error> error;
  Capabilities capabilities = read_capabilities(object, "result.", error);
  return finish(std::move(capabilities), error);
}

json to_json(const Capabilities& capabilities) {
  json object;
  object["text"]["most"] = capabilities.text.most;
  object["text"]["unit"] = word_for(text_units, capabilities.text.unit);
  object["file_types"] = capabilities.file_types;
  object["file_bytes"] = capabilities.file_bytes;
  object["edit_within"] = capabilities.edit_within.count();
  object["retract_within"] = capabilities.retract_within.count();
  object["reactions"] = capabilities.reactions;
  object["most_reactions"] = capabilities.most_reactions;
  for (const auto& [name, member] : supported) object[name] = word_for(supports, capabilities.*member);
  return object;
}

Result<std::optional<Idempotency>> parse_idempotency(const json& object) {
  std::optional<Error> error;
  Idempotency idempotency{};
  Members members(object, "result.", error);
  members.word("idempotency", idempotencies, idempotency);
  if (error) return *error;
  if (!object.contains("idempotency")) return std::optional<Idempotency>();
  return std::optional(idempotency);
}

Result<Form> parse_form(const json& object) {
  std::optional<Error> error;
  Form form;
  Members members(object, "form.", error);
  members.text("title", form.title);
  members.text("instructions", form.instructions);
  for (const json& item : members.list("fields", most_fields)) {
    Field field;
    Members one(item, "form.fields[" + std::to_string(form.fields.size()) + "].", error);
    one.text("name", field.name, 1, 100);
    one.text("label", field.label);
    one.word("type", field_types, field.type);
    one.boolean("required", field.required);
    one.text("value", field.value);
    for (const json& choice : one.list("choices", most_choices)) {
      if (choice.is_string() && choice.get_ref<const std::string&>().size() <= most_text)
        field.choices.push_back(choice.get<std::string>());
      else one.fail("choices", "must be strings");
    }
    form.fields.push_back(std::move(field));
  }
  for (const json& item : members.list("notes", most_fields)) {
    if (item.is_string() && item.get_ref<const std::string&>().size() <= most_text &&
        !has_nul(item.get_ref<const std::string&>()))
      form.notes.push_back(item.get<std::string>());
    else members.fail("notes", "must be strings without NUL");
  }
  for (const json& item : members.list("pictures", most_pictures)) {
    Picture picture;
    Members one(item, "form.pictures[" + std::to_string(form.pictures.size()) + "].", error);
    one.text("media_type", picture.media_type, 1, 100);
    one.text("url", picture.url, 1, most_picture_url);
    one.text("text", picture.text);
    form.pictures.push_back(std::move(picture));
  }
  for (const json& item : members.list("links", most_fields)) {
    Link link;
    Members one(item, "form.links[" + std::to_string(form.links.size()) + "].", error);
    one.text("label", link.label);
    one.text("url", link.url, 1);
    form.links.push_back(std::move(link));
  }
  members.boolean("waits", form.waits);
  return finish(std::move(form), error);
}

Result<Answers> parse_credentials(const json& object) {
  const auto bad = [](std::string text) { return Error{Errc::bad_input, std::move(text), {}}; };
  if (!object.is_object() || object.size() > 2 * most_fields) return bad("must be an object of at most 100 strings");
  Answers answers;
  std::size_t bytes = 0;
  for (const auto& [name, value] : object.items()) {
    if (!value.is_string()) return bad(name.substr(0, 100) + ": must be a string");
    const auto& text = value.get_ref<const std::string&>();
    if (has_nul(name) || has_nul(text)) return bad(name.substr(0, 100) + ": must be without NUL");
    bytes += name.size() + text.size();
    answers.emplace(name, text);
  }
  if (bytes > most_credential_bytes) return bad("must have at most 256 KiB together");
  return answers;
}

json to_json(const Answers& answers) {
  json object = json::object();
  for (const auto& [name, value] : answers) object[name] = value;
  return object;
}

json to_json(const Account& account) {
  json object;
  object["account"] = account.id.value;
  object["user"] = account.user;
  object["credentials"] = to_json(account.credentials);
  return object;
}

Result<std::vector<Entry>> parse_entries(const json& array) {
  if (!array.is_array() || array.size() > most_entries)
    return Error{Errc::bad_input, "entries: must be an array of at most 1000"};
  std::optional<Error> error;
  std::vector<Entry> entries;
  for (const json& item : array) {
    Entry entry;
    Members members(item, "entries[" + std::to_string(entries.size()) + "].", error);
    members.text("key", entry.key, 1, most_key_bytes);
    members.text("value", entry.value, 0, most_value_bytes);
    entries.push_back(std::move(entry));
  }
  return finish(std::move(entries), error);
}

json to_json(const std::vector<Entry>& entries) {
  json array = json::array();
  for (const Entry& entry : entries) {
    json item = json::object();
    item["key"] = entry.key;
    item["value"] = entry.value;
    array.push_back(std::move(item));
  }
  return array;
}

Result<Published> parse_published(const json& params) {
  const json& account = member(params, "account");
  if (!account.is_number_integer()) return Error{Errc::bad_input, "account: must be a whole number"};
  auto event = parse_event(member(params, "event"));
  if (!event) return Error{event.error().code, "event." + event.error().text};
  const auto* changed = std::get_if<AccountChanged>(&*event);
  if (changed && changed->needs_login)
    return Error{Errc::bad_input, "event.needs_login: answer `open` with the error not_authorized instead"};
  if (is_in_room(*event)) return Error{Errc::unsupported, "event.chat: rooms are not carried"};
  return Published{AccountId{account.get<std::int64_t>()}, std::move(*event)};
}

std::optional<LogLine> parse_log_line(const json& params) {
  constexpr std::array<std::pair<std::string_view, log::Level>, 3> levels{
      {{"error", log::Level::error}, {"warn", log::Level::warn}, {"debug", log::Level::debug}}};
  const json &level = member(params, "level"), &text = member(params, "text");
  if (!text.is_string()) return std::nullopt;
  LogLine line{log::Level::info, text.get_ref<const std::string&>().substr(0, most_log_text)};
  for (const auto& [name, value] : levels) {
    if (level == name) line.level = value;
  }
  return line;
}

Result<Receipt> parse_receipt(const json& object) {
  std::optional<Error> error;
  Members members(object, "result.", error);
  Receipt receipt;
  for (const json& id : members.list("ids", most_parts)) {
    const bool is_id = id.is_string() && !id.get_ref<const std::string&>().empty() &&
                       id.get_ref<const std::string&>().size() <= most_message_id_bytes;
    if (!is_id || has_nul(id.get_ref<const std::string&>()))
      members.fail("ids", "must be strings of 1 to 2000 bytes, without NUL");
    else receipt.ids.push_back(MessageId{id.get<std::string>()});
  }
  return finish(std::move(receipt), error);
}

Result<ContactId> parse_contact_answer(const json& object) {
  std::optional<Error> error;
  ContactId contact;
  Members(object, "result.", error).text("contact", contact.value, 1, 2000);
  return finish(std::move(contact), error);
}

}  // namespace wherry::child

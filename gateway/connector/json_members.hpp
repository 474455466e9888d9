// The members of actions and events, between the contract's types and JSON: said once for both directions, in
//
//   template <class V> void members(V& v, Is<SendMessage> auto& m) { v.required("chat", m.chat); … }
//
// which is called with a MemberWriter or a MemberReader. action_codec and event_codec have their types' names and
// members; the child protocol reads other values of these.
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/connector/event.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace wherry::connector {

using base::Errc;
using base::Error;
using base::Result;

inline constexpr std::array<std::pair<Availability, std::string_view>, 6> availabilities{{
    {Availability::offline, "offline"},
    {Availability::online, "online"},
    {Availability::chat, "chat"},
    {Availability::away, "away"},
    {Availability::extended_away, "extended_away"},
    {Availability::do_not_disturb, "do_not_disturb"},
}};
inline constexpr std::array<std::pair<Stage, std::string_view>, 4> stages{{
    {Stage::accepted, "accepted"},
    {Stage::delivered, "delivered"},
    {Stage::read, "read"},
    {Stage::failed, "failed"},
}};
inline constexpr std::array<std::pair<Role, std::string_view>, 4> roles{{
    {Role::none, "none"},
    {Role::member, "member"},
    {Role::moderator, "moderator"},
    {Role::owner, "owner"},
}};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [entry, name] : table) {
    if (entry == value) return name;
  }
  return {};
}

// "c:…" or "r:…", of at most 2,000 bytes, without NUL.
Result<ChatId> parse_chat(std::string_view text);

// How JSON names T.
template <class T>
constexpr std::string_view type_name = "";

// T is X, const or not: the writer visits constant values, the reader fills variable ones.
template <class T, class X>
concept Is = std::same_as<std::remove_const_t<T>, X>;

// The most elements of an array of T.
template <class T>
constexpr std::size_t most_elements = 5000;
template <>
inline constexpr std::size_t most_elements<File> = 100;
template <>
inline constexpr std::size_t most_elements<MessageId> = 100;
template <>
inline constexpr std::size_t most_elements<std::string> = 20;

// Appends members to an object's text: no tree is built, since both queues write one per message.
class MemberWriter {
 public:
  explicit MemberWriter(std::string& out) : out_(out) {}

  void required(std::string_view name, const std::string& text);
  template <class Tag>
  void required(std::string_view name, const base::Id<Tag>& id) {
    required(name, id.value);
  }
  void required(std::string_view name, const ChatId& chat) { required(name, base::to_string(chat)); }
  void required(std::string_view name, Availability value) { word(name, name_in(availabilities, value)); }
  void required(std::string_view name, Stage value) { word(name, name_in(stages, value)); }
  void required(std::string_view name, Role value) { word(name, name_in(roles, value)); }
  void required(std::string_view name, bool value);
  void required(std::string_view name, double value);
  void required(std::string_view name, base::Time time);
  void required(std::string_view name, const Target& target) { object(name, target); }
  void optional(std::string_view name, const std::string& text);
  template <class T>
  void optional(std::string_view name, const std::optional<T>& value) {
    if (!value) return;
    if constexpr (requires { required(name, *value); }) required(name, *value);
    else object(name, *value);
  }
  void optional(std::string_view name, bool value) {
    if (value) required(name, value);
  }
  void optional(std::string_view name, std::uint64_t number);
  void optional(std::string_view name, std::uint32_t number) { optional(name, std::uint64_t(number)); }
  // Nothing is written of an empty one that optional_list() reads.
  template <class T>
  void list(std::string_view name, const std::vector<T>& values);
  template <class T>
  void optional_list(std::string_view name, const std::vector<T>& values) {
    if (!values.empty()) list(name, values);
  }
  void content(const Content& content);

 private:
  template <class T>
  void object(std::string_view name, const T& value) {
    begin(name);
    object(value);
  }
  template <class T>
  void object(const T& value);
  void element(const std::string& text);
  template <class Tag>
  void element(const base::Id<Tag>& id) {
    element(id.value);
  }
  template <class T>
  void element(const T& value) {
    object(value);
  }
  void begin(std::string_view name);
  void word(std::string_view name, std::string_view value);

  std::string& out_;
  bool is_first_ = false;  // of its object: no comma before it
};

// Reads members of an object. The first thing that is wrong is remembered, the rest is skipped.
class MemberReader {
 public:
  explicit MemberReader(const nlohmann::json& object) : object_(object) {}

  const std::optional<Error>& error() const { return error_; }

  void required(const char* name, std::string& text);
  template <class Tag>
  void required(const char* name, base::Id<Tag>& id) {
    required(name, id.value);
  }
  void required(const char* name, ChatId& chat);
  void required(const char* name, Availability& value) { word(name, availabilities, value); }
  void required(const char* name, Stage& value) { word(name, stages, value); }
  void required(const char* name, Role& value) { word(name, roles, value); }
  void required(const char* name, bool& value) { boolean(name, value, true); }
  void required(const char* name, double& value);
  void required(const char* name, base::Time& time);
  void required(const char* name, Target& target);
  void optional(const char* name, std::string& text);
  template <class T>
  void optional(const char* name, std::optional<T>& value) {
    const nlohmann::json* found = find(name, false);
    if (!found) return;
    if constexpr (requires { required(name, *value); }) required(name, value.emplace());
    else object(name, *found, value.emplace());
  }
  void optional(const char* name, bool& value) { boolean(name, value, false); }
  void optional(const char* name, std::uint64_t& number);
  void optional(const char* name, std::uint32_t& number);
  template <class T>
  void list(const char* name, std::vector<T>& values) {
    if (const nlohmann::json* found = find(name, true)) elements(name, *found, values);
  }
  template <class T>
  void optional_list(const char* name, std::vector<T>& values) {
    if (const nlohmann::json* found = find(name, false)) elements(name, *found, values);
  }
  void content(Content& content);

 private:
  template <class T>
  void elements(const char* name, const nlohmann::json& list, std::vector<T>& values);
  template <class T>
  void object(const char* name, const nlohmann::json& found, T& value);
  void element(const char* name, const nlohmann::json& found, std::string& text);
  template <class Tag>
  void element(const char* name, const nlohmann::json& found, base::Id<Tag>& id) {
    identifier(name, found, id.value);
  }
  template <class T>
  void element(const char* name, const nlohmann::json& found, T& value) {
    object(name, found, value);
  }
  const nlohmann::json* find(const char* name, bool needed);
  void fail(std::string_view name, std::string_view what);
  void identifier(const char* name, const nlohmann::json& value, std::string& text);
  void boolean(const char* name, bool& value, bool needed);
  template <class Table, class Value>
  void word(const char* name, const Table& table, Value& value);

  const nlohmann::json& object_;
  std::optional<Error> error_;
};

// ---- Values within actions and events ----

// clang-format off
template <class V> void members(V& v, Is<File> auto& m) { v.optional("url", m.url); v.optional("media_type", m.media_type); v.optional("bytes", m.bytes); v.optional("name", m.name); v.optional("sha256", m.sha256); v.optional("width", m.width); v.optional("height", m.height); v.optional("duration", m.duration); v.optional("handle", m.handle); }
template <class V> void members(V& v, Is<Reply> auto& m) { v.optional_list("ids", m.ids); v.optional("author", m.author); v.optional("text", m.text); }
template <class V> void members(V& v, Is<Location> auto& m) { v.required("latitude", m.latitude); v.required("longitude", m.longitude); v.optional("name", m.name); }
template <class V> void members(V& v, Is<Target> auto& m) { v.list("ids", m.ids); v.optional("from_me", m.from_me); }
template <class V> void members(V& v, Is<ListedContact> auto& m) { v.required("contact", m.contact); v.optional("name", m.name); v.optional_list("groups", m.groups); }
template <class V> void members(V& v, Is<Participant> auto& m) { v.required("contact", m.contact); v.optional("nick", m.nick); v.required("role", m.role); }
// clang-format on

template <class T>
void MemberWriter::object(const T& value) {
  out_ += '{';
  is_first_ = true;
  members(*this, value);
  is_first_ = false;
  out_ += '}';
}

template <class T>
void MemberWriter::list(std::string_view name, const std::vector<T>& values) {
  begin(name);
  out_ += '[';
  for (const T& value : values) {
    if (&value != values.data()) out_ += ',';
    element(value);
  }
  out_ += ']';
}

template <class T>
void MemberReader::object(const char* name, const nlohmann::json& found, T& value) {
  if (!found.is_object()) return fail(name, "must be an object");
  MemberReader reader(found);
  members(reader, value);
  if (reader.error_ && !error_) error_ = Error{Errc::bad_input, std::string(name) + "." + reader.error_->text};
}

template <class T>
void MemberReader::elements(const char* name, const nlohmann::json& list, std::vector<T>& values) {
  if (!list.is_array() || list.size() > most_elements<T>)
    return fail(name, "must be an array of at most " + std::to_string(most_elements<T>) + " entries");
  for (const nlohmann::json& entry : list) {
    if (error_) return;
    const std::string path = std::string(name) + "[" + std::to_string(values.size()) + "]";
    element(path.c_str(), entry, values.emplace_back());
  }
}

template <class Table, class Value>
void MemberReader::word(const char* name, const Table& table, Value& value) {
  const nlohmann::json* found = find(name, true);
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

// ---- Whole values ----

// Fills `result` when `type` names T.
template <class T, class Variant>
bool read_as(std::string_view type, const nlohmann::json& object, Result<Variant>& result) {
  if (type != type_name<T>) return false;
  T value;
  MemberReader reader(object);
  members(reader, value);
  if (reader.error()) result = *reader.error();
  else result = Variant(std::move(value));
  return true;
}

template <class Variant, std::size_t... I>
Result<Variant> read_variant(const nlohmann::json& object, std::string_view what, std::index_sequence<I...>) {
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
std::string write_variant(const Variant& value) {
  std::string text;
  text.reserve(256);
  std::visit(
      [&](const auto& it) {
        text += R"({"type":")";
        text += type_name<std::decay_t<decltype(it)>>;
        text += '"';
        MemberWriter writer(text);
        members(writer, it);
        text += '}';
      },
      value);
  return text;
}

}  // namespace wherry::connector

#include "gateway/child/session/queries.hpp"

#include "gateway/child/values.hpp"
#include "gateway/connector/event_codec.hpp"
#include "gateway/connector/json_members.hpp"

#include <utility>

namespace wherry::child {

using nlohmann::json;

namespace {

constexpr std::size_t most_results = 5000, most_details = 50, most_detail_bytes = 4000;

Error bad(std::string text) { return {Errc::bad_input, std::move(text), {}}; }

json object_of(const char* type) {
  json object;
  object["type"] = type;
  return object;
}

json object_of(const ProfileQuery& query) {
  json object = object_of("profile");
  object["contact"] = query.contact.value;
  return object;
}
json object_of(const AvatarQuery& query) {
  json object = object_of("avatar");
  object["avatar"] = query.avatar;
  return object;
}
json object_of(const SearchQuery& query) {
  json object = object_of("search");
  object["words"] = query.words;
  return object;
}
json object_of(const RoomsQuery&) { return object_of("rooms"); }
json object_of(const ParticipantsQuery& query) {
  json object = object_of("participants");
  object["room"] = query.room.value;
  return object;
}
json object_of(const HistoryQuery& query) {
  json object = object_of("history");
  object["chat"] = base::to_string(query.chat);
  if (query.before) object["before"] = query.before->value;
  object["most"] = query.most;
  return object;
}

// Reads the members of T from `object`, as actions and events have them.
template <class T>
Result<T> read_value(const json& object, const std::string& path) {
  if (!object.is_object()) return bad(path + ": must be an object");
  T value;
  MemberReader reader(object);
  members(reader, value);
  if (reader.error()) return bad(path + "." + reader.error()->text);
  return value;
}

// As the event T has them; its `type` may be left out.
template <class T>
Result<T> read_event(json object, const char* type, const std::string& path) {
  if (!object.is_object()) return bad(path + ": must be an object");
  object["type"] = type;
  auto event = parse_event(object);
  if (!event) return bad(path + "." + event.error().text);
  return std::get<T>(std::move(*event));
}

template <class T, class Read>
Result<Answer> read_list(const json& result, const char* name, Read read) {
  const json& list = member(result, name);
  if (!list.is_array() || list.size() > most_results)
    return bad(std::string(name) + ": must be an array of at most " + std::to_string(most_results));
  std::vector<T> values;
  for (const json& item : list) {
    auto value = read(item, std::string(name) + "[" + std::to_string(values.size()) + "]");
    if (!value) return value.error();
    values.push_back(std::move(*value));
  }
  return Answer(std::move(values));
}

Result<std::string> read_text(const json& object, const char* name) {
  const json& text = member(object, name);
  if (text.is_null()) return std::string();
  if (!text.is_string() || text.get_ref<const std::string&>().size() > most_detail_bytes)
    return bad(std::string(name) + ": must be a string of at most " + std::to_string(most_detail_bytes) + " bytes");
  std::string value = text.get<std::string>();
  std::erase(value, '\0');
  return value;
}

Result<Answer> read_answer(const ProfileQuery&, const json& result) {
  Profile profile;
  auto name = read_text(result, "name"), avatar = read_text(result, "avatar");
  if (!name || !avatar) return (name ? avatar : name).error();
  profile.name = std::move(*name);
  profile.avatar = std::move(*avatar);
  const json& details = member(result, "details");
  if (details.is_null()) return Answer(std::move(profile));
  if (!details.is_object() || details.size() > most_details)
    return bad("details: must be an object of at most " + std::to_string(most_details) + " strings");
  for (const auto& [key, value] : details.items()) {
    auto text = read_text(details, key.c_str());
    if (!text) return bad("details." + text.error().text);
    profile.details[key] = std::move(*text);
  }
  return Answer(std::move(profile));
}
Result<Answer> read_answer(const AvatarQuery&, const json& result) {
  auto file = read_value<File>(member(result, "file"), "file");
  if (!file) return file.error();
  return Answer(std::move(*file));
}
Result<Answer> read_answer(const SearchQuery&, const json& result) {
  return read_list<ListedContact>(result, "contacts", read_value<ListedContact>);
}
Result<Answer> read_answer(const RoomsQuery&, const json& result) {
  const auto read = [](const json& item, const std::string& path) {
    return read_event<RoomListed>(item, "room_listed", path);
  };
  return read_list<RoomListed>(result, "rooms", read);
}
Result<Answer> read_answer(const ParticipantsQuery&, const json& result) {
  return read_list<Participant>(result, "participants", read_value<Participant>);
}
Result<Answer> read_answer(const HistoryQuery&, const json& result) {
  const auto read = [](const json& item, const std::string& path) {
    return read_event<MessageReceived>(item, "message_received", path);
  };
  return read_list<MessageReceived>(result, "messages", read);
}

}  // namespace

std::string to_text(const Query& query) {
  return std::visit([](const auto& one) { return to_line(object_of(one)); }, query);
}

Result<Answer> parse_answer(const Query& query, const json& result) {
  if (!result.is_object()) return bad("must be an object");
  return std::visit([&](const auto& one) { return read_answer(one, result); }, query);
}

}  // namespace wherry::child

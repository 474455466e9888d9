#include "gateway/connector/action_codec.hpp"
#include "gateway/connector/contract.hpp"
#include "gateway/connector/event_codec.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::connector;

namespace {

const ChatId contact_chat = ContactId{"+15550100"};
const ChatId room_chat = RoomId{"room@x"};

Content full_content() {
  Content content{"see"};
  content.files.push_back(File{"", "video/mp4", 1 << 20, "a.mp4", std::string(64, 'a'), 640, 480, 2500, "h1"});
  content.reply_to = Reply{{MessageId{"n1"}}, ContactId{"juliet"}, "What's in a name?"};
  content.thread = "t1";
  content.location = Location{45.4384, -10.9917, "Verona"};
  return content;
}

std::vector<Action> actions() {
  return {
      SendMessage{contact_chat, "k1", Content{"hi \"there\"\n", {}}},
      SendMessage{room_chat, "k2", Content{"", {File{"https://x/y", "image/png", 12}, File{"https://x/z", "", 0}}}},
      SetPresence{std::nullopt, Availability::do_not_disturb, "busy"},
      SetPresence{ContactId{"juliet"}, Availability::offline, ""},
      AddContact{ContactId{"juliet"}},
      AddContact{ContactId{"juliet"}, "We met at the ball."},
      AnswerContact{ContactId{"juliet"}, true},
      RemoveContact{ContactId{"juliet"}},
      SendMessage{contact_chat, "k3", full_content()},
      EditMessage{contact_chat, "k4", Target{{MessageId{"n1"}, MessageId{"n2"}}, true}, Content{"hi!"}},
      RetractMessage{room_chat, "k5", Target{{MessageId{"n1"}}, true}},
      React{contact_chat, "k6", Target{{MessageId{"n1"}}, false}, {"👍", "♥"}},
      React{contact_chat, "k7", Target{{MessageId{"n1"}}, false}, {}},
      MarkRead{contact_chat, Target{{MessageId{"n1"}}, false}},
      SetTyping{contact_chat, true},
      SetProfile{"Romeo", File{"https://x/y", "image/png", 12}},
      RenameContact{ContactId{"juliet"}, "Juliet"},
      BlockContact{ContactId{"tybalt"}, true},
      CreateRoom{"Verona", {ContactId{"juliet"}}},
      JoinRoom{RoomId{"r"}, "romeo"},
      LeaveRoom{RoomId{"r"}},
      SetTopic{RoomId{"r"}, "balconies"},
      Invite{RoomId{"r"}, ContactId{"juliet"}},
      SetRole{RoomId{"r"}, ContactId{"juliet"}, Role::moderator},
  };
}
std::vector<Event> events() {
  return {
      MessageReceived{contact_chat, ContactId{"+15550100"}, MessageId{"n1"}, Content{"yo", {}},
                      base::from_milliseconds(1795400000000)},
      MessageReceived{room_chat, ContactId{"j"}, MessageId{"n2"}, Content{"", {File{"u", "t", 1}}},
                      base::from_milliseconds(-1)},
      MessageProgressed{MessageId{"n1"}, Stage::accepted, ""},
      MessageProgressed{MessageId{"n1"}, Stage::delivered, ""},
      MessageProgressed{MessageId{"n1"}, Stage::read, ""},
      MessageProgressed{MessageId{"n1"}, Stage::failed, "No such number."},
      ContactAsked{ContactId{"juliet"}, "Juliet"},
      ContactAsked{ContactId{"juliet"}, "", "We met at the ball."},
      ContactAnswered{ContactId{"juliet"}, false},
      ContactRemoved{ContactId{"juliet"}},
      ContactRemoved{ContactId{"juliet"}, true},
      MessageReceived{contact_chat, ContactId{"juliet"}, MessageId{"n3"}, full_content(), base::from_milliseconds(1),
                      true},
      MessageEdited{contact_chat, ContactId{"juliet"}, MessageId{"e1"}, MessageId{"n1"}, Content{"yo!"},
                    base::from_milliseconds(1)},
      MessageRetracted{contact_chat, ContactId{"juliet"}, MessageId{"e2"}, MessageId{"n1"}},
      Reacted{contact_chat, ContactId{"juliet"}, MessageId{"e3"}, MessageId{"n1"}, {"👍"}, true},
      Reacted{contact_chat, ContactId{"juliet"}, MessageId{"e4"}, MessageId{"n1"}, {}},
      AccountNotice{MessageId{"e5"}, "Your terms have changed."},
      RoomClosed{RoomId{"r"}, MessageId{"e6"}, "You were removed."},
      ContactListChanged{{{ContactId{"juliet"}, "Juliet", {}}}, {ContactId{"nurse"}}},
      MessageRead{contact_chat, ContactId{"juliet"}, MessageId{"n1"}},
      TypingChanged{contact_chat, ContactId{"juliet"}, true},
      ContactChanged{ContactId{"juliet"}, "Juliet", "a1"},
      CapabilitiesChanged{contact_chat},
      CapabilitiesChanged{},
      RoomListed{RoomId{"r"}, "Verona"},
      RoomChanged{RoomId{"r"}, "Verona", "balconies", "a1", Role::owner},
      ParticipantsChanged{RoomId{"r"}, {{ContactId{"juliet"}, "j", Role::moderator}}, {ContactId{"nurse"}}},
      ContactsListed{},
      ContactsListed{{{ContactId{"juliet"}, "Juliet", {"Capulets", "Verona"}}, {ContactId{"nurse"}, "", {}}}},
      PresenceChanged{ContactId{"juliet"}, Availability::extended_away, "out"},
      AccountChanged{true, false, ""},
      AccountChanged{false, true, "Log in again."},
  };
}

std::string event_error(const char* text) { return parse_event(std::string_view(text)).error().text; }

}  // namespace

TEST_CASE("codec writes the documented lines") {
  CHECK(
      to_text(Action(SendMessage{contact_chat, "k1", Content{"hi", {File{"https://a/b", "image/png", 12}}}})) ==
      R"({"type":"send_message","chat":"c:+15550100","key":"k1","text":"hi","files":[{"url":"https://a/b","media_type":"image/png","bytes":12}]})");
  CHECK(
      to_text(events().front()) ==
      R"({"type":"message_received","chat":"c:+15550100","sender":"+15550100","id":"n1","text":"yo","sent_at":1795400000000})");
}

TEST_CASE("codec reads back every action and event that it writes, as text and as JSON") {
  std::size_t kinds = 0;
  for (const Action& action : actions()) {
    CHECK(parse_action(to_text(action)).value() == action);
    CHECK(parse_action(to_json(action)).value() == action);
    kinds = std::max(kinds, action.index());
  }
  CHECK(kinds + 1 == std::variant_size_v<Action>);
  kinds = 0;
  for (const Event& event : events()) {
    CHECK(parse_event(to_text(event)).value() == event);
    CHECK(parse_event(to_json(event)).value() == event);
    kinds = std::max(kinds, event.index());
  }
  CHECK(kinds + 1 == std::variant_size_v<Event>);
}

TEST_CASE("codec writes one line of well-formed JSON whatever the text holds") {
  const auto text = to_text(Action(SendMessage{ContactId{"a\nb"}, "k\x01", Content{"\xff\xfe\r\n\"", {}}}));
  CHECK(text.find('\n') == text.npos);
  const auto read = parse_action(text).value();
  CHECK(std::get<SendMessage>(read).content.text == "\xEF\xBF\xBD\xEF\xBF\xBD\r\n\"");
}

TEST_CASE("codec ignores members that it does not know, so that an older side understands a newer one") {
  CHECK(
      parse_event(std::string_view(R"({"type":"contact_removed","contact":"a","since":7,"more":{"x":[]}})")).value() ==
      Event(ContactRemoved{ContactId{"a"}}));
}

TEST_CASE("codec says unsupported to a type that it does not know") {
  CHECK(parse_event(std::string_view(R"({"type":"weather_changed"})")).error().code == Errc::unsupported);
  CHECK(parse_action(std::string_view(R"({"type":"message_received"})")).error().code == Errc::unsupported);
}

TEST_CASE("codec names the member that is wrong") {
  CHECK(event_error("{}") == "type: must be a string");
  CHECK(event_error("[]") == "must be an object");
  CHECK(event_error(R"({"type":"contact_removed"})") == "contact: is missing");
  CHECK(event_error(R"({"type":"contacts_listed"})") == "contacts: is missing");
  CHECK(event_error(R"({"type":"contacts_listed","contacts":[7]})") == "contacts[0]: must be an object");
  CHECK(event_error(R"({"type":"contacts_listed","contacts":[{"name":"J"}]})") == "contacts[0].contact: is missing");
  CHECK(event_error(R"({"type":"contacts_listed","contacts":[{"contact":"j","groups":[1]}]})") ==
        "contacts[0].groups[0]: must be a string");
  CHECK(event_error(R"({"type":"contact_removed","contact":7})") == "contact: must be a string");
  CHECK(event_error(R"({"type":"contact_removed","contact":""})") == "contact: must have 1 to 2000 bytes");
  CHECK(event_error(R"({"type":"contact_answered","contact":"a","accepted":1})") == "accepted: must be true or false");
  CHECK(event_error(R"({"type":"message_progressed","id":"a","stage":"gone"})") ==
        "stage: must be one of accepted, delivered, read, failed");
  const auto received = [](const std::string& rest) {
    return event_error((R"({"type":"message_received","sender":"s","id":"i",)" + rest + "}").c_str());
  };
  CHECK(received(R"("chat":"x:a","sent_at":1)").starts_with("chat: must be"));
  CHECK(received(R"("chat":"c:","sent_at":1)").starts_with("chat: must be"));
  CHECK(received(R"("chat":"c:a","sent_at":"1")").starts_with("sent_at: "));
  CHECK(received(R"("chat":"c:a","sent_at":1.5)").starts_with("sent_at: "));
  CHECK(received(R"("chat":"c:a","sent_at":1,"text":null)") == "text: must be a string");
  CHECK(received(R"("chat":"c:a","sent_at":1,"files":{})").starts_with("files: "));
  CHECK(received(R"("chat":"c:a","sent_at":1,"files":[{"bytes":-1}])") == "files[0].bytes: must be a whole number");
}

TEST_CASE("codec refuses times that a clock cannot hold") {
  const auto at = [](const std::string& time) {
    return parse_event(R"({"type":"message_received","chat":"c:a","sender":"s","id":"i","sent_at":)" + time + "}");
  };
  CHECK(at("9000000000000").has_value());
  for (const char* time :
       {"9000000000001", "-9000000000001", "9223372036854775807", "18446744073709551615", "-9223372036854775808"}) {
    CAPTURE(time);
    CHECK(at(time).error().code == Errc::bad_input);
  }
}

TEST_CASE("parse_chat takes contacts and rooms of at most 2,000 bytes, whatever they contain") {
  CHECK(parse_chat("c:c:a").value() == ChatId(ContactId{"c:a"}));
  CHECK(parse_chat("r:é").value() == ChatId(RoomId{"é"}));
  CHECK(parse_chat("c:" + std::string(1998, 'x')).has_value());
  for (const std::string& text : std::vector<std::string>{"", "c", "c:", "a", "c:" + std::string(1999, 'x')}) {
    CHECK(parse_chat(text).error().code == Errc::bad_input);
  }
}

TEST_CASE("is_durable: what a state or a list is now is volatile, what happened is kept (event.hpp)") {
  const auto is_volatile = [](const Event& event) {
    return std::visit(
        []<class T>(const T&) {
          return std::is_same_v<T, ContactsListed> || std::is_same_v<T, ContactListChanged> ||
                 std::is_same_v<T, PresenceChanged> || std::is_same_v<T, MessageRead> ||
                 std::is_same_v<T, TypingChanged> || std::is_same_v<T, ContactChanged> ||
                 std::is_same_v<T, CapabilitiesChanged> || std::is_same_v<T, RoomListed> ||
                 std::is_same_v<T, RoomChanged> || std::is_same_v<T, ParticipantsChanged> ||
                 std::is_same_v<T, AccountChanged>;
        },
        event);
  };
  for (const Event& event : events()) {
    CAPTURE(to_text(event));
    CHECK(is_durable(event) != is_volatile(event));
  }
}

TEST_CASE("id_of: an event that is kept has an id, but for a report and for what a contact answers") {
  CHECK(id_of(Event(Reacted{contact_chat, ContactId{"j"}, MessageId{"e3"}, MessageId{"n1"}, {}}))->value == "e3");
  CHECK(id_of(Event(MessageProgressed{MessageId{"n1"}, Stage::read, ""})) == nullptr);
  CHECK(id_of(Event(ContactRemoved{ContactId{"j"}})) == nullptr);
}

TEST_CASE("codec refuses a target without an id") {
  const auto parsed = parse_action(std::string_view(R"({"type":"mark_read","chat":"c:a","target":{"ids":[]}})"));
  CHECK(parsed.error().text == "target.ids: must not be empty");
}

TEST_CASE("codec refuses identifiers with NUL, in events and in actions") {
  for (const char* event : {
           R"({"type":"message_received","chat":"c:a\u0000","sender":"s","id":"i","text":"x","sent_at":1})",
           R"({"type":"message_received","chat":"r:\u0000a","sender":"s","id":"i","text":"x","sent_at":1})",
           R"({"type":"message_received","chat":"c:a","sender":"\u0000","id":"i","text":"x","sent_at":1})",
           R"({"type":"message_received","chat":"c:a","sender":"s","id":"i\u0000j","text":"x","sent_at":1})",
           R"({"type":"message_progressed","id":"i\u0000","stage":"read"})",
           R"({"type":"contact_asked","contact":"a\u0000"})",
           R"({"type":"contacts_listed","contacts":[{"contact":"a\u0000"}]})",
           R"({"type":"presence_changed","contact":"a\u0000","availability":"online"})",
       }) {
    CAPTURE(event);
    const auto parsed = parse_event(std::string_view(event));
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == Errc::bad_input);
    CHECK(parsed.error().text.ends_with("must be without NUL"));
  }
  for (const char* action : {
           R"({"type":"send_message","chat":"c:a\u0000","key":"k","text":"x"})",
           R"({"type":"send_message","chat":"c:a","key":"k\u0000","text":"x"})",
           R"({"type":"set_presence","to":"a\u0000","availability":"online"})",
           R"({"type":"add_contact","contact":"a\u0000"})",
       }) {
    CAPTURE(action);
    CHECK(parse_action(std::string_view(action)).error().code == Errc::bad_input);
  }
}

TEST_CASE("codec takes NUL out of texts") {
  const auto message = parse_event(std::string_view(
      R"({"type":"message_received","chat":"c:a","sender":"s","id":"i","text":"a\u0000b","files":[{"url":"u\u0000","media_type":"\u0000t"}],"sent_at":1})"));
  CHECK(std::get<MessageReceived>(message.value()).content == Content{"ab", {File{"u", "t", 0}}});
  const auto listed = parse_event(std::string_view(
      R"({"type":"contacts_listed","contacts":[{"contact":"a","name":"J\u0000","groups":["\u0000g"]}]})"));
  CHECK(listed.value() == Event(ContactsListed{{{ContactId{"a"}, "J", {"g"}}}}));
  const auto state = parse_event(std::string_view(R"({"type":"account_changed","online":false,"text":"\u0000"})"));
  CHECK(state.value() == Event(AccountChanged{false, false, ""}));
}

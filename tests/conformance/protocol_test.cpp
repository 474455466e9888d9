// The lines that really go between the gateway and a child connector are those of
// schemas/connector-protocol.schema.json.
#include "gateway/child/connector.hpp"
#include "gateway/connector/action_codec.hpp"
#include "gateway/connector/event_codec.hpp"
#include "gateway/net/line_process.hpp"
#include "tests/conformance/lab.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <unistd.h>

using namespace wherry;
using namespace wherry::connector;
using namespace wherry::tests;
using nlohmann::json;

namespace {

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "wherry-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

asio::awaitable<void> check(net::LineProcess& process, std::set<std::string>& seen, int& code) {
  for (auto line = co_await process.read_line(); line; line = co_await process.read_line()) {
    seen.insert(std::move(*line));
  }
  code = co_await process.stop(std::chrono::seconds(60));
}

// What the checker saw in the record; it fails the test where a line is not as the schema says.
std::set<std::string> checked(const std::string& record) {
  asio::io_context loop;
  const std::vector<std::string> command{"/usr/bin/python3", WHERRY_SOURCE_DIR "/tests/conformance/check_schema.py",
                                         WHERRY_SOURCE_DIR "/schemas/connector-protocol.schema.json", record};
  const auto process = net::LineProcess::start(loop.get_executor(), command, {}, 1 << 20).value();
  std::set<std::string> seen;
  int code = -1;
  run(loop, check(*process, seen, code));
  CHECK_MESSAGE(code == 0, "see process.stderr in the log above");
  return seen;
}

std::unique_ptr<Harness> recorded(const std::string& record) {
  auto harness = make_child_echo_harness();
  json command = {"/usr/bin/python3", WHERRY_SOURCE_DIR "/tests/conformance/record.py", record};
  for (const json& word : harness->configuration["command"]) command.push_back(word);
  harness->configuration["command"] = command;
  return harness;
}

struct Taking final : FileSink {
  asio::awaitable<Result<void>> write(std::string piece) override {
    bytes += piece;
    co_return base::ok();
  }
  std::string bytes;
};

}  // namespace

TEST_CASE("Every line between the gateway and child_echo is as the schema says") {
  const Folder folder;
  const auto record = (folder.path / "record").string();
  {
    Lab lab(recorded(record));
    lab.start();
    lab.get(lab.network->parse_contact("juliet", AccountId{1}));
    lab.get(lab.network->parse_contact("No Contact", AccountId{0}));
    const Account present = lab.account(1);
    User user(lab.loop.get_executor());
    user.answers = lab.harness->answers;
    lab.get(lab.network->log_in(Applicant{present.user, &present}, user));
    lab.get(lab.network->log_in(Applicant{present.user, nullptr}, user));
    user.gives_up = true;
    lab.get(lab.network->log_in(Applicant{present.user, nullptr}, user));
    SendMessage message;
    message.chat = lab.chat();
    message.key = "k";
    message.content.text = "\x01 \xff 😀\n";
    message.content.files = {File{"https://example.org/a", "image/png", 5}};
    CHECK(lab.get(lab.session().perform(std::move(message))).has_value());
    for (const Action& action : lab.harness->done) CHECK(lab.get(lab.session().perform(action)).has_value());
    for (const Action& action : lab.harness->unsupported) lab.get(lab.session().perform(action));
    CHECK(lab.get(lab.session().probe()).has_value());
    const Query profile = ProfileQuery{lab.contact()}, avatar = AvatarQuery{"juliet"}, rooms = RoomsQuery();
    CHECK(lab.get(lab.session().query(profile)).has_value());
    const Answer picture = lab.get(lab.session().query(avatar)).value();
    CHECK_FALSE(lab.get(lab.session().query(rooms)).has_value());
    Taking taking;
    CHECK(lab.get(lab.session().fetch(std::get<File>(picture).handle, taking)).has_value());
    CHECK(taking.bytes == "A picture of juliet.\n");
    lab.sink.broken = true;
    CHECK_FALSE(lab.send("k2", "lost").has_value());
    lab.sink.broken = false;
    lab.network->forget_account(AccountId{1});
    CHECK_FALSE(lab.send("k3", "late").has_value());
    lab.stop();
  }
  const auto seen = checked(record);
  for (const char* line : {"gateway:hello",        "gateway:parse_contact",  "gateway:log_in",
                           "gateway:know_account", "gateway:forget_account", "gateway:open",
                           "gateway:perform",      "gateway:cancel",         "gateway:probe",
                           "gateway:query",        "gateway:fetch",          "child:fetched",
                           "result:probe",         "result:query",           "result:fetch",
                           "result:fetched",       "child:publish",          "child:ask",
                           "result:hello",         "result:parse_contact",   "result:log_in",
                           "result:perform",       "result:publish",         "result:ask",
                           "error:bad_input",      "error:unsupported",      "error:rejected",
                           "error:unavailable",    "error:not_found"}) {
    CAPTURE(line);
    CHECK(seen.contains(line));
  }
}

TEST_CASE("Every action and event that the codec writes is as the schema says") {
  const Folder folder;
  const auto path = (folder.path / "record").string();
  const RoomId room{"r"};
  const ChatId chat = ContactId{"+15550100"}, in_room = room;
  const ContactId contact{"juliet"}, nurse{"nurse"};
  const File file{"https://x/y", "image/png", 12, "a.png", std::string(64, 'a'), 640, 480, 1500, "handle"};
  const Reply reply{{MessageId{"m"}}, contact, "How it begins"};
  const Content content{"text", {file, File{"https://x/z", "", 0}}, reply, "thread", Location{52.5, 13.4, "Here"}};
  const MessageId id{"n"}, of{"m"};
  const Target target{{MessageId{"a"}, MessageId{"b"}}, true};
  const base::Time at = base::from_milliseconds(1);
  {
    std::ofstream record(path);
    for (const Action& action : std::vector<Action>{SendMessage{chat, "k", content},
                                                    SendMessage{in_room, "k", {}},
                                                    EditMessage{chat, "k", target, content},
                                                    RetractMessage{chat, "k", target},
                                                    React{chat, "k", target, {"👍"}},
                                                    MarkRead{chat, target},
                                                    SetTyping{chat, true},
                                                    SetPresence{std::nullopt, Availability::do_not_disturb, "busy"},
                                                    SetPresence{contact, Availability::offline, ""},
                                                    SetProfile{"Romeo", file},
                                                    AddContact{contact},
                                                    AnswerContact{contact, true},
                                                    RemoveContact{contact},
                                                    RenameContact{contact, "J"},
                                                    BlockContact{contact, true},
                                                    CreateRoom{"Tea", {contact}},
                                                    JoinRoom{room, "Romeo"},
                                                    LeaveRoom{room},
                                                    SetTopic{room, "Tea"},
                                                    Invite{room, contact},
                                                    SetRole{room, contact, Role::moderator}}) {
      record << "a " << to_text(action) << '\n';
    }
    for (const Event& event : std::vector<Event>{MessageReceived{chat, contact, id, content, at, true},
                                                 MessageEdited{chat, contact, id, of, content, at},
                                                 MessageRetracted{chat, contact, id, of},
                                                 Reacted{chat, contact, id, of, {"♥"}, true},
                                                 MessageProgressed{id, Stage::failed, "No."},
                                                 ContactAsked{contact, ""},
                                                 ContactAnswered{contact, true},
                                                 ContactRemoved{contact},
                                                 AccountNotice{id, "Pay."},
                                                 RoomClosed{room, id, "Over."},
                                                 ContactsListed{{{contact, "Juliet", {"Capulets"}}, {nurse, "", {}}}},
                                                 ContactListChanged{{{contact, "Juliet", {}}}, {nurse}},
                                                 PresenceChanged{contact, Availability::away, ""},
                                                 MessageRead{chat, contact, of},
                                                 TypingChanged{chat, contact, true},
                                                 ContactChanged{contact, "Juliet", "p1"},
                                                 CapabilitiesChanged{chat},
                                                 CapabilitiesChanged{std::nullopt},
                                                 RoomListed{room, "Tea"},
                                                 RoomChanged{room, "Tea", "Sugar", "p2", Role::owner},
                                                 ParticipantsChanged{room, {{contact, "J", Role::member}}, {nurse}},
                                                 AccountChanged{true, false, ""}}) {
      record << "e " << to_text(event) << '\n';
    }
  }
  CHECK(checked(path).size() == std::variant_size_v<Action> + std::variant_size_v<Event>);
}

TEST_CASE("The schema refuses lines that are not of the protocol") {
  for (const char* line :
       {R"(> {"jsonrpc":"2.0","id":1,"method":"dance","params":{}})", R"(< {"id":1,"result":{}})",
        R"(< {"jsonrpc":"2.0","id":1,"method":"publish","params":{"account":1,"event":{"type":"message_received"}}})",
        R"(a {"type":"send_message","chat":"juliet","key":"k"})",
        R"(e {"type":"message_progressed","id":"n","stage":"gone"})"}) {
    CAPTURE(line);
    const Folder folder;
    const auto record = (folder.path / "record").string();
    std::ofstream(record) << line << '\n';
    asio::io_context loop;
    const std::vector<std::string> command{"/usr/bin/python3", WHERRY_SOURCE_DIR "/tests/conformance/check_schema.py",
                                           WHERRY_SOURCE_DIR "/schemas/connector-protocol.schema.json", record};
    const auto process = net::LineProcess::start(loop.get_executor(), command, {}, 1 << 20).value();
    std::set<std::string> seen;
    int code = -1;
    run(loop, check(*process, seen, code));
    CHECK(code == 1);
  }
}

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
    for (const Action& action : lab.harness->unsupported) lab.get(lab.session().perform(action));
    lab.sink.broken = true;
    CHECK_FALSE(lab.send("k2", "lost").has_value());
    lab.sink.broken = false;
    lab.network->forget_account(AccountId{1});
    CHECK_FALSE(lab.send("k3", "late").has_value());
    lab.stop();
  }
  const auto seen = checked(record);
  for (const char* line : {"gateway:hello",          "gateway:parse_contact",
                           "gateway:log_in",         "gateway:know_account",
                           "gateway:forget_account", "gateway:open",
                           "gateway:perform",        "gateway:cancel",
                           "child:publish",          "child:ask",
                           "result:hello",           "result:parse_contact",
                           "result:log_in",          "result:perform",
                           "result:publish",         "result:ask",
                           "error:bad_input",        "error:unsupported",
                           "error:rejected",         "error:unavailable",
                           "error:not_found"}) {
    CAPTURE(line);
    CHECK(seen.contains(line));
  }
}

TEST_CASE("Every action and event that the codec writes is as the schema says") {
  const Folder folder;
  const auto path = (folder.path / "record").string();
  const ChatId chat = ContactId{"+15550100"}, room = RoomId{"r"};
  const ContactId contact{"juliet"};
  const Content content{"text", {File{"https://x/y", "image/png", 12}, File{"https://x/z", "", 0}}};
  {
    std::ofstream record(path);
    for (const Action& action :
         std::vector<Action>{SendMessage{chat, "k", content}, SendMessage{room, "k", {}},
                             SetPresence{std::nullopt, Availability::do_not_disturb, "busy"},
                             SetPresence{contact, Availability::offline, ""}, AddContact{contact},
                             AnswerContact{contact, true}, RemoveContact{contact}}) {
      record << "a " << to_text(action) << '\n';
    }
    for (const Event& event :
         std::vector<Event>{MessageReceived{chat, contact, MessageId{"n"}, content, base::from_milliseconds(1)},
                            MessageProgressed{MessageId{"n"}, Stage::failed, "No."}, ContactAsked{contact, ""},
                            ContactAnswered{contact, true}, ContactRemoved{contact},
                            ContactsListed{{{contact, "Juliet", {"Capulets"}}, {ContactId{"nurse"}, "", {}}}},
                            PresenceChanged{contact, Availability::away, ""}, AccountChanged{true, false, ""}}) {
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

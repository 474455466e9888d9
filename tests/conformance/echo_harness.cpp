// The echo network, as a shared object and as a child process: what is sent is reported and comes back, so that a send
// brings a message in, and the same send again (by its key) the same report again.
#include "gateway/child/connector.hpp"
#include "gateway/connector/loader.hpp"
#include "tests/conformance/harness.hpp"

#include <set>

namespace wherry::tests {

namespace {

using namespace connector;
using nlohmann::json;

class EchoHarness : public Harness {
 public:
  EchoHarness() {
    name = "echo";
    configuration = json::parse(R"({"reports":true,"replies":true})");
    bad_configurations = {{json::parse(R"({"report":true})"), "report: "},
                          {json::parse(R"({"replies":1})"), "replies: "},
                          {json::parse(R"({"reactions":[""]})"), "reactions: "}};
    answers = {{"nick", "Romeo"}};
    refused_answers = {{"nick", std::string(65, 'x')}};
    credentials = {{{"nick", "Romeo"}}, {{"nick", "Juliet"}}};
    contacts = {{"juliet", "juliet"}, {"a.b_c+d-1", "a.b_c+d-1"}, {std::string(64, 'a'), std::string(64, 'a')}};
    no_contacts = {"", "Juliet", "two words", "a@b", "é", "a\n", std::string(65, 'a'), std::string(100'000, 'a')};
    const ContactId juliet{"juliet"};
    const RoomId tea{"tea"};
    const Target mine{{MessageId{"k1"}}, true}, theirs{{MessageId{"echo-k1"}}, false};
    done = {EditMessage{juliet, "k2", mine, {"again"}}, React{juliet, "k3", theirs, {"👍"}},
            RetractMessage{juliet, "k4", mine}, MarkRead{juliet, theirs}, SetTyping{juliet, true}};
    unsupported = {SetPresence(),
                   SetProfile(),
                   AddContact{juliet},
                   AnswerContact{juliet, true},
                   RemoveContact{juliet},
                   RenameContact{juliet, "J"},
                   BlockContact{juliet, true},
                   CreateRoom{"Tea", {juliet}},
                   JoinRoom{tea, "R"},
                   LeaveRoom{tea},
                   SetTopic{tea, "x"},
                   Invite{tea, juliet},
                   SetRole{tea, juliet, Role::owner}};
  }

  asio::awaitable<Result<std::unique_ptr<Connector>>> make(json settings, Services services) override {
    const auto plugin = load_connector(WHERRY_BUILD_DIR "/connectors/echo.so");
    if (!plugin) co_return plugin.error();
    co_return (*plugin)->make(settings, services);
  }

  asio::awaitable<bool> bring(Session* session, Incoming incoming) override {
    SendMessage message;
    message.chat = incoming.from;
    message.key = std::move(incoming.number);
    message.content.text = std::move(incoming.text);
    return perform(*session, std::move(message));
  }

  asio::awaitable<bool> report(Session& session, std::string key, std::string text) override {
    SendMessage message;
    message.chat = ContactId{contacts.front().second};
    message.key = std::move(key);
    message.content.text = std::move(text);
    return perform(session, std::move(message));
  }

  std::vector<Taken> taken(const Sink& sink) const override {
    std::vector<Taken> taken;
    std::set<MessageId> ids;  // the inbox drops what it has seen
    for (const auto& event : sink.all<MessageReceived>()) {
      if (ids.insert(event.id).second) taken.push_back({event.sender, event.content.text});
    }
    return taken;
  }

 private:
  static asio::awaitable<bool> perform(Session& session, SendMessage message) {
    bool acknowledged = false;
    try {
      acknowledged = (co_await session.perform(std::move(message))).has_value();
    } catch (const boost::system::system_error&) {
      throw;  // cancelled
    } catch (const std::runtime_error&) {
      // publish() threw: the send was not answered
    }
    co_return acknowledged;
  }
};

class ChildEchoHarness final : public EchoHarness {
 public:
  ChildEchoHarness() {
    name = "child_echo";
    configuration = as_child(configuration);
    for (BadConfiguration& bad : bad_configurations) {
      bad.configuration = as_child(bad.configuration);
      bad.path = "configuration." + bad.path;
    }
    bad_configurations.push_back({json::parse(R"({"command":[]})"), "command: "});
  }

  asio::awaitable<Result<std::unique_ptr<Connector>>> make(json settings, Services services) override {
    return child::make_child_connector(std::move(settings), services);
  }

 private:
  static json as_child(const json& settings) {
    json child;
    child["command"] = {"/usr/bin/python3", WHERRY_SOURCE_DIR "/connectors/child_echo/echo.py"};
    child["configuration"] = settings;
    return child;
  }
};

}  // namespace

std::unique_ptr<Harness> make_echo_harness() { return std::make_unique<EchoHarness>(); }
std::unique_ptr<Harness> make_child_echo_harness() { return std::make_unique<ChildEchoHarness>(); }

}  // namespace wherry::tests

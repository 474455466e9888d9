// MSN against a server in this process. What the network acknowledges is the deletion of an offline message; the report
// of a message's delivery is the ACK to it, which comes while perform() runs.
#include "gateway/connector/loader.hpp"
#include "tests/conformance/harness.hpp"
#include "tests/unit/msn/fake_server.hpp"

namespace wherry::tests {

namespace {

using namespace connector;
using nlohmann::json;

const std::string romeo = "romeo@example.com", mercutio = "mercutio@example.com";

class MsnHarness final : public Harness {
 public:
  MsnHarness() {
    name = "msn";
    configuration = {{"host", "127.0.0.1"}, {"login_url", "https://127.0.0.1/login"}};
    add_bad("port", 0);
    add_bad("login_url", "http://127.0.0.1/login");
    add_bad("oim_url", "http://127.0.0.1");
    add_bad("acknowledgement", "perhaps");
    add_bad("preset", "msn");
    add_bad("no_such_key", 1);
    for (const std::string& email : {romeo, mercutio})
      credentials.push_back({{"username", email}, {"password", FakeMsn::password_of(email)}});
    answers = credentials.front();
    refused_answers = {{"username", romeo}, {"password", "wrong"}};
    contacts = {{" Juliet@Example.com ", "juliet@example.com"},
                {"mailto:nurse@example.com", "nurse@example.com"},
                {"tybalt@example.com", "tybalt@example.com"}};
    no_contacts = {"",
                   "juliet",
                   "@example.com",
                   "two words@example.com",
                   "msnim:chat?contact=juliet@example.com",
                   "a\r\nOUT@example.com",
                   std::string(100'000, 'a') + "@example.com"};
    const ContactId juliet{"juliet@example.com"}, nurse{"nurse@example.com"};
    done = {SetPresence{std::nullopt, Availability::away, "on the balcony"},
            SetPresence{juliet, Availability::online, ""},
            SetProfile{"Romeo M."},
            AddContact{juliet},
            RenameContact{juliet, "Jule"},
            AnswerContact{nurse, true},
            AnswerContact{nurse, false},
            BlockContact{juliet, true},
            BlockContact{juliet, false},
            RemoveContact{juliet},
            SetTyping{juliet, true},
            SetTyping{juliet, false}};
    const RoomId room{"r"};
    const Target target{{MessageId{"n"}}, true};
    unsupported = {EditMessage{juliet, "k", target, {"again"}},
                   RetractMessage{juliet, "k", target},
                   React{juliet, "k", target, {}},
                   MarkRead{juliet, target},
                   CreateRoom{"Tea", {juliet}},
                   JoinRoom{room, "R"},
                   LeaveRoom{room},
                   SetTopic{room, "x"},
                   Invite{room, juliet},
                   SetRole{room, juliet, Role::owner}};
  }

  void begin(Bench& bench) override {
    server_ = std::make_unique<FakeMsn>(bench.loop.get_executor());
    configuration = server_->configuration();
    configuration["acknowledgement"] = "delivered";
  }
  asio::awaitable<void> end() override { return server_->stop(); }

  asio::awaitable<Result<std::unique_ptr<Connector>>> make(json settings, Services services) override {
    const auto plugin = load_connector(WHERRY_BUILD_DIR "/connectors/msn.so");
    if (!plugin) co_return plugin.error();
    co_return (*plugin)->make(settings, services);
  }

  asio::awaitable<bool> bring(Session*, Incoming incoming) override {
    std::string to = credentials.at(static_cast<std::size_t>(incoming.account.value - 1)).at("username");
    return server_->bring(std::move(to), std::move(incoming.from.value), std::move(incoming.number),
                          std::move(incoming.text));
  }

  // Nothing reports it later: so the message goes once more, and its ACK is the report.
  asio::awaitable<bool> report(Session& session, std::string key, std::string text) override {
    SendMessage message;
    message.chat = ContactId{contacts.front().second};
    message.key = std::move(key);
    message.content.text = std::move(text);
    Action action = std::move(message);
    try {
      const auto sent = co_await session.perform(std::move(action));
      co_return sent.has_value();
    } catch (const std::runtime_error&) {}
    co_return false;
  }

  std::vector<Taken> taken(const Sink&) const override {
    std::vector<Taken> taken;
    for (const auto& text : server_->taken) taken.push_back({ContactId{text.to}, text.text});
    return taken;
  }

 private:
  // `key` with `value` is wrong.
  void add_bad(const char* key, json value) {
    bad_configurations.push_back({configuration, std::string(key) + ": "});
    bad_configurations.back().configuration[key] = std::move(value);
  }

  std::unique_ptr<FakeMsn> server_;
};

}  // namespace

std::unique_ptr<Harness> make_msn_harness() { return std::make_unique<MsnHarness>(); }

}  // namespace wherry::tests

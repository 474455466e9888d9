// ICQ, against a server in this process. What comes is brought as a message that wants an answer (channel 2): that
// answer is the acknowledgement. Where nothing could be stored the session ends, and is run again for the next.
#include "gateway/connector/loader.hpp"
#include "tests/conformance/harness.hpp"
#include "tests/unit/oscar/fake_oscar.hpp"

#include <unicode/unistr.h>

namespace wherry::tests {

namespace {

using namespace connector;
using nlohmann::json;

// "{0946134E-…}" behind the text: it is UTF-8.
constexpr std::string_view utf8_mark = "{0946134E-4C7F-11D1-8222-444553540000}";

std::string cookie_of(const std::string& number) { return (number + "cookie00").substr(0, 8); }

// The body of 04/07 on channel 2.
std::string relayed(const std::string& sender, const std::string& cookie, const std::string& text) {
  oscar::Writer block;
  block.little16(27).raw(std::string(27, '\0')).little16(14).raw(std::string(14, '\0'));
  block.u8(1).u8(0).little16(0).little16(0);
  block.little16(static_cast<std::uint32_t>(text.size() + 1)).raw(text).u8(0).little32(0).little32(0);
  block.little32(static_cast<std::uint32_t>(utf8_mark.size())).raw(utf8_mark);
  oscar::Writer data;
  data.u16(0).raw(cookie).raw(octets("094613494C7F11D18222444553540000")).tlv(0x2711, block.octets());
  return oscar::Writer().raw(cookie).u16(2).raw(icq_user(sender)).tlv(0x05, data.octets()).take();
}

class OscarHarness final : public Harness {
 public:
  OscarHarness() {
    name = "oscar";
    configuration = json::parse(R"({"host":"127.0.0.1","logins_a_minute":6000})");
    add_bad("host", "");
    add_bad("port", 0);
    add_bad("network", "msn");
    add_bad("code_page", "klingon");
    add_bad("no_such_key", 1);
    credentials = {{{"username", "100001"}, {"password", "secret01"}},
                   {{"username", "100002"}, {"password", "secret02"}}};
    answers = credentials.front();
    refused_answers = {{"username", "100001"}, {"password", "wrong"}};
    contacts = {{"123-456-789", "123456789"}, {"Chatty Joe", "chattyjoe"}, {"100003", "100003"}};
    no_contacts = {
        "", "9999", "0123456", "99999999999", "x", "Zoe\xE2\x98\xBA", "a/b", "1 a", std::string(100'000, '5')};
    const ContactId contact{"100003"};
    const RoomId room{"r"};
    const Target target{{MessageId{"n"}}, true};
    SetProfile nick;
    nick.name = "Romeo";
    done = {SetPresence(),
            SetTyping{contact, true},
            nick,
            AddContact{contact},
            AnswerContact{contact, true},
            RenameContact{contact, "J"},
            BlockContact{contact, true},
            RemoveContact{contact}};
    unsupported = {EditMessage{contact, "k", target, {"again"}},
                   RetractMessage{contact, "k", target},
                   React{contact, "k", target, {}},
                   MarkRead{contact, target},
                   CreateRoom{"Tea", {contact}},
                   JoinRoom{room, "R"},
                   LeaveRoom{room},
                   SetTopic{room, "x"},
                   Invite{room, contact},
                   SetRole{room, contact, Role::owner}};
  }

  void begin(Bench& bench) override {
    server_ = std::make_unique<FakeOscar>(bench.loop.get_executor());
    server_->passwords["100002"] = "secret02";
    server_->answers = nick_taken;
    sessions_ = std::make_unique<base::TaskGroup>(bench.loop.get_executor());
    configuration["port"] = server_->port();
  }
  asio::awaitable<void> end() override { return server_->stop(); }

  asio::awaitable<Result<std::unique_ptr<Connector>>> make(json settings, Services services) override {
    const auto plugin = load_connector(WHERRY_BUILD_DIR "/connectors/oscar.so");
    if (!plugin) co_return plugin.error();
    co_return (*plugin)->make(settings, services);
  }

  asio::awaitable<bool> bring(Session* session, Incoming incoming) override {
    const std::string account = number_of(incoming.account);
    const std::string cookie = cookie_of(incoming.number);
    co_await come_up(session, account);
    server_->say_to(account, 4, 0x07, relayed(incoming.from.value, cookie, incoming.text));
    const bool is_taken = co_await acknowledged(account, cookie);
    co_await sessions_->end();
    co_return is_taken;
  }

  // A report is not acknowledged: that what comes behind it is shows that it was taken.
  asio::awaitable<bool> report(Session& session, std::string, std::string text) override {
    const std::string account = number_of(AccountId{1});
    oscar::Writer body;
    body.raw(cookie_of_sent(text)).u16(1).text8(contacts.front().second).u16(3);
    co_await come_up(&session, account);
    server_->say_to(account, 4, 0x0B, body.octets());
    const std::string fence = cookie_of("fence" + std::to_string(++fences_));
    server_->say_to(account, 4, 0x07, relayed("100009", fence, "."));
    const bool is_taken = co_await acknowledged(account, fence);
    co_await sessions_->end();
    co_return is_taken;
  }

  std::vector<Taken> taken(const Sink&) const override {
    std::vector<Taken> taken;
    for (const oscar::Snac& packet : server_->heard) {
      if (packet.is(4, 0x06)) taken.push_back({ContactId{recipient_of(packet)}, text_of(packet)});
    }
    return taken;
  }

 private:
  void add_bad(const char* key, json value) {
    bad_configurations.push_back({configuration, std::string(key) + ": "});
    bad_configurations.back().configuration[key] = std::move(value);
  }

  const std::string& number_of(AccountId account) const {
    return credentials.at(static_cast<std::size_t>(account.value - 1)).at("username");
  }

  static std::vector<oscar::Snac> nick_taken(const oscar::Snac& asked) {
    if (!asked.is(0x15, 0x02)) return {};
    auto packet = oscar::read_icq(asked.body).value();
    packet.type = oscar::IcqPacket::answer;
    packet.data = octets("3f0c 0a");
    oscar::Snac answer;
    answer.family = 0x15;
    answer.subtype = 0x03;
    answer.body = oscar::write_icq(packet);
    return {answer};
  }

  // As the gateway does with a session that ended.
  asio::awaitable<void> come_up(Session* session, std::string account) {
    if (server_->has_session(account)) co_return;
    if (!session) throw std::logic_error("there is no session");
    const std::size_t ready = server_->count(1, 0x02);
    sessions_->spawn("session", session->run());
    auto is_ready = [this, ready] { return server_->count(1, 0x02) > ready; };
    co_await server_->until(std::move(is_ready));
  }

  asio::awaitable<bool> acknowledged(std::string account, std::string cookie) {
    const std::size_t before = heard_;
    auto has_answer = [this, before, cookie] {
      for (std::size_t i = before; i < server_->heard.size(); ++i) {
        const oscar::Snac& packet = server_->heard[i];
        if (packet.is(4, 0x0B) && packet.body.starts_with(cookie)) return true;
      }
      return false;
    };
    auto is_decided = [this, account, has_answer] { return has_answer() || !server_->has_session(account); };
    co_await server_->until(std::move(is_decided));
    const bool is_taken = has_answer();
    heard_ = server_->heard.size();
    co_return is_taken;
  }

  static std::string recipient_of(const oscar::Snac& packet) {
    oscar::Reader in(packet.body);
    in.take(10);
    return in.text8();
  }
  static std::string text_of(const oscar::Snac& packet) {
    oscar::Reader in(packet.body);
    in.take(10);
    in.text8();
    const oscar::Tlvs tlvs = oscar::read_tlvs(in);
    oscar::Reader message(*oscar::find(tlvs, 0x02));
    message.take(7);  // what the text needs
    const std::string part = message.text16();
    oscar::Reader text(part);
    const bool is_utf16 = text.u16() == 2;
    text.u16();
    return without_returns(is_utf16 ? from_utf16(text.rest()) : std::string(text.rest()));
  }
  static std::string without_returns(std::string text) {
    std::erase(text, '\r');
    return text;
  }
  static std::string from_utf16(std::string_view octets) {
    std::u16string units;
    for (std::size_t i = 0; i + 1 < octets.size(); i += 2)
      units +=
          static_cast<char16_t>(static_cast<unsigned char>(octets[i]) << 8 | static_cast<unsigned char>(octets[i + 1]));
    std::string text;
    icu::UnicodeString(units.data(), static_cast<int32_t>(units.size())).toUTF8String(text);
    return text;
  }

  std::string cookie_of_sent(const std::string& text) const {
    for (const oscar::Snac& packet : server_->heard) {
      if (packet.is(4, 0x06) && text_of(packet) == text) return packet.body.substr(0, 8);
    }
    throw std::logic_error("no such message was sent");
  }

  std::unique_ptr<FakeOscar> server_;
  std::unique_ptr<base::TaskGroup> sessions_;  // that were run again
  std::size_t heard_ = 0;                      // answers before are of other messages
  int fences_ = 0;
};

}  // namespace

std::unique_ptr<Harness> make_oscar_harness() { return std::make_unique<OscarHarness>(); }

}  // namespace wherry::tests

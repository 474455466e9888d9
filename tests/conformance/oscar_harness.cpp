// ICQ, against a server in this process. What is acknowledged to it are the messages that it has kept: they may be
// deleted.
#include "connectors/oscar/convert/charset.hpp"
#include "gateway/connector/loader.hpp"
#include "tests/conformance/harness.hpp"
#include "tests/unit/oscar/fake_oscar.hpp"

namespace wherry::tests {

namespace {

using namespace connector;
using nlohmann::json;

class OscarHarness final : public Harness {
 public:
  OscarHarness() {
    name = "oscar";
    configuration = json::parse(R"({"host":"127.0.0.1","logins_a_minute":6000})");
    credentials = {{{"username", "100001"}, {"password", "secret01"}},
                   {{"username", "100002"}, {"password", "secret02"}}};
    answers = credentials.front();
    refused_answers = {{"username", "100001"}, {"password", "wrong"}};
    contacts = {
        {"123-456-789", "123456789"}, {" 100003 ", "100003"}, {"100004", "100004"}, {"Chatty Joe", "chattyjoe"}};
    no_contacts = {"", "1", "0123456", "j", "a/b", "é", "2147483647", std::string(100'000, '5')};
    const ContactId contact{"123456789"};
    const RoomId room{"r"};
    const Target target{{MessageId{"n"}}, true};
    done = {SetPresence(),
            SetTyping{contact, true},
            AddContact{contact},
            AnswerContact{contact, true},
            RenameContact{contact, "J"},
            BlockContact{contact, true},
            RemoveContact{contact}};
    unsupported = {EditMessage{contact, "k", target, {"again"}},
                   RetractMessage{contact, "k", target},
                   React{contact, "k", target, {}},
                   MarkRead{contact, target},
                   SetProfile(),
                   CreateRoom{"Tea", {contact}},
                   JoinRoom{room, "R"},
                   LeaveRoom{room},
                   SetTopic{room, "x"},
                   Invite{room, contact},
                   SetRole{room, contact, Role::owner}};
    for (const auto& [key, value] : {std::pair<const char*, json>("port", 0),
                                     {"network", "msn"},
                                     {"code_page", "klingon"},
                                     {"no_such_key", 1},
                                     {"login", "plain"}}) {
      bad_configurations.push_back({configuration, std::string(key) + ": "});
      bad_configurations.back().configuration[key] = value;
    }
  }

  void begin(Bench& bench) override {
    server_ = std::make_unique<FakeOscar>(bench.loop.get_executor());
    server_->passwords = {{"100001", "secret01"}, {"100002", "secret02"}};
    reruns_ = std::make_unique<base::TaskGroup>(bench.loop.get_executor());
    configuration["port"] = server_->port();
  }
  asio::awaitable<void> end() override {
    reruns_->cancel();
    co_await reruns_->join();
    co_await server_->stop();
  }

  asio::awaitable<Result<std::unique_ptr<Connector>>> make(json settings, Services services) override {
    const auto plugin = load_connector(WHERRY_BUILD_DIR "/connectors/oscar.so");
    if (!plugin) co_return plugin.error();
    co_return (*plugin)->make(settings, services);
  }

  asio::awaitable<bool> bring(Session* session, Incoming incoming) override {
    const std::string account = credentials.at(static_cast<std::size_t>(incoming.account.value - 1)).at("username");
    const auto before = server_->deletions[account];
    if (!server_->has_session(account)) co_await run_again(*session, account);
    oscar::IcqPacket packet;
    packet.type = oscar::IcqPacket::stored_message;
    const auto known = data_.try_emplace(incoming.number, data_of(incoming)).first;  // the same is the same again
    packet.data = known->second;
    const auto at_login = server_->deletions[account];
    server_->say_to(account, 0x15, 0x03, oscar::write_icq(packet));
    packet.type = oscar::IcqPacket::end_of_stored;
    packet.data.clear();
    server_->say_to(account, 0x15, 0x03, oscar::write_icq(packet));
    auto settled = [this, account, at_login] {
      return server_->deletions[account] > at_login || !server_->has_session(account);
    };
    co_await server_->until(std::move(settled));
    co_return server_->deletions[account] > std::max(before, at_login);
  }

  // The server has no word from us on a report: what is told to a lost store ends the session.
  asio::awaitable<bool> report(Session& session, std::string, std::string text) override {
    const std::string account = credentials.front().at("username");
    if (!server_->has_session(account)) co_await run_again(session, account);
    for (const auto& packet : server_->heard) {
      if (!packet.is(0x04, 0x06) || sent(packet).text != text) continue;
      oscar::Reader in(packet.body);
      oscar::Writer body;
      body.raw(in.take(oscar::cookie_octets)).u16(1).text8("123456789");
      server_->say_to(account, 0x04, 0x0B, body.octets());
      const auto asked = server_->count(0x04, 0x04);
      auto proven = session.probe();
      const auto alive = co_await std::move(proven);
      if (alive) co_return server_->count(0x04, 0x04) > asked && server_->has_session(account);
      co_return false;
    }
    throw std::logic_error("no such message was sent");
  }

  std::vector<Taken> taken(const Sink&) const override {
    std::vector<Taken> taken;
    for (const auto& packet : server_->heard) {
      if (packet.is(0x04, 0x06)) taken.push_back(sent(packet));
    }
    return taken;
  }

 private:
  static std::string data_of(const Incoming& incoming) {
    const auto now = std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now());
    const auto day = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(now - day);
    std::string text;
    for (const char c : incoming.text) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
    oscar::Writer out;
    out.little32(static_cast<std::uint32_t>(std::stoul(incoming.from.value)));
    out.little16(static_cast<std::uint32_t>(static_cast<int>(date.year())));
    out.u8(static_cast<unsigned>(date.month())).u8(static_cast<unsigned>(date.day()));
    out.u8(static_cast<std::uint32_t>(time.hours().count())).u8(static_cast<std::uint32_t>(time.minutes().count()));
    out.u8(1).u8(0).little16(static_cast<std::uint32_t>(text.size() + 1)).raw(text).u8(0);
    return out.take();
  }

  // As the other side reads it.
  static Taken sent(const oscar::Snac& packet) {
    oscar::Reader in(packet.body);
    in.take(oscar::cookie_octets);
    in.u16();
    Taken taken{ContactId{in.text8()}, ""};
    const auto tlvs = oscar::read_tlvs(in);
    oscar::Reader fragments(*oscar::find(tlvs, 0x02));
    fragments.take(5);  // what the text needs
    fragments.u16();
    fragments.u16();
    oscar::TextPiece piece;
    piece.charset = fragments.u16();
    fragments.u16();
    piece.octets = fragments.rest();
    for (const char c : oscar::read_piece(piece, "windows-1252")) {
      if (c != '\r') taken.text += c;
    }
    return taken;
  }

  // As the gateway does once the session has ended.
  asio::awaitable<void> run_again(Session& session, std::string account) {
    const auto before = server_->deletions[account];
    reruns_->spawn("session", session.run());
    auto is_up = [this, account, before] { return server_->deletions[account] > before; };
    co_await server_->until(std::move(is_up));
  }

  std::unique_ptr<FakeOscar> server_;
  std::unique_ptr<base::TaskGroup> reruns_;
  std::map<std::string, std::string> data_;  // of what was brought, by its number
};

}  // namespace

std::unique_ptr<Harness> make_oscar_harness() { return std::make_unique<OscarHarness>(); }

}  // namespace wherry::tests

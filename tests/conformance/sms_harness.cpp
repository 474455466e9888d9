// SMS over an SMPP link, against an SMS centre in this process, and over Twilio, against its API in this process.
#include "connectors/sms/text/encoding.hpp"
#include "gateway/connector/loader.hpp"
#include "tests/conformance/fake_twilio.hpp"
#include "tests/conformance/harness.hpp"
#include "tests/unit/sms/fake_smsc.hpp"

namespace wherry::tests {

namespace {

using namespace connector;
using nlohmann::json;

class SmsHarness : public Harness {
 public:
  SmsHarness() {
    configuration = json::parse(R"({"region":"US","carriers":[{"name":"main"}],"numbers":[
      {"number":"+14155550101","carrier":"main","users":["@example.org"]},{"number":"+14155550102","carrier":"main","users":["@example.org"]}]})");
    credentials = {{{"phone", "+14155550101"}}, {{"phone", "+14155550102"}}};
    answers = credentials.front();
    refused_answers = {{"phone", "+14155550199"}};
    contacts = {{"(415) 555-0132", "+14155550132"},
                {"+44 (0)7911 123456", "+447911123456"},
                {"72404", "72404"},
                {"alpha.acme", "alpha.acme"}};
    no_contacts = {"",
                   "juliet",
                   "+",
                   "12",
                   "911",
                   "555-0100",
                   "hello world",
                   "+1415555013212345678",
                   "a\n",
                   std::string(100'000, '5')};
    // Nobody is asked, and nobody sees presence.
    done = {SetPresence(), AddContact{ContactId{"+14155550132"}}, RemoveContact{ContactId{"+14155550132"}},
            AnswerContact{ContactId{"+14155550132"}, true}};
    const ContactId contact{"+14155550132"};
    const RoomId room{"r"};
    const Target target{{MessageId{"n"}}, true};
    unsupported = {EditMessage{contact, "k", target, {"again"}},
                   RetractMessage{contact, "k", target},
                   React{contact, "k", target, {}},
                   MarkRead{contact, target},
                   SetTyping{contact, true},
                   SetProfile(),
                   RenameContact{contact, "J"},
                   BlockContact{contact, true},
                   CreateRoom{"Tea", {contact}},
                   JoinRoom{room, "R"},
                   LeaveRoom{room},
                   SetTopic{room, "x"},
                   Invite{room, contact},
                   SetRole{room, contact, Role::owner}};
    brings_without_session = true;
  }

  asio::awaitable<Result<std::unique_ptr<Connector>>> make(json settings, Services services) override {
    const auto plugin = load_connector(WHERRY_BUILD_DIR "/connectors/sms.so");
    if (!plugin) co_return plugin.error();
    co_return (*plugin)->make(settings, services);
  }

 protected:
  json& carrier() { return configuration["carriers"][0]; }
  const std::string& number_of(AccountId account) const {
    return credentials.at(static_cast<std::size_t>(account.value - 1)).at("phone");
  }
  // `key` with `value` in the carrier's settings is wrong.
  void add_bad(const char* key, json value) {
    bad_configurations.push_back({configuration, std::string("carriers[0].") + key + ": "});
    bad_configurations.back().configuration["carriers"][0][key] = std::move(value);
  }
  void add_bad() {
    add_bad("type", "pigeon");
    add_bad("no_such_key", 1);
    bad_configurations.push_back({configuration, "region: "});
    bad_configurations.back().configuration["region"] = "Sweden";
    bad_configurations.push_back({configuration, "numbers[0].carrier: "});
    bad_configurations.back().configuration["numbers"][0]["carrier"] = "other";
  }
};

// A number of the contract as SMPP has it, and back.
sms::smpp::NetworkAddress to_network(const std::string& number) {
  if (number.starts_with('+')) return {1, 1, number.substr(1)};
  return {0, 1, number};
}
std::string from_network(const sms::smpp::NetworkAddress& address) {
  return address.ton == 1 ? "+" + address.digits : address.digits;
}

class SmppHarness final : public SmsHarness {
 public:
  SmppHarness() {
    name = "sms over SMPP";
    carrier().update({{"type", "smpp"}, {"host", "127.0.0.1"}, {"system_id", "wherry"}, {"password", "secret"}});
    add_bad();
    add_bad("port", 0);
    add_bad("bind", "both");
  }

  void begin(Bench& bench) override {
    smsc_ = std::make_unique<FakeSmsc>(bench.loop.get_executor());
    carrier()["port"] = smsc_->port();
  }
  asio::awaitable<void> end() override { return smsc_->stop(); }

  asio::awaitable<bool> bring(Session*, Incoming incoming) override {
    sms::smpp::ShortMessage message = FakeSmsc::message(sms::to_ucs2(sms::to_code_points(incoming.text)), 0);
    message.data_coding = 8;
    message.source = to_network(incoming.from.value);
    message.destination = to_network(number_of(incoming.account));
    const auto answered = smsc_->answers.size();
    const auto sequence = co_await smsc_->deliver(std::move(message));
    co_return co_await is_taken(sequence, answered);
  }

  asio::awaitable<bool> report(Session&, std::string, std::string text) override {
    for (const auto& submitted : smsc_->submitted) {
      if (text_of(submitted.message) != text) continue;
      const auto answered = smsc_->answers.size();
      std::string id = submitted.id, state = "DELIVRD";
      const auto sequence = co_await smsc_->deliver_receipt(std::move(id), std::move(state));
      co_return co_await is_taken(sequence, answered);
    }
    throw std::logic_error("no such message was sent");
  }

  std::vector<Taken> taken(const Sink&) const override {
    std::vector<Taken> taken;
    for (const auto& [message, id, sequence] : smsc_->submitted)
      taken.push_back({ContactId{from_network(message.destination)}, text_of(message)});
    return taken;
  }

 private:
  static std::string text_of(const sms::smpp::ShortMessage& message) {
    return sms::decode(message.text, message.data_coding == 8 ? sms::Alphabet::ucs2 : sms::Alphabet::gsm7);
  }
  // The answer to a deliver_sm, looked for from the given one on.
  asio::awaitable<bool> is_taken(std::uint32_t sequence, std::size_t from) {
    for (;;) {
      for (std::size_t i = from; i < smsc_->answers.size(); ++i) {
        if (smsc_->answers[i].first == sequence) co_return smsc_->answers[i].second == sms::smpp::Status::ok;
      }
      co_await base::within(std::chrono::seconds(60), smsc_->changed.wait());
    }
  }

  std::unique_ptr<FakeSmsc> smsc_;
};

class TwilioHarness final : public SmsHarness {
 public:
  TwilioHarness() {
    name = "sms over Twilio";
    carrier().update(
        {{"type", "twilio"}, {"account_sid", FakeTwilio::account}, {"auth_token", FakeTwilio::token}, {"rate", 0}});
    add_bad();
    add_bad("account_sid", "a/b");
    add_bad("webhook_path", "twilio");
  }

  void begin(Bench& bench) override {
    bench.webhooks.listen({asio::ip::address_v4::loopback(), 0});
    bench.webhooks.open();
    bench.webhooks.public_url = fmt::format("http://127.0.0.1:{}", bench.webhooks.endpoint().port());
    webhook_ = bench.webhooks.public_url + "/twilio/main";
    api_ = std::make_unique<FakeTwilio>(bench.loop.get_executor(), bench.http);
    webhooks_ = &bench.webhooks;
    carrier()["base_url"] = api_->url();
  }
  asio::awaitable<void> end() override {
    co_await webhooks_->stop();
    co_await api_->stop();
  }

  asio::awaitable<bool> bring(Session*, Incoming incoming) override {
    FakeTwilio::Message message{"SMin" + incoming.number,
                                "inbound",
                                incoming.from.value,
                                number_of(incoming.account),
                                incoming.text,
                                "received",
                                {}};
    std::string webhook = webhook_;
    return api_->bring(std::move(webhook), std::move(message));
  }

  asio::awaitable<bool> report(Session&, std::string, std::string text) override {
    for (const auto& sent : api_->messages) {
      if (sent.direction == "inbound" || sent.body != text) continue;
      FakeTwilio::Message message = sent;
      return api_->report(std::move(message), "delivered");
    }
    throw std::logic_error("no such message was sent");
  }

  std::vector<Taken> taken(const Sink&) const override {
    std::vector<Taken> taken;
    for (const auto& message : api_->messages) {
      if (message.direction != "inbound") taken.push_back({ContactId{message.to}, message.body});
    }
    return taken;
  }

 private:
  std::unique_ptr<FakeTwilio> api_;
  net::HttpServer* webhooks_ = nullptr;
  std::string webhook_;
};

}  // namespace

std::unique_ptr<Harness> make_sms_smpp_harness() { return std::make_unique<SmppHarness>(); }
std::unique_ptr<Harness> make_sms_twilio_harness() { return std::make_unique<TwilioHarness>(); }

}  // namespace wherry::tests

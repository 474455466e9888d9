// A network where everybody repeats what you say: the smallest whole connector, made to be copied. Read it with
// connectors/README.md; the promises that it keeps are written in gateway/connector/contract.hpp.
#include "gateway/base/clock.hpp"
#include "gateway/connector/contract.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include <map>

namespace wherry::connector::echo {
namespace {

struct Settings {
  bool replies = true;  // every message comes back
  bool reports = true;  // every message is reported as delivered
};

Result<Settings> parse_settings(const nlohmann::json& configuration) {
  if (!configuration.is_object()) return Error{Errc::bad_input, "the configuration must be an object"};
  Settings settings;
  for (const auto& [name, value] : configuration.items()) {
    if (name != "replies" && name != "reports")
      return Error{Errc::bad_input, name + ": no such key; there are replies and reports"};
    if (!value.is_boolean()) return Error{Errc::bad_input, name + ": must be true or false"};
    (name == "replies" ? settings.replies : settings.reports) = value.get<bool>();
  }
  return settings;
}

bool is_contact(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._+-") == text.npos;
}

class EchoSession final : public Session {
 public:
  EchoSession(const Settings& settings, const base::Clock& clock, EventSink& events)
      : settings_(settings), clock_(clock), events_(events) {}

  asio::awaitable<void> run() override {
    AccountChanged up;
    up.online = true;
    co_await events_.publish(std::move(up));
    asio::steady_timer forever(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await forever.async_wait(asio::use_awaitable);  // there is no link to break: until cancelled
  }

  asio::awaitable<Result<Receipt>> perform(Action action) override {
    auto* message = std::get_if<SendMessage>(&action);
    if (!message) co_return Error{Errc::unsupported, "The echo network carries messages only."};
    const auto* contact = std::get_if<ContactId>(&message->chat);
    if (!contact) co_return Error{Errc::not_found, "The echo network has no rooms."};

    // publish() throws when the store is lost. The exception passes through us: the send was not answered, so it is
    // asked for again, and since everything below is derived from its key, nothing is doubled by that.
    if (settings_.reports) {
      MessageProgressed progress;
      progress.id = MessageId{message->key};
      progress.stage = Stage::delivered;
      co_await events_.publish(std::move(progress));
    }
    if (settings_.replies) {
      MessageReceived reply;
      reply.chat = message->chat;
      reply.sender = *contact;
      reply.id = MessageId{"echo-" + message->key};
      reply.content = std::move(message->content);
      reply.sent_at = clock_.now();
      co_await events_.publish(std::move(reply));
    }
    Receipt receipt;
    receipt.ids.push_back(MessageId{message->key});
    co_return receipt;
  }

  Capabilities capabilities(const ChatId&) const override {
    Capabilities capabilities;
    capabilities.files = Support::full;  // their links come back with the text
    capabilities.delivery_reports = settings_.reports ? Support::full : Support::refuse;
    return capabilities;
  }

 private:
  const Settings& settings_;
  const base::Clock& clock_;
  EventSink& events_;
};

class EchoConnector final : public Connector {
 public:
  EchoConnector(Settings settings, Services services) : settings_(settings), services_(services) {}

  Network describe() const override {
    Network network;
    network.id = "echo";
    network.name = "Echo";
    network.disco_type = "echo";  // a real network has a type in the XMPP registrar's list (category "gateway")
    network.contact_prompt = "Name";
    network.contact_help = "Any word of lower-case letters, digits and . _ + -, like juliet.";
    network.idempotency = Idempotency::by_key;
    network.redelivers = true;
    network.reports_delivery = settings_.reports;
    return network;
  }

  asio::awaitable<void> run() override {
    asio::steady_timer forever(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await forever.async_wait(asio::use_awaitable);  // the sessions share nothing
  }

  asio::awaitable<Result<Answers>> log_in(Applicant applicant, Dialogue& user) override {
    Form form;
    form.title = "Echo";
    form.instructions = "Everybody on this network repeats what you say.";
    Field nick;
    nick.name = "nick";
    nick.label = "What you would like to be called";
    nick.required = false;
    if (applicant.present && applicant.present->credentials.contains("nick"))
      nick.value = applicant.present->credentials.at("nick");
    form.fields.push_back(std::move(nick));
    auto answers = co_await user.ask(std::move(form));
    if (!answers) co_return answers.error();
    if ((*answers)["nick"].size() > 64)
      co_return Error{Errc::bad_input, "The nickname is too long: take at most 64 bytes."};
    co_return answers;
  }

  void know_account(const Account& account, EventSink& events) override {
    events_.insert_or_assign(account.id, &events);
  }
  void forget_account(AccountId account) override { events_.erase(account); }

  std::unique_ptr<Session> open(AccountId account) override {
    return std::make_unique<EchoSession>(settings_, services_.clock, *events_.at(account));
  }

  asio::awaitable<Result<ContactId>> parse_contact(std::string typed, AccountId) const override {
    if (!is_contact(typed)) {
      co_return Error{Errc::bad_input,
                      "A contact is a word of at most 64 lower-case letters, digits and . _ + -, like juliet."};
    }
    co_return ContactId{std::move(typed)};
  }

 private:
  const Settings settings_;
  const Services services_;
  std::map<AccountId, EventSink*> events_;
};

Result<std::unique_ptr<Connector>> make(const nlohmann::json& configuration, Services services) {
  const auto settings = parse_settings(configuration);
  if (!settings) return settings.error();
  return std::unique_ptr<Connector>(std::make_unique<EchoConnector>(*settings, services));
}

}  // namespace
}  // namespace wherry::connector::echo

extern "C" const wherry::connector::Plugin wherry_plugin;
extern "C" const wherry::connector::Plugin wherry_plugin{wherry::connector::plugin_stamp,
                                                         &wherry::connector::echo::make};

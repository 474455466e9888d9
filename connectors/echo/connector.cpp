// A network where everybody repeats what you say: the smallest whole connector, made to be copied. Read it with
// connectors/README.md; the promises that it keeps are written in gateway/connector/contract.hpp.
#include "gateway/base/clock.hpp"
#include "gateway/connector/contract.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace wherry::connector::echo {
namespace {

struct Settings {
  bool replies = true;                 // everything comes back
  bool reports = true;                 // every message is reported as delivered
  std::vector<std::string> reactions;  // that there are; none: any
};

Error bad(std::string text) { return {Errc::bad_input, std::move(text), {}}; }

Result<std::vector<std::string>> parse_reactions(const nlohmann::json& value) {
  std::vector<std::string> reactions;
  for (const auto& one : value) {
    if (one.is_string() && one != "") reactions.push_back(one.get<std::string>());
  }
  if (!value.is_array() || reactions.size() != value.size()) return bad("reactions: must be an array of texts");
  return reactions;
}

Result<Settings> parse_settings(const nlohmann::json& configuration) {
  if (!configuration.is_object()) return bad("the configuration must be an object");
  Settings settings;
  for (const auto& [name, value] : configuration.items()) {
    if (name == "reactions") {
      auto reactions = parse_reactions(value);
      if (!reactions) return reactions.error();
      settings.reactions = std::move(*reactions);
      continue;
    }
    if (name != "replies" && name != "reports")
      return bad(name + ": no such key; there are replies, reports and reactions");
    if (!value.is_boolean()) return bad(name + ": must be true or false");
    (name == "replies" ? settings.replies : settings.reports) = value.get<bool>();
  }
  return settings;
}

bool is_contact(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._+-") == text.npos;
}

const std::string handle_prefix = "echo-file-";  // before the name of whose picture it is

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

  // publish() throws when the store is lost. The exception passes through us: the action was not answered, so it is
  // asked for again, and since everything below is derived from its key, nothing is doubled by that.
  asio::awaitable<Result<Receipt>> perform(Action action) override {
    if (auto* message = std::get_if<SendMessage>(&action)) return send(std::move(*message));
    if (auto* edit = std::get_if<EditMessage>(&action)) return repeat(std::move(*edit));
    if (auto* retraction = std::get_if<RetractMessage>(&action)) return repeat(std::move(*retraction));
    if (auto* reaction = std::get_if<React>(&action)) return react(std::move(*reaction));
    if (auto* mark = std::get_if<MarkRead>(&action)) return repeat(std::move(*mark));
    if (auto* typing = std::get_if<SetTyping>(&action)) return repeat(std::move(*typing));
    return refuse(Error{Errc::unsupported, "The echo network carries messages only.", {}});
  }

  Capabilities capabilities(const ChatId&) const override {
    Capabilities capabilities;
    capabilities.files = Support::full;  // their links come back with the text
    capabilities.edit = capabilities.retract = capabilities.reply = Support::full;
    capabilities.react = settings_.reactions.empty() ? Support::full : Support::partial;
    capabilities.reactions = settings_.reactions;
    capabilities.typing = capabilities.read_marks = Support::full;
    capabilities.delivery_reports = settings_.reports ? Support::full : Support::refuse;
    return capabilities;
  }

  asio::awaitable<Result<Answer>> query(Query query) override {
    if (const auto* avatar = std::get_if<AvatarQuery>(&query)) {
      File picture;
      picture.media_type = "text/plain";
      picture.name = avatar->avatar + ".txt";
      picture.handle = handle_prefix + avatar->avatar;
      co_return Answer(std::move(picture));
    }
    const auto* asked = std::get_if<ProfileQuery>(&query);
    if (!asked) co_return Error{Errc::unsupported, "The echo network knows profiles and their pictures only."};
    Profile profile;
    profile.name = profile.avatar = asked->contact.value;
    if (!profile.name.empty() && profile.name[0] >= 'a' && profile.name[0] <= 'z')
      profile.name[0] = static_cast<char>(profile.name[0] - 'a' + 'A');
    profile.details["about"] = "Repeats what you say.";
    co_return Answer(std::move(profile));
  }

  asio::awaitable<Result<void>> fetch(std::string handle, FileSink& sink) override {
    if (!handle.starts_with(handle_prefix)) co_return Error{Errc::not_found, "The echo network has no such file."};
    std::string picture = "A picture of " + handle.substr(handle_prefix.size()) + ".\n";
    co_return co_await sink.write(std::move(picture));
  }

 private:
  static asio::awaitable<Result<Receipt>> refuse(Error error) { co_return error; }
  static MessageId repetition(const MessageId& id) { return MessageId{"echo-" + id.value}; }

  // ---- What the contact does in answer: the same. Its id is made of the action's key, so a repeat is no second one
  // ----

  MessageReceived answer_to(SendMessage message, ContactId contact) const {
    return {message.chat, std::move(contact), repetition(MessageId{message.key}), std::move(message.content),
            clock_.now()};
  }
  MessageEdited answer_to(EditMessage edit, ContactId contact) const {
    return {edit.chat,
            std::move(contact),
            repetition(MessageId{edit.key}),
            repetition(edit.target.ids.back()),
            std::move(edit.content),
            clock_.now()};
  }
  MessageRetracted answer_to(RetractMessage retraction, ContactId contact) const {
    return {retraction.chat, std::move(contact), repetition(MessageId{retraction.key}),
            repetition(retraction.target.ids.back())};
  }
  // They react to the very message that the user reacted to.
  Reacted answer_to(React reaction, ContactId contact) const {
    return {reaction.chat, std::move(contact), repetition(MessageId{reaction.key}), reaction.target.ids.back(),
            std::move(reaction.reactions)};
  }
  // Who repeats has read what the user sent: up to what was repeated in the message that the user has read now.
  MessageRead answer_to(MarkRead mark, ContactId contact) const {
    std::string up_to = mark.target.ids.back().value;
    if (up_to.starts_with("echo-")) up_to.erase(0, std::string_view("echo-").size());
    return {mark.chat, std::move(contact), MessageId{std::move(up_to)}};
  }
  TypingChanged answer_to(SetTyping typing, ContactId contact) const {
    return {typing.chat, std::move(contact), typing.typing};
  }

  template <class T>
  asio::awaitable<Result<Receipt>> repeat(T action) {
    const auto* contact = std::get_if<ContactId>(&action.chat);
    if (!contact) co_return Error{Errc::not_found, "The echo network has no rooms."};
    if (settings_.replies) {
      ContactId sender = *contact;
      Event event = answer_to(std::move(action), std::move(sender));
      co_await events_.publish(std::move(event));
    }
    Receipt receipt;
    co_return receipt;
  }

  asio::awaitable<Result<Receipt>> send(SendMessage message) {
    const MessageId id{message.key};
    if (settings_.reports && std::holds_alternative<ContactId>(message.chat)) {
      MessageProgressed progress;
      progress.id = id;
      progress.stage = Stage::delivered;
      co_await events_.publish(std::move(progress));
    }
    auto receipt = co_await repeat(std::move(message));
    if (receipt) receipt->ids.push_back(id);
    co_return receipt;
  }

  asio::awaitable<Result<Receipt>> react(React reaction) {
    const auto& there_are = settings_.reactions;
    for (const std::string& one : reaction.reactions) {
      if (!there_are.empty() && std::find(there_are.begin(), there_are.end(), one) == there_are.end())
        co_return Error{Errc::rejected, "There is no such reaction in the echo network."};
    }
    co_return co_await repeat(std::move(reaction));
  }

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
    network.refers_to_messages = true;
    network.proof_of_life = std::chrono::minutes(10);
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

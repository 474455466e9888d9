// Talk with the gateway itself: a line is a command, a login is led question by question, and whoever has registered
// hears who they are now and how to write to somebody (RFC 6121 §5; XEP-0100 §4.1).
#include "gateway/commands/commands.hpp"
#include "gateway/convert/forms.hpp"
#include "gateway/convert/questions.hpp"
#include "gateway/convert/refusals.hpp"
#include "gateway/convert/to_action.hpp"
#include "gateway/features/features.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"

#include <map>
#include <memory>

namespace wherry::features {

namespace {

constexpr std::size_t most_talkers = 1000;
constexpr std::size_t most_line_bytes = 4096;
constexpr int most_answers = 30;  // to one user in a minute: two robots that talk with each other end so
constexpr std::chrono::minutes answers_window{1}, question_patience{10};
constexpr const char* stop_word = "cancel";

using Responses = std::vector<convert::Questions::Response>;

void say(Transport& transport, const xmpp::Jid& face, const xmpp::Jid& user, const std::string& text,
         const Responses& responses = {}) {
  if (text.empty()) return;
  xmpp::Element message = xmpp::make_stanza(xmpp::Kind::message, face, user, "chat", "");
  message.add_text_child("body", text);
  for (const auto& [value, label] : responses)
    message.add("response", ns::quick_response).set("value", value).set("label", label);
  transport.send(message);
}

std::string joined(const std::string& above, const std::string& below) {
  return above.empty() || below.empty() ? above + below : above + "\n" + below;
}

std::string asked(const convert::Questions& questions) {
  return joined(questions.question(), "Write “cancel” to stop.");
}

Responses buttons(const convert::Questions& questions) {
  Responses responses = questions.responses();
  responses.emplace_back(stop_word, "Cancel");
  return responses;
}

// Within a question it is no answer.
bool asks_for_help(std::string_view line) { return base::to_lower_ascii(base::trim(line)) == commands::help.name; }

std::string as_lines(const commands::Output& output) {
  std::string text = output.text;
  for (const commands::Row& row : output.rows) text = joined(text, row.name + ": " + row.value);
  return text;
}

// A login as a chat.
class Led final : public accounts::Presenter {
 public:
  Led(Transport& transport, xmpp::Jid face, xmpp::Jid user, bool is_registered)
      : transport_(transport), face_(std::move(face)), user_(std::move(user)), is_registered_(is_registered) {}

  bool is_at(const xmpp::Jid& face) const { return face_ == face; }
  bool is_over() const { return is_over_; }
  bool has_question() const { return questions_ && !questions_->is_complete(); }
  bool waits() const { return questions_ && questions_->form().waits; }

  void show(const connector::Form& question) override {
    questions_.emplace(question);
    const std::string opening = questions_->opening();
    if (question.waits) return tell(joined(opening, "There is nothing to answer here. Write “cancel” to stop."));
    if (!questions_->is_complete()) return ask(opening);
    tell(opening);
    give_answers();
  }
  void ended(const std::optional<xmpp::StanzaError>& failure) override {
    is_over_ = true;
    questions_.reset();
    if (failure) return tell(failure->text + " Write “register” to try again.");
    if (is_registered_) tell("Your login is changed.");  // who is new hears more
  }
  void take(std::string_view line) {
    if (asks_for_help(line)) return ask("");
    const auto wrong = questions_->take(line);
    if (wrong) return ask(*wrong);
    if (!questions_->is_complete()) return say(transport_, face_, user_, questions_->question(), buttons(*questions_));
    give_answers();
  }

 private:
  void tell(const std::string& text) { say(transport_, face_, user_, text); }
  void ask(const std::string& above) {
    say(transport_, face_, user_, joined(above, asked(*questions_)), buttons(*questions_));
  }
  void give_answers() {
    transport_.dialogues().answer(user_, convert::check_answers(questions_->answers(), questions_->form()));
  }

  Transport& transport_;
  xmpp::Jid face_, user_;
  bool is_registered_;
  bool is_over_ = false;
  std::optional<convert::Questions> questions_;
};

// What was said, and where.
struct Said {
  xmpp::Jid user, face;
  std::string alias, lang, line;
  bool is_named = false;  // the face is the gateway's address with a local part
  std::string stanza_id{};
};

// A command that lacks some of what it needs to know.
struct Unfinished {
  const commands::Command* command;
  Said said;  // its first line
  convert::Questions questions;
  base::Time since;
};

// Of one user.
struct Talker {
  std::shared_ptr<Led> login;
  std::optional<Unfinished> unfinished;
  bool is_busy = false;  // with a command
  base::Time window_began{};
  int answers = 0;  // since then
};
using Talkers = std::map<std::string, Talker>;  // by the bare address

void forget_silent(Talkers& talkers, base::Time now) {
  std::erase_if(talkers, [&](const auto& entry) {
    const Talker& talker = entry.second;
    const bool is_waiting = talker.unfinished && now - talker.unfinished->since < question_patience;
    const bool is_led = talker.login && !talker.login->is_over();
    return !is_led && !is_waiting && !talker.is_busy && now - talker.window_began > answers_window;
  });
}

// Null, and answered once, where the user writes too much.
Talker* talker_for(Transport& transport, Talkers& talkers, const xmpp::Stanza& stanza) {
  const base::Time now = transport.clock().now();
  if (talkers.size() >= most_talkers) forget_silent(talkers, now);
  const std::string user = stanza.from.bare().str();
  if (talkers.size() >= most_talkers && !talkers.contains(user)) {
    transport.reply_error(stanza, convert::said_too_much());
    return nullptr;
  }
  Talker& talker = talkers[user];
  if (now - talker.window_began > answers_window) {
    talker.window_began = now;
    talker.answers = 0;
  }
  if (++talker.answers <= most_answers) return &talker;
  if (talker.answers == most_answers + 1) transport.reply_error(stanza, convert::said_too_much());
  return nullptr;
}

asio::awaitable<void> run_command(Transport& transport, std::shared_ptr<Talkers> talkers,
                                  const commands::Command* command, commands::Call call, Said said) {
  std::string text;
  const auto login = std::static_pointer_cast<Led>(call.presenter);
  bool has_begun = false;
  try {
    const auto output = co_await commands::run(*command, std::move(call));
    has_begun = output && command == &commands::enrol;
    text = output ? as_lines(*output) : output.error().text;
  } catch (const std::exception& e) {
    log::warn("command.failed", {{"transport", transport.domain().str()}, {"error", e.what()}});
    text = "That did not work just now; please try again later.";
  }
  if (const auto found = talkers->find(said.user.bare().str()); found != talkers->end()) {
    found->second.is_busy = false;
    if (has_begun) found->second.login = login;  // before its first question, which the next turn brings
  }
  say(transport, said.face, said.user, text);
}

commands::Call call_of(Transport& transport, const Said& said) {
  return {transport, said.user, said.alias, said.lang, {}, nullptr, said.is_named, said.stanza_id};
}

void start(Transport& transport, const std::shared_ptr<Talkers>& talkers, Talker& talker,
           const commands::Command& command, connector::Answers input, const Said& said) {
  commands::Call call = call_of(transport, said);
  call.input = std::move(input);
  const bool is_registered = call.account() != nullptr;
  call.presenter = std::make_shared<Led>(transport, said.face, said.user, is_registered);
  talker.is_busy = true;
  transport.tasks().spawn("command", run_command(transport, talkers, &command, std::move(call), said));
}

// What stands behind the command's name answers its questions: a word each, and all the rest the last one.
std::optional<std::string> take_words(convert::Questions& questions, std::string rest) {
  const std::size_t fields = questions.form().fields.size();
  for (std::size_t i = 0; i < fields && !rest.empty() && !questions.is_complete(); ++i) {
    const auto end = i + 1 == fields ? std::string::npos : rest.find_first_of(" \t\r\n");
    if (auto wrong = questions.take(rest.substr(0, end))) return wrong;
    rest = end == std::string::npos ? std::string() : std::string(base::trim(std::string_view(rest).substr(end)));
  }
  return std::nullopt;
}

void go_on(Transport& transport, const std::shared_ptr<Talkers>& talkers, Talker& talker, const Said& said,
           const std::optional<std::string>& wrong) {
  Unfinished& now = *talker.unfinished;
  if (!now.questions.is_complete())
    return say(transport, said.face, said.user, joined(wrong.value_or(""), asked(now.questions)),
               buttons(now.questions));
  const commands::Command& command = *now.command;
  auto answers = convert::check_answers(now.questions.answers(), now.questions.form());
  talker.unfinished.reset();
  if (!answers) return say(transport, said.face, said.user, answers.error().text);
  start(transport, talkers, talker, command, std::move(*answers), said);
}

void obey(Transport& transport, const std::shared_ptr<Talkers>& talkers, Talker& talker, const Said& said) {
  const commands::Typed typed = commands::read_line(said.line);
  const auto tell = [&](const std::string& text) { say(transport, said.face, said.user, text); };
  const commands::Call call = call_of(transport, said);
  // “log out tomorrow, please remind me” is a sentence
  const bool is_sentence = typed.command && !typed.rest.empty() && typed.command->fields(call).empty();
  if (!typed.command || is_sentence) {
    tell("That is no command here.");  // the line is not repeated: it may be a password that comes late
    return start(transport, talkers, talker, commands::help, {}, said);
  }
  if (const auto refusal = commands::refusal(*typed.command, call)) return tell(refusal->text);
  connector::Form form;
  form.fields = typed.command->fields(call);
  talker.unfinished.emplace(
      Unfinished{typed.command, said, convert::Questions(std::move(form)), transport.clock().now()});
  const auto wrong = take_words(talker.unfinished->questions, typed.rest);
  go_on(transport, talkers, talker, said, wrong);
}

void stop_asking(Transport& transport, Talker& talker, const Said& said) {
  if (transport.dialogues().cancel(said.user, convert::login_given_up())) {
    if (!talker.login) say(transport, said.face, said.user, "Stopped; nothing was changed.");  // it began elsewhere
    return;
  }
  const bool had = std::exchange(talker.unfinished, std::nullopt).has_value();
  say(transport, said.face, said.user, had ? "Stopped; nothing was changed." : "There is nothing to cancel.");
}

// A line at another face is no answer to a question: it may be a password, and is not meant for it.
void listen(Transport& transport, const std::shared_ptr<Talkers>& talkers, Talker& talker, const Said& said) {
  const auto tell = [&](const std::string& text) { say(transport, said.face, said.user, text); };
  if (talker.login && talker.login->is_over()) talker.login.reset();
  if (talker.unfinished && transport.clock().now() - talker.unfinished->since > question_patience)
    talker.unfinished.reset();
  if (base::to_lower_ascii(base::trim(said.line)) == stop_word) return stop_asking(transport, talker, said);
  if (talker.is_busy) return tell("One moment, please: your last command is still being worked on.");
  const bool is_led_here = talker.login && talker.login->is_at(said.face);
  if (is_led_here && talker.login->has_question()) return talker.login->take(said.line);
  if (is_led_here && !talker.login->waits())
    return tell("One moment, please: the network is being asked. Write “cancel” to stop.");
  const bool is_asked_here = talker.unfinished && talker.unfinished->said.face == said.face;
  if (!is_asked_here) return obey(transport, talkers, talker, said);
  const auto wrong = asks_for_help(said.line) ? std::nullopt : talker.unfinished->questions.take(said.line);
  Said where = talker.unfinished->said;
  where.user = said.user;
  where.stanza_id = said.stanza_id;
  go_on(transport, talkers, talker, where, wrong);
}

// Who may not even register gets a refusal, and so does what comes late: no talk arises from either.
std::optional<xmpp::StanzaError> refusal_to_talk(Transport& transport, const xmpp::Stanza& stanza) {
  const xmpp::Jid& user = stanza.from;
  if (stanza.type() == "groupchat") return convert::no_person(transport.domain());
  if (!transport.config().registration.allows(user) && transport.accounts().of(user).empty())
    return convert::may_not_register(transport.domain());
  if (const auto encrypted = convert::refusal_of_encrypted(stanza.element)) return encrypted;
  if (stanza.element.child("delay", ns::delay)) return convert::said_late(transport.domain());
  if (stanza.element.child_text("body", ns::component).size() > most_line_bytes)
    return convert::too_long(most_line_bytes);
  return std::nullopt;
}

void on_face_message(Transport& transport, const std::shared_ptr<Talkers>& talkers, const xmpp::Stanza& stanza,
                     const convert::Address& to) {
  const std::string_view body = stanza.element.child_text("body", ns::component);
  if (base::trim(body).empty() || stanza.type() == "headline") return;  // typing, receipts, markers: no answer
  if (stanza.from.local().empty()) return;                              // a server announces something to everybody
  if (const auto refusal = refusal_to_talk(transport, stanza)) return transport.reply_error(stanza, *refusal);
  Talker* talker = talker_for(transport, *talkers, stanza);
  if (!talker) return;
  Said said{stanza.from, stanza.to.bare(), to.alias, std::string(stanza.lang()), std::string(body), to.is_named};
  if (stanza.id().size() <= convert::most_id_bytes) said.stanza_id = stanza.id();
  listen(transport, talkers, *talker, said);
}

// A login that began elsewhere, and has a further question.
void on_question_left(Transport& transport, Talkers& talkers, const xmpp::Jid& user, const xmpp::Jid& face) {
  const auto address = convert::read(face);
  const bool is_registered = address && transport.accounts().find(user, address->alias) != nullptr;
  auto login = std::make_shared<Led>(transport, face, user.bare(), is_registered);
  talkers[user.bare().str()].login = login;
  transport.dialogues().present(user, std::move(login));
}

void welcome(Transport& transport, const LiveAccount& account) {
  const connector::Network& network = transport.network();
  const std::string name = account.name_at_network();
  const std::string mark = account.alias().empty() ? "" : "~" + account.alias();
  std::string text = "You are registered with " + transport.name() + (name.empty() ? "" : " as " + name) + ".";
  text += "\nTo write to somebody, add a contact. Its address is the " + base::to_lower_ascii(network.contact_prompt) +
          ", followed by " + mark + "@" + transport.domain().str() + ".";
  if (!network.contact_help.empty()) text += " " + network.contact_help;
  text += "\nWrite “help” here to see what else you can do.";
  say(transport, transport.shown().faces_of(account).back(), account.user(), text);
}

}  // namespace

void install_gateway_chat(Transport& transport) {
  const auto talkers = std::make_shared<Talkers>();
  transport.hooks().face_message.add([&transport, talkers](const xmpp::Stanza& stanza, const convert::Address& to) {
    on_face_message(transport, talkers, stanza, to);
  });
  transport.hooks().question_left.add([&transport, talkers](const xmpp::Jid& user, const xmpp::Jid& face) {
    on_question_left(transport, *talkers, user, face);
  });
  transport.hooks().registered.add([&transport](const LiveAccount& account) { welcome(transport, account); });
}

}  // namespace wherry::features

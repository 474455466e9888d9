// Ad-hoc commands (XEP-0050 v1.3): the gateway's commands as forms. A login's questions are the stages of "register".
#include "gateway/commands/commands.hpp"
#include "gateway/convert/forms.hpp"
#include "gateway/convert/refusals.hpp"
#include "gateway/features/features.hpp"

#include "gateway/base/log.hpp"
#include "gateway/xmpp/forms.hpp"

#include <algorithm>
#include <map>
#include <memory>

namespace wherry::features {

namespace {

constexpr std::size_t most_sessions = 200, most_sessions_of_user = 4;
constexpr std::chrono::minutes session_patience{15};

// One execution of a command by one device.
struct Execution {
  std::string id;
  const commands::Command* command;
  xmpp::Jid user, face;
  std::string alias, lang;
  base::Time since;                       // the last stage
  std::optional<connector::Form> form{};  // what the user is asked now
  std::optional<xmpp::Stanza> open{};     // the iq that waits for its answer
  // How the login ended, where no iq was open then.
  bool has_ended = false;
  std::optional<xmpp::StanzaError> failure{};
  bool is_named = false;  // it was begun at the gateway's address with a local part
};

struct Executions {
  std::map<std::string, std::shared_ptr<Execution>> by_id;
  std::uint64_t last = 0;
};

xmpp::Stanza head_only(const xmpp::Stanza& iq) {
  return {iq.kind, iq.from, iq.to, xmpp::make_stanza(iq.kind, iq.from, iq.to, iq.type(), iq.id())};
}

xmpp::Element& answer_in(xmpp::Element& result, std::string_view node, std::string_view id, std::string_view status) {
  xmpp::Element& command = result.add("command", ns::commands);
  command.set("node", node).set("sessionid", id).set("status", status);
  return command;
}

void add_note(xmpp::Element& command, std::string_view type, std::string_view text) {
  if (!text.empty()) command.add("note", ns::commands).set("type", type).set_text(text);
}

// What is asked for, with what was wrong before (§3.3).
void show_stage(Transport& transport, const xmpp::Stanza& iq, const Execution& execution, std::string_view wrong) {
  const bool goes_on = execution.command == &commands::enrol;
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& command = answer_in(result, execution.command->name, execution.id, "executing");
  xmpp::Element& actions = command.add("actions", ns::commands);
  actions.set("execute", goes_on ? "next" : "complete").add(goes_on ? "next" : "complete", ns::commands);
  add_note(command, "error", wrong);
  command.add(convert::to_data_form(*execution.form, ""));
  transport.send(result);
}

void show_end(Transport& transport, const xmpp::Stanza& iq, const Execution& execution, std::string_view note_type,
              const commands::Output& output) {
  xmpp::Element result = xmpp::result_of(iq);
  xmpp::Element& command = answer_in(result, execution.command->name, execution.id, "completed");
  add_note(command, note_type, output.text);
  if (!output.rows.empty()) {
    xmpp::DataForm rows;
    rows.type = "result";
    rows.title = execution.command->title;
    for (const commands::Row& row : output.rows) {
      xmpp::FormField field;
      field.var = row.name;
      field.type = "text-single";
      field.label = row.name;
      field.values.push_back(row.value);
      rows.fields.push_back(std::move(field));
    }
    command.add(xmpp::to_element(rows));
  }
  transport.send(result);
}

void show_outcome(Transport& transport, const xmpp::Stanza& iq, const Execution& execution,
                  const std::optional<xmpp::StanzaError>& failure) {
  commands::Output output;
  output.text = failure ? failure->text : "You are registered with " + transport.name() + ".";
  show_end(transport, iq, execution, failure ? "error" : "info", output);
}

// A login as the stages of a command.
class Stages final : public accounts::Presenter {
 public:
  Stages(Transport& transport, std::shared_ptr<Executions> executions, std::shared_ptr<Execution> execution)
      : transport_(transport), executions_(std::move(executions)), execution_(std::move(execution)) {}

  void show(const connector::Form& question) override {
    execution_->form = question;
    if (const auto iq = std::exchange(execution_->open, std::nullopt)) show_stage(transport_, *iq, *execution_, "");
  }
  void ended(const std::optional<xmpp::StanzaError>& failure) override {
    execution_->has_ended = true;
    execution_->failure = failure;
    const auto iq = std::exchange(execution_->open, std::nullopt);
    if (!iq) return;  // the next request hears of it
    executions_->by_id.erase(execution_->id);
    show_outcome(transport_, *iq, *execution_, failure);
  }

 private:
  Transport& transport_;
  std::shared_ptr<Executions> executions_;
  std::shared_ptr<Execution> execution_;
};

// §3.1's own conditions stand beside those of RFC 6120.
void refuse_action(Transport& transport, const xmpp::Stanza& iq, std::string_view condition, std::string text) {
  xmpp::Element answer = xmpp::make_stanza(xmpp::Kind::iq, iq.to, iq.from, "error", iq.id());
  xmpp::Element error = xmpp::error_element({"modify", "bad-request", std::move(text)});
  error.add(std::string(condition), ns::commands);
  answer.add(std::move(error));
  transport.send(answer);
}

commands::Call call_for(Transport& transport, const Execution& execution) {
  return {transport, execution.user, execution.alias, execution.lang, {}, nullptr, execution.is_named};
}

asio::awaitable<void> run_to_end(Transport& transport, std::shared_ptr<Execution> execution, commands::Call call,
                                 xmpp::Stanza iq) {
  commands::Output output;
  std::string note_type = "info";
  try {
    auto outcome = co_await commands::run(*execution->command, std::move(call));
    if (outcome) output = std::move(*outcome);
    else output.text = outcome.error().text;
    if (!outcome) note_type = "error";
  } catch (const std::exception& e) {
    log::warn("command.failed", {{"transport", transport.domain().str()}, {"error", e.what()}});
    output.text = "That did not work just now; please try again later.";
    note_type = "error";
  }
  show_end(transport, iq, *execution, note_type, output);
}

void run_once(Transport& transport, std::shared_ptr<Execution> execution, connector::Answers input,
              const xmpp::Stanza& iq) {
  commands::Call call = call_for(transport, *execution);
  call.input = std::move(input);
  transport.tasks().spawn("command", run_to_end(transport, execution, std::move(call), head_only(iq)));
}

void begin_stages(Transport& transport, const std::shared_ptr<Executions>& executions,
                  const std::shared_ptr<Execution>& execution, const xmpp::Stanza& iq) {
  accounts::Login login{execution->user.bare(), execution->alias, execution->lang, execution->is_named};
  execution->open = head_only(iq);
  auto stages = std::make_shared<Stages>(transport, executions, execution);
  if (transport.dialogues().begin(std::move(login), std::move(stages))) return;
  executions->by_id.erase(execution->id);
  transport.reply_error(*execution->open, convert::registration_must_wait());
}

// Forms are left open more often than they are cancelled: the oldest goes. What is being worked on stays.
template <class Wanted>
void drop_oldest(Executions& executions, Wanted wanted) {
  auto oldest = executions.by_id.end();
  for (auto it = executions.by_id.begin(); it != executions.by_id.end(); ++it) {
    if (it->second->open || !wanted(*it->second)) continue;
    if (oldest == executions.by_id.end() || it->second->since < oldest->second->since) oldest = it;
  }
  if (oldest != executions.by_id.end()) executions.by_id.erase(oldest);
}

// Null, and refused, where this user, or all together, have too many that are being worked on.
std::shared_ptr<Execution> add_execution(Transport& transport, Executions& executions, const xmpp::Stanza& iq,
                                         const commands::Command& command, const convert::Address& to) {
  const base::Time now = transport.clock().now();
  std::erase_if(executions.by_id,
                [&](const auto& entry) { return now - entry.second->since > session_patience && !entry.second->open; });
  const auto is_users = [&](const Execution& it) { return it.user.bare_view() == iq.from.bare_view(); };
  const auto has_too_many = [&] {
    const auto count = std::count_if(executions.by_id.begin(), executions.by_id.end(),
                                     [&](const auto& entry) { return is_users(*entry.second); });
    return static_cast<std::size_t>(count) >= most_sessions_of_user;
  };
  if (has_too_many()) drop_oldest(executions, is_users);
  if (executions.by_id.size() >= most_sessions) drop_oldest(executions, [](const Execution&) { return true; });
  if (executions.by_id.size() >= most_sessions || has_too_many()) {
    transport.reply_error(iq, convert::said_too_much());
    return nullptr;
  }
  Execution begun{
      std::to_string(++executions.last), &command, iq.from, iq.to.bare(), to.alias, std::string(iq.lang()), now};
  begun.is_named = to.is_named;
  auto execution = std::make_shared<Execution>(std::move(begun));
  executions.by_id.emplace(execution->id, execution);
  return execution;
}

void begin_execution(Transport& transport, const std::shared_ptr<Executions>& executions, const xmpp::Stanza& iq,
                     const convert::Address& to) {
  const xmpp::Element& asked = *iq.payload();
  const std::string_view action = asked.attribute("action");
  if (!action.empty() && action != "execute")
    return refuse_action(transport, iq, "bad-action", "A command begins with the action “execute”.");
  const commands::Command* command = commands::find(asked.attribute("node"));
  if (!command) return transport.reply_error(iq, convert::no_such_node());
  const commands::Call call{transport, iq.from, to.alias, std::string(iq.lang()), {}, nullptr, to.is_named};
  if (const auto refusal = commands::refusal(*command, call)) return transport.reply_error(iq, *refusal);
  const auto execution = add_execution(transport, *executions, iq, *command, to);
  if (!execution) return;
  if (command == &commands::enrol) return begin_stages(transport, executions, execution, iq);
  connector::Form form;
  form.title = command->title;
  form.fields = command->fields(call);
  if (!form.fields.empty()) {
    execution->form = std::move(form);
    return show_stage(transport, iq, *execution, "");
  }
  executions->by_id.erase(execution->id);
  run_once(transport, execution, {}, iq);
}

// The answers in a stage's form, checked.
connector::Result<connector::Answers> answers_in(const xmpp::Element& asked, const connector::Form& form) {
  const xmpp::Element* x = asked.child("x", ns::data_forms);
  if (!x) return convert::check_answers({}, form);
  const auto given = convert::read_data_form(*x, form, "");
  return given ? convert::check_answers(*given, form) : given;
}

void cancel_execution(Transport& transport, Executions& executions, const std::shared_ptr<Execution>& execution,
                      const xmpp::Stanza& iq) {
  executions.by_id.erase(execution->id);
  if (execution->command == &commands::enrol && !execution->has_ended)
    transport.dialogues().cancel(execution->user, convert::login_given_up());
  xmpp::Element result = xmpp::result_of(iq);
  answer_in(result, execution->command->name, execution->id, "canceled");
  transport.send(result);
}

void next_stage(Transport& transport, const std::shared_ptr<Executions>& executions,
                const std::shared_ptr<Execution>& execution, const xmpp::Stanza& iq) {
  if (execution->has_ended) {
    executions->by_id.erase(execution->id);
    return show_outcome(transport, iq, *execution, execution->failure);
  }
  if (!execution->form) return transport.reply_error(head_only(iq), convert::registration_must_wait());
  if (execution->form->waits) return show_stage(transport, iq, *execution, "");
  auto answers = answers_in(*iq.payload(), *execution->form);
  if (!answers) return show_stage(transport, iq, *execution, answers.error().text);
  if (execution->command == &commands::enrol) {
    execution->open = head_only(iq);
    execution->form.reset();
    if (transport.dialogues().answer(execution->user, std::move(*answers))) return;
    execution->open.reset();
    executions->by_id.erase(execution->id);
    return show_outcome(transport, iq, *execution, convert::login_replaced());
  }
  executions->by_id.erase(execution->id);
  if (const auto refusal = commands::refusal(*execution->command, call_for(transport, *execution)))
    return transport.reply_error(head_only(iq), *refusal);
  run_once(transport, execution, std::move(*answers), iq);
}

void go_on_with(Transport& transport, const std::shared_ptr<Executions>& executions, const xmpp::Stanza& iq) {
  const xmpp::Element& asked = *iq.payload();
  const auto found = executions->by_id.find(std::string(asked.attribute("sessionid")));
  const bool is_theirs = found != executions->by_id.end() && found->second->user == iq.from &&
                         found->second->command->name == asked.attribute("node");
  if (!is_theirs)
    return refuse_action(transport, iq, "bad-sessionid", "This command has ended. Please begin it again.");
  const std::shared_ptr<Execution> execution = found->second;
  execution->since = transport.clock().now();
  const std::string_view action = asked.attribute("action");
  if (action == "cancel") return cancel_execution(transport, *executions, execution, iq);
  if (execution->open) return transport.reply_error(head_only(iq), convert::registration_must_wait());
  const bool goes_on = action.empty() || action == "execute" || action == "next" || action == "complete";
  if (!goes_on) return refuse_action(transport, iq, "bad-action", "There is no way back in this command.");
  next_stage(transport, executions, execution, iq);
}

}  // namespace

void install_adhoc(Transport& transport) {
  const auto executions = std::make_shared<Executions>();
  for (const AddressForm face : faces)
    transport.router().on_iq(face, Request::set, ns::commands,
                             [&transport, executions](const xmpp::Stanza& iq, const Party& party) {
                               if (!iq.payload()->attribute("sessionid").empty())
                                 return go_on_with(transport, executions, iq);
                               begin_execution(transport, executions, iq, party.to);
                             });
}

}  // namespace wherry::features

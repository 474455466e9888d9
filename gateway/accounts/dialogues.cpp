#include "gateway/accounts/dialogues.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/within.hpp"
#include "gateway/convert/forms.hpp"
#include "gateway/convert/refusals.hpp"

#include <boost/asio/this_coro.hpp>

#include <map>
#include <utility>

namespace wherry::accounts {

using connector::Answers;
using connector::Form;
using connector::Result;

namespace {

using Failure = std::optional<xmpp::StanzaError>;

// The gateway's own question, where the network has a contact list (XEP-0100 §6.4, rule B1.43): not the connector's.
constexpr const char* imports_name = "import_contacts";
connector::Field imports_field(bool imports) {
  connector::Field field;
  field.name = imports_name;
  field.label = "Bring my contact list over";
  field.type = connector::Field::Type::boolean;
  field.required = false;
  field.value = imports ? "1" : "0";
  return field;
}

connector::Account as_present(const LiveAccount& account) {
  connector::Account present;
  present.id = account.id();
  present.user = account.user().str();
  present.credentials = account.row.credentials;
  return present;
}

// The user does not want to go on; Live::given_up says why.
struct GaveUp : std::exception {};

}  // namespace

class Dialogues::Live final : public connector::Dialogue {
 public:
  Live(Login l, std::shared_ptr<Presenter> p, bool asks_imports, bool imports_now, asio::any_io_executor executor)
      : login(std::move(l)),
        presenter(std::move(p)),
        imports(imports_now),
        changed(executor),
        asks_imports_(asks_imports) {}

  asio::awaitable<Result<Answers>> ask(Form form) override {
    if (asks_imports_ && !form.waits) {
      form.fields.push_back(imports_field(imports));
      asks_imports_ = false;
    }
    answers.reset();
    const bool rotates = question && question->waits && form.waits;  // which is no answer of the user's
    question = std::move(form);
    if (!rotates) restart_limit();
    const auto shown_by = presenter;  // it may hand over to another
    shown_by->show(*question);
    if (question->waits) co_return Answers();
    while (!answers) co_await changed.wait();
    co_return take_answers();
  }
  bool waits_for_user() const { return question && !answers; }
  bool waits_for_answer() const { return question && !question->waits && !answers; }
  void restart_limit() {
    since = std::chrono::steady_clock::now();
    changed.notify();
  }

  const Login login;
  std::shared_ptr<Presenter> presenter;
  std::optional<Form> question;            // the open one
  std::optional<Result<Answers>> answers;  // to it
  bool imports;
  Failure given_up;
  bool had_account = false;  // when what came of it was put
  bool has_ended = false;    // as far as the network is asked
  std::chrono::steady_clock::time_point since;
  base::Signal changed;
  std::optional<Result<Answers>> credentials;

 private:
  Result<Answers> take_answers() {
    question.reset();
    Result<Answers> taken = std::move(*answers);
    answers.reset();
    restart_limit();
    if (!taken) return taken;
    if (const auto own = taken->extract(imports_name); !own.empty()) imports = own.mapped() == "1";
    return taken;
  }
  bool asks_imports_;
};

Dialogues::Dialogues(asio::any_io_executor executor, Accounts& accounts, connector::Connector& connector,
                     Setting setting, DialogueLimits limits, Registered registered)
    : accounts_(accounts),
      connector_(connector),
      setting_(std::move(setting)),
      limits_(limits),
      registered_(std::move(registered)),
      tasks_(std::move(executor)) {}

Dialogues::~Dialogues() = default;

// ---- For presenters ----

asio::awaitable<Result<Form>> Dialogues::first_form(Login login) {
  connector::Account present;
  connector::Applicant applicant = applicant_for(login, present);
  const LiveAccount* account = accounts_.find(login.user, login.alias);
  const bool imports = !account || account->row.imports;
  auto form = co_await base::within(limits_.work, connector_.login_form(std::move(applicant)));
  const bool asks = form && !(form->fields.empty() && form->instructions.empty()) && !form->waits;
  if (asks && setting_.has_contact_list) form->fields.push_back(imports_field(imports));
  co_return form;
}

bool Dialogues::begin(Login login, std::shared_ptr<Presenter> presenter) {
  const std::string user = login.user.bare().str();
  if (const auto found = live_.find(user); found != live_.end()) {
    if (!found->second->waits_for_user()) return false;
    give_way(found, convert::login_replaced());
  }
  if (replaced_ >= limits_.most || (live_.size() >= limits_.most && !make_room())) return false;
  const LiveAccount* account = accounts_.find(login.user, login.alias);
  const bool imports = !account || account->row.imports;
  auto live = std::make_shared<Live>(std::move(login), std::move(presenter), setting_.has_contact_list, imports,
                                     tasks_.executor());
  live_.emplace(user, live);
  tasks_.spawn("dialogue", run(std::move(live)));
  return true;
}

void Dialogues::give_way(Lives::iterator live, xmpp::StanzaError why) {
  live->second->given_up = std::move(why);
  live->second->changed.notify();
  live_.erase(live);
  ++replaced_;
}

// Who leaves questions open shuts nobody out.
bool Dialogues::make_room() {
  std::map<std::string, std::size_t> of_domain;
  for (const auto& [user, live] : live_) {
    if (live->waits_for_user()) ++of_domain[std::string(live->login.user.domain())];
  }
  const auto weight = [&](const Live& live) {
    return std::pair(of_domain[std::string(live.login.user.domain())], -live.since.time_since_epoch().count());
  };
  auto chosen = live_.end();
  for (auto it = live_.begin(); it != live_.end(); ++it) {
    if (!it->second->waits_for_user()) continue;
    if (chosen == live_.end() || weight(*it->second) > weight(*chosen->second)) chosen = it;
  }
  if (chosen == live_.end()) return false;
  give_way(chosen, convert::login_crowded_out());
  return true;
}

const Form* Dialogues::question(const xmpp::Jid& user) const {
  const Live* live = find(user);
  return live && live->question && !live->answers ? &*live->question : nullptr;
}

bool Dialogues::is_under_way(const xmpp::Jid& user) const { return find(user) != nullptr; }

bool Dialogues::answer(const xmpp::Jid& user, Result<Answers> answers) {
  Live* live = find(user);
  if (!live || !live->waits_for_answer()) return false;
  live->answers = std::move(answers);
  live->changed.notify();
  return true;
}

bool Dialogues::cancel(const xmpp::Jid& user, xmpp::StanzaError why) {
  Live* live = find(user);
  if (!live || live->has_ended) return false;
  live->given_up = std::move(why);
  live->changed.notify();
  return true;
}

bool Dialogues::present(const xmpp::Jid& user, std::shared_ptr<Presenter> presenter) {
  Live* live = find(user);
  if (!live) return false;
  live->presenter = std::move(presenter);
  if (live->question && !live->answers) live->presenter->show(*live->question);
  return true;
}

// ---- One login ----

asio::awaitable<void> Dialogues::run(std::shared_ptr<Live> live) {
  const Failure failure = co_await outcome_of(live);
  const std::string user = live->login.user.bare().str();
  const auto found = live_.find(user);
  if (found != live_.end() && found->second == live) live_.erase(found);
  else --replaced_;
  LiveAccount* account = accounts_.find(live->login.user, live->login.alias);
  const bool is_new = !live->had_account;
  if (!failure) log::info("account.registered", {{"transport", setting_.domain}, {"user", log::masked(user)}});
  const auto told = live->presenter;
  told->ended(failure);
  if (!failure && account) registered_(*account, is_new);
}

// Whatever the connector does, the presenter is told.
asio::awaitable<Failure> Dialogues::outcome_of(std::shared_ptr<Live> live) {
  std::string trouble;
  try {
    co_await ask_network(live);
    if (!*live->credentials) co_return convert::registration_refused(live->credentials->error());
    co_await put(live);
    co_return std::nullopt;
  } catch (const GaveUp&) {
    co_return live->given_up;
  } catch (const base::TimedOut&) {
    co_return live->question ? convert::login_unanswered() : convert::registration_unanswered();
  } catch (const db::DatabaseLost&) {
    co_return convert::registration_not_stored();
  } catch (const std::exception& e) {
    trouble = e.what();
  }
  log::warn("registration.failed", {{"transport", setting_.domain}, {"error", trouble}});
  co_return convert::registration_unanswered();
}

asio::awaitable<void> Dialogues::ask_network(std::shared_ptr<Live> live) {
  co_await base::together(log_in(live), watch(live));
  if (live->given_up) throw GaveUp();
}

asio::awaitable<void> Dialogues::log_in(std::shared_ptr<Live> live) {
  connector::Account present;
  connector::Applicant applicant = applicant_for(live->login, present);
  live->restart_limit();
  live->credentials = co_await connector_.log_in(std::move(applicant), *live);
  live->question.reset();
  live->has_ended = true;
  live->changed.notify();
}

// Ends with the login, or ends it.
asio::awaitable<void> Dialogues::watch(std::shared_ptr<Live> live) {
  while (!live->has_ended) {
    if (live->given_up) throw GaveUp();
    const auto limit = live->question ? limits_.answer : limits_.work;
    const auto left = live->since + limit - std::chrono::steady_clock::now();
    if (left <= left.zero()) throw base::TimedOut();
    try {
      co_await base::within(left, live->changed.wait());
    } catch (const base::TimedOut&) {  // unless it was answered just now
    }
  }
}

asio::awaitable<void> Dialogues::put(std::shared_ptr<Live> live) {
  const Login& login = live->login;
  store::AccountRow row{base::AccountId{}, setting_.domain, login.user.bare(), std::move(**live->credentials),
                        setting_.policy,   login.lang,      live->imports,     login.alias};
  row.named = login.is_named;
  // One that there was when the login began may have been removed meanwhile: then all is new.
  live->had_account = accounts_.find(login.user, login.alias) != nullptr;
  co_await accounts_.put(std::move(row));
  const LiveAccount* account = accounts_.find(login.user, login.alias);
  if (account && account->row.logged_out) co_await accounts_.set_logged_out(account->id(), false);
}

asio::awaitable<void> Dialogues::stop() { co_await tasks_.end(); }

Dialogues::Live* Dialogues::find(const xmpp::Jid& user) const {
  const auto found = live_.find(user.bare().str());
  return found == live_.end() ? nullptr : found->second.get();
}

connector::Applicant Dialogues::applicant_for(const Login& login, connector::Account& present) {
  connector::Applicant applicant;
  applicant.user = login.user.bare().str();
  if (const LiveAccount* account = accounts_.find(login.user, login.alias)) {
    present = as_present(*account);
    applicant.present = &present;
  }
  return applicant;
}

}  // namespace wherry::accounts

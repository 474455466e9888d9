#include "connectors/msn/connector.hpp"

#include "connectors/msn/convert/lists.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <exception>
#include <utility>

namespace wherry::msn {

using connector::AccountId;
using connector::Answers;
using connector::Errc;
using connector::Error;
using connector::Result;

namespace {

constexpr const char* email_field = "username";  // XEP-0077's names for them, and the credentials'
constexpr const char* password_field = "password";
constexpr std::chrono::minutes longest_wait{2};  // of somebody who registers

std::string answer_of(const Answers& answers, const std::string& name) {
  const auto found = answers.find(name);
  return found == answers.end() ? std::string() : found->second;
}

Credentials credentials_of(const Answers& answers) {
  return {parse_email(answer_of(answers, email_field)).value_or(""), answer_of(answers, password_field)};
}

connector::Form make_login_form(const connector::Applicant& applicant) {
  connector::Field email;
  email.name = email_field;
  email.label = "The e-mail address of your MSN account";
  if (applicant.present) email.value = answer_of(applicant.present->credentials, email_field);
  connector::Field password;
  password.name = password_field;
  password.label = "Its password";
  password.type = connector::Field::Type::secret;
  connector::Form form;
  form.title = "MSN";
  form.instructions = "Log in to the MSN account that you have on this network.";
  form.fields.push_back(std::move(email));
  form.fields.push_back(std::move(password));
  return form;
}

std::string memory_key(AccountId account) { return fmt::format("lists/{}/", account.value); }

}  // namespace

MsnConnector::MsnConnector(Settings settings, connector::Services services)
    : services_(services),
      upstream_(std::move(settings), services.executor, services.http),
      has_forgotten_(services.executor) {}

Result<std::unique_ptr<connector::Connector>> MsnConnector::make(const nlohmann::json& configuration,
                                                                 connector::Services services) {
  auto settings = parse_settings(configuration);
  if (!settings) return settings.error();
  return std::unique_ptr<connector::Connector>(std::make_unique<MsnConnector>(std::move(*settings), services));
}

connector::Network MsnConnector::describe() const {
  connector::Network network;
  network.id = "msn";
  network.name = "MSN";
  network.disco_type = "msn";
  network.contact_prompt = "E-mail address";
  network.contact_help = "The address of the MSN account, like juliet@example.com.";
  network.contact_prompts = {
      {"de", {"E-Mail-Adresse", "Die Adresse des MSN-Kontos, etwa juliet@example.com."}},
      {"es", {"Dirección de correo", "La dirección de la cuenta de MSN, como juliet@example.com."}},
      {"fr", {"Adresse e-mail", "L’adresse du compte MSN, par exemple juliet@example.com."}},
      {"nl", {"E-mailadres", "Het adres van het MSN-account, zoals juliet@example.com."}},
      {"pt", {"Endereço de e-mail", "O endereço da conta MSN, como juliet@example.com."}},
  };
  network.idempotency = connector::Idempotency::none;
  network.has_presence = true;
  network.has_contact_list = true;
  network.has_blocking = true;
  network.has_profile = true;
  network.reports_delivery = upstream_.settings.acknowledged_is_delivered;
  return network;
}

// The sessions share no link: all there is to do is to erase what is left of accounts that are gone.
asio::awaitable<void> MsnConnector::run() {
  for (;;) {
    while (forgotten_.empty()) co_await has_forgotten_.wait();
    connector::Changes changes;
    changes.swap(forgotten_);
    co_await services_.storage.write(std::move(changes));
  }
}

// As far as the ticket, which nobody gets without the password.
asio::awaitable<Result<void>> MsnConnector::prove(Credentials credentials) {
  const auto now = std::chrono::steady_clock::now();
  if (upstream_.pace->next(now) - now > longest_wait) {
    co_return Error{Errc::unavailable,
                    "Many accounts are logging in to MSN at the moment, and its server wants them one after the other. "
                    "Try again in some minutes."};
  }
  co_await upstream_.pace->turn(true);
  base::TaskGroup tasks(services_.executor);
  Result<void> outcome = base::ok();
  std::exception_ptr failure;
  try {
    auto admission = co_await ask_admission(upstream_, tasks, std::move(credentials), std::string());
    if (admission) admission->link->log_out();
    else outcome = admission.error();
  } catch (...) {
    failure = std::current_exception();
  }
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await tasks.end();
  co_await asio::this_coro::throw_if_cancelled(true);
  if (failure) std::rethrow_exception(failure);
  co_return outcome;
}

asio::awaitable<Result<connector::Form>> MsnConnector::login_form(connector::Applicant applicant) {
  co_return make_login_form(applicant);
}

asio::awaitable<Result<Answers>> MsnConnector::log_in(connector::Applicant applicant, connector::Dialogue& user) {
  connector::Form form = make_login_form(applicant);
  auto answers = co_await user.ask(std::move(form));
  if (!answers) co_return answers.error();
  Credentials credentials = credentials_of(*answers);
  if (credentials.email.empty())
    co_return Error{Errc::bad_input, "The name of an MSN account is an e-mail address, like romeo@example.com."};
  if (credentials.password.empty()) co_return Error{Errc::bad_input, "The password is missing."};
  Answers kept;
  kept[email_field] = credentials.email;
  kept[password_field] = credentials.password;
  const auto proved = co_await prove(std::move(credentials));
  if (!proved) co_return proved.error();
  co_return kept;
}

void MsnConnector::know_account(const connector::Account& account, connector::EventSink& events) {
  Known& known = accounts_[account.id];
  known.credentials = credentials_of(account.credentials);
  known.events = &events;
  if (!known.persona) known.persona = std::make_shared<Persona>();
}

void MsnConnector::forget_account(AccountId account) {
  accounts_.erase(account);
  forgotten_.push_back({memory_key(account), {}});
  has_forgotten_.notify();
}

std::unique_ptr<connector::Session> MsnConnector::open(AccountId account) {
  const Known& known = accounts_.at(account);
  return std::make_unique<MsnSession>(upstream_, services_, known.credentials, memory_key(account), *known.events,
                                      known.persona);
}

asio::awaitable<Result<connector::ContactId>> MsnConnector::parse_contact(std::string typed, AccountId) const {
  auto email = parse_email(typed);
  if (!email) co_return Error{Errc::bad_input, "An MSN contact is an e-mail address, like juliet@example.com."};
  co_return connector::ContactId{std::move(*email)};
}

asio::awaitable<std::vector<connector::Trial>> MsnConnector::try_network() {
  std::vector<connector::Trial> trials;
  const Settings& settings = upstream_.settings;
  connector::Trial server{fmt::format("host (a connection to {}:{})", settings.host, settings.port), base::ok()};
  const auto socket = co_await dial_server(settings.host, settings.port);
  if (!socket) server.outcome = socket.error();
  trials.push_back(std::move(server));
  if (settings.nexus_url.empty()) co_return trials;
  connector::Trial nexus{"nexus_url (where to log in)", base::ok()};
  const auto page = co_await upstream_.passport.find_login_page();
  if (!page) nexus.outcome = page.error();
  trials.push_back(std::move(nexus));
  co_return trials;
}

}  // namespace wherry::msn

extern "C" const wherry::connector::Plugin wherry_plugin;
extern "C" const wherry::connector::Plugin wherry_plugin{
    wherry::connector::plugin_stamp, &wherry::msn::MsnConnector::make, wherry::msn::settings_sections()};

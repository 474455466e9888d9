#include "connectors/oscar/connector.hpp"

#include "connectors/oscar/account/account_session.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "connectors/oscar/prompts.hpp"

#include <fmt/format.h>

namespace wherry::oscar {

using connector::Answers;
using connector::Errc;
using connector::Error;
using connector::Result;

namespace {

constexpr const char* name_field = "username";  // XEP-0077's, and the credentials'
constexpr const char* password_field = "password";
constexpr std::size_t most_password = 64;
constexpr std::size_t rows_at_once = 1000;
constexpr std::chrono::seconds proof_of_life{180};

std::string value_of(const Answers& answers, const char* field) {
  const auto found = answers.find(field);
  return found == answers.end() ? std::string() : found->second;
}

}  // namespace

OscarConnector::OscarConnector(Settings settings, connector::Services services)
    : services_(services), server_(std::move(settings), services.executor), has_forgotten_(services.executor) {}

Result<std::unique_ptr<connector::Connector>> OscarConnector::make(const nlohmann::json& configuration,
                                                                   connector::Services services) {
  auto settings = parse_settings(configuration);
  if (!settings) return settings.error();
  return std::unique_ptr<connector::Connector>(new OscarConnector(std::move(*settings), services));
}

connector::Network OscarConnector::describe() const {
  connector::Network network;
  network.id = network.disco_type = server_.is_icq() ? "icq" : "aim";
  network.name = server_.is_icq() ? "ICQ" : "AIM";
  network.contact_prompt = server_.is_icq() ? "ICQ number" : "Screen name";
  network.contact_help =
      server_.is_icq() ? "Digits only, like 123456789." : "Capitals and spaces do not matter, as in Chatty Joe.";
  network.contact_prompts = server_.is_icq() ? icq_prompts() : aim_prompts();
  network.idempotency = connector::Idempotency::none;
  network.redelivers = true;
  network.has_presence = true;
  network.has_contact_list = true;
  network.reports_delivery = true;
  network.has_search = true;
  network.has_blocking = true;
  network.has_profile = true;
  network.proof_of_life = proof_of_life;
  return network;
}

// The sessions share nothing but the pace of their logins: all there is to do is to erase what is left of accounts that
// are gone.
asio::awaitable<void> OscarConnector::run() {
  for (;;) {
    while (forgotten_.empty()) co_await has_forgotten_.wait();
    co_await erase(forgotten_.front());
    forgotten_.pop_front();
  }
}

asio::awaitable<void> OscarConnector::erase(std::string prefix) {
  for (;;) {
    const auto rows = co_await services_.storage.read(prefix, "", rows_at_once);
    if (rows.empty()) co_return;
    connector::Changes changes;
    for (const connector::Entry& row : rows) changes.push_back({row.key, ""});
    co_await services_.storage.write(std::move(changes));
  }
}

void OscarConnector::forget_account(connector::AccountId account) {
  accounts_.erase(account);
  forgotten_.push_back(listed_prefix(account));
  forgotten_.push_back(waiting_prefix(account));
  has_forgotten_.notify();
}

asio::awaitable<Result<Answers>> OscarConnector::log_in(connector::Applicant applicant, connector::Dialogue& user) {
  const std::string network = describe().name;
  connector::Form form;
  form.title = network;
  form.instructions = fmt::format("Log in with your {} account. The password is kept here, sealed.", network);
  connector::Field name;
  name.name = name_field;
  name.label = server_.is_icq() ? "ICQ number" : "Screen name";
  if (applicant.present) name.value = value_of(applicant.present->credentials, name_field);
  form.fields.push_back(std::move(name));
  connector::Field password;
  password.name = password_field;
  password.label = "Password";
  password.type = connector::Field::Type::secret;
  form.fields.push_back(std::move(password));

  auto answers = co_await user.ask(std::move(form));
  if (!answers) co_return answers.error();
  const auto parsed = oscar::parse_contact(value_of(*answers, name_field));
  const std::string given = value_of(*answers, password_field);
  if (!parsed || (server_.is_icq() && !is_uin(parsed->value))) {
    co_return Error{Errc::bad_input,
                    server_.is_icq() ? "An ICQ number has digits only, like 123456789." : "That is no screen name."};
  }
  if (given.empty() || given.size() > most_password)
    co_return Error{Errc::bad_input, "The password is missing or too long."};

  const LoginResult result = co_await server_.log_in(parsed->value, base::Secret(given), true);
  if (const auto* refused = std::get_if<Refused>(&result)) {
    const bool is_theirs = refused->kind == Refusal::credentials;
    co_return Error{is_theirs ? Errc::not_authorized : Errc::unavailable,
                    fmt::format("{} refuses the login: {}.", network, to_sentence(*refused))};
  }
  if (const auto* failed = std::get_if<Failed>(&result)) {
    co_return Error{Errc::unavailable,
                    fmt::format("{} cannot be reached: {}. Try again later.", network, failed->reason)};
  }
  Answers credentials;
  credentials[name_field] = parsed->value;
  credentials[password_field] = given;
  co_return credentials;
}

void OscarConnector::know_account(const connector::Account& account, connector::EventSink& events) {
  Known& known = accounts_[account.id];
  known.account = account;
  known.events = &events;
}

std::unique_ptr<connector::Session> OscarConnector::open(connector::AccountId account) {
  const Known& known = accounts_.at(account);
  return std::make_unique<AccountSession>(server_, known.account, *known.events, services_);
}

asio::awaitable<Result<connector::ContactId>> OscarConnector::parse_contact(std::string typed,
                                                                            connector::AccountId) const {
  co_return oscar::parse_contact(typed);
}

asio::awaitable<std::vector<connector::Trial>> OscarConnector::try_network() {
  const Settings& settings = server_.settings();
  connector::Trial trial;
  trial.what = fmt::format("a connection to {}:{}", settings.host, settings.port);
  trial.outcome = co_await server_.reach();
  std::vector<connector::Trial> trials;
  trials.push_back(std::move(trial));
  co_return trials;
}

}  // namespace wherry::oscar

extern "C" const wherry::connector::Plugin wherry_plugin;
extern "C" const wherry::connector::Plugin wherry_plugin{
    wherry::connector::plugin_stamp, &wherry::oscar::OscarConnector::make, wherry::oscar::sections()};

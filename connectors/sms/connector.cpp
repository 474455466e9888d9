#include "connectors/sms/connector.hpp"

#include "connectors/sms/prompts.hpp"
#include "connectors/sms/session.hpp"
#include "connectors/sms/text/numbering.hpp"
#include "gateway/base/backoff.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace wherry::sms {

using connector::AccountId;
using connector::Answers;
using connector::Errc;
using connector::Error;
using connector::Result;

namespace {

constexpr const char* number_field = "phone";      // XEP-0077's name for it, and the credential's
constexpr std::chrono::seconds healthy_after{60};  // a link that lasted so long starts its back-off over

// SmsSession writes it: the account's id, a colon, the gateway's key.
std::optional<std::pair<AccountId, std::string>> parse_carrier_key(std::string_view key) {
  AccountId account;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), account.value);
  if (error != std::errc() || end == key.data() + key.size() || *end != ':') return std::nullopt;
  return std::pair(account, std::string(key.substr(static_cast<std::size_t>(end - key.data()) + 1)));
}

bool have_same_carriers(const Configuration& a, const Configuration& b) {
  return std::equal(a.carriers.begin(), a.carriers.end(), b.carriers.begin(), b.carriers.end(),
                    [](const CarrierConfiguration& x, const CarrierConfiguration& y) {
                      return x.name == y.name && x.type == y.type && x.settings == y.settings;
                    });
}

}  // namespace

SmsConnector::SmsConnector(Configuration configuration, connector::Services services)
    : configuration_(std::move(configuration)), services_(services), routes_(configuration_.numbers) {}

Result<std::unique_ptr<connector::Connector>> SmsConnector::make(const nlohmann::json& json,
                                                                 connector::Services services) {
  auto configuration = parse_configuration(json);
  if (!configuration) return configuration.error();
  std::unique_ptr<SmsConnector> made(new SmsConnector(std::move(*configuration), services));
  connector::Mistakes mistakes;
  for (const CarrierConfiguration& c : made->configuration_.carriers) {
    CarrierSetting setting{c.name, c.settings, c.path, made->configuration_.region, made->routes_.numbers_of(c.name)};
    auto carrier = make_carrier(c.type, std::move(setting), services, *made);
    mistakes.add(carrier);
    if (carrier) made->carriers_[c.name] = std::move(*carrier);
  }
  if (!mistakes.empty()) return mistakes.error();
  made->warn_of_idle_numbers();
  return std::unique_ptr<connector::Connector>(std::move(made));
}

namespace {

// Whether nobody can have the number by libphonenumber's tables. They are older than some numbers.
bool is_unusual(std::string_view number) {
  return number.starts_with('+') && !number_abroad(number.substr(1), Likelihood::valid);
}

}  // namespace

// What is right by itself, and yet of no use to anybody.
void SmsConnector::warn_of_idle_numbers() const {
  const auto& numbers = configuration_.numbers;
  if (numbers.empty()) log::warn("sms.no_numbers", {{"hint", "nobody can register: add numbers"}});
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (is_unusual(numbers[i].number))
      log::warn("sms.number_unusual", {{"key", fmt::format("numbers[{}].number", i)},
                                       {"hint",
                                        "no number of its country looks so: compare its digits, and how many "
                                        "they are, with the carrier's"}});
    if (!numbers[i].users.empty() || numbers[i].pool) continue;
    log::warn("sms.number_of_nobody", {{"key", fmt::format("numbers[{}]", i)},
                                       {"hint", "nobody can register with it: give it users, or pool = true"}});
  }
}

connector::Network SmsConnector::describe() const {
  connector::Network network;
  network.id = "sms";
  network.name = "SMS";
  network.disco_type = "sms";
  network.client_type = "sms";
  network.contact_prompt = "Phone number";
  network.contact_help = "With the country code, like +14155550132.";
  network.contact_prompts = contact_prompts();
  network.idempotency = connector::Idempotency::by_key;
  for (const auto& [name, carrier] : carriers_) {
    network.idempotency = std::max(network.idempotency, carrier->idempotency());  // by_key < queryable < none
    network.reports_delivery = network.reports_delivery || carrier->reports_delivery();
  }
  network.redelivers = true;
  network.has_presence = false;
  return network;
}

asio::awaitable<void> SmsConnector::run() {
  base::TaskGroup tasks(services_.executor);
  for (const auto& [name, carrier] : carriers_) tasks.spawn("sms.carrier." + name, run_carrier(carrier.get()));
  std::exception_ptr ended;
  try {
    base::Signal never(services_.executor);
    for (;;) co_await never.wait();
  } catch (...) {
    ended = std::current_exception();
  }
  co_await asio::this_coro::throw_if_cancelled(false);  // the carriers end in order
  co_await tasks.end();
  co_await asio::this_coro::throw_if_cancelled(true);
  std::rethrow_exception(ended);
}

// One carrier's trouble is not another's: each has its own back-off.
asio::awaitable<void> SmsConnector::run_carrier(Carrier* carrier) {
  base::Backoff backoff(base::BackoffPolicy{}, randombytes_random());
  std::chrono::seconds at_least{0};
  for (;;) {
    const auto wait = backoff.next_at_least(at_least);
    if (wait.count() > 0) co_await base::sleep(wait);
    const auto begun = std::chrono::steady_clock::now();
    std::string why = "it ended";
    at_least = std::chrono::seconds(0);
    try {
      co_await carrier->run();
    } catch (const LinkDown& e) {
      why = e.what();
      at_least = e.at_least;
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted) throw;
      why = e.code().message();
    } catch (const std::exception& e) {
      why = e.what();
    }
    if (std::chrono::steady_clock::now() - begun >= healthy_after) backoff.reset();
    log::warn(
        "sms.carrier_down",
        {{"carrier", carrier->name()}, {"why", why}, {"attempts", backoff.attempts()}, {"wait_s", at_least.count()}});
  }
}

asio::awaitable<Result<Answers>> SmsConnector::log_in(connector::Applicant applicant, connector::Dialogue& user) {
  const std::string present = applicant.present && applicant.present->credentials.contains(number_field)
                                  ? applicant.present->credentials.at(number_field)
                                  : std::string();
  const auto changed = applicant.present ? applicant.present->id : AccountId{};
  const auto choices = routes_.choices(applicant.user, services_.clock.now(), changed);
  if (choices.empty()) {
    co_return Error{Errc::rejected, "There is no number left for you here. Ask the operator of this service for one."};
  }
  connector::Field field;
  field.name = number_field;
  field.label = "Your number";
  field.type = connector::Field::Type::choice;
  field.choices = choices;
  if (std::find(choices.begin(), choices.end(), present) != choices.end()) field.value = present;
  else if (choices.size() == 1) field.value = choices.front();
  connector::Form form;
  form.title = "SMS";
  form.instructions = choices.size() == 1 ? "You will send and receive texts with this number."
                                          : "Choose the number that you will send and receive texts with.";
  form.fields.push_back(std::move(field));

  auto answers = co_await user.ask(std::move(form));
  if (!answers) co_return answers.error();
  const std::string number = answers->contains(number_field) ? answers->at(number_field) : std::string();
  if (!routes_.reserve(applicant.user, number, services_.clock.now())) {
    co_return Error{Errc::conflict,
                    fmt::format("{} is not free any more. Register again to choose another number.", number)};
  }
  Answers credentials;
  credentials[number_field] = number;
  co_return credentials;
}

connector::Idempotency SmsConnector::idempotency(const connector::Account& account) const {
  const auto number = account.credentials.find(number_field);
  if (number == account.credentials.end()) return connector::Idempotency::none;
  const auto carrier = routes_.carrier_of(number->second);
  return carrier ? carriers_.at(*carrier)->idempotency() : connector::Idempotency::none;
}

void SmsConnector::know_account(const connector::Account& account, connector::EventSink& events) {
  Known& known = accounts_[account.id];
  known.account = account;
  known.events = &events;
  const auto number = account.credentials.find(number_field);
  known.number = number == account.credentials.end() ? std::string() : number->second;
  const std::string region = region_of({Address::Type::international, known.number});
  known.region = region.empty() ? configuration_.region : region;
  if (!known.changed) known.changed = std::make_shared<base::Signal>(services_.executor);
  claim_number(account.id, known);
  known.changed->notify();
}

void SmsConnector::link_changed() {
  for (const auto& [id, known] : accounts_) known.changed->notify();
}

void SmsConnector::claim_number(AccountId id, Known& known) {
  known.is_withdrawn = !routes_.own(id, known.account.user, known.number);
  if (known.is_withdrawn)
    log::warn("sms.number_withdrawn", {{"account", id.value}, {"number", log::masked(known.number)}});
}

void SmsConnector::forget_account(AccountId account) {
  routes_.disown(account);
  const auto forgotten = accounts_.extract(account);
  if (forgotten) forgotten.mapped().changed->notify();  // its session ends
}

std::unique_ptr<connector::Session> SmsConnector::open(AccountId account) {
  return std::make_unique<SmsSession>(*this, account);
}

asio::awaitable<Result<connector::ContactId>> SmsConnector::parse_contact(std::string typed, AccountId account) const {
  const Known* known = find(account);
  const std::string& region = known ? known->region : configuration_.region;
  const auto address = parse_number(typed, region);
  if (!address) co_return address.error();
  co_return to_contact(*address, region);
}

const SmsConnector::Known* SmsConnector::find(AccountId account) const {
  ++steps_;
  const auto found = accounts_.find(account);
  return found == accounts_.end() ? nullptr : &found->second;
}

Carrier* SmsConnector::carrier_of(const Known& known) const {
  if (known.is_withdrawn) return nullptr;
  const auto name = routes_.carrier_of(known.number);
  if (!name) return nullptr;
  const auto found = carriers_.find(*name);
  return found == carriers_.end() ? nullptr : found->second.get();
}

asio::awaitable<std::vector<connector::Trial>> SmsConnector::try_network() {
  std::vector<connector::Trial> trials;
  for (const CarrierConfiguration& c : configuration_.carriers) {
    auto outcome = co_await carriers_.at(c.name)->try_once();
    trials.push_back({fmt::format("{} ({} {})", c.path, c.type, c.name), std::move(outcome)});
  }
  co_return trials;
}

// Numbers are taken over, but for those of a carrier that is not there yet.
std::vector<std::string> SmsConnector::reload(const nlohmann::json& json) {
  auto parsed = parse_configuration(json);
  if (!parsed) return {""};
  std::vector<std::string> left;
  if (parsed->region != configuration_.region) left.emplace_back("region");
  if (!have_same_carriers(*parsed, configuration_)) left.emplace_back("carriers");
  std::vector<NumberConfiguration> served;
  for (std::size_t i = 0; i < parsed->numbers.size(); ++i) {
    if (carriers_.contains(parsed->numbers[i].carrier)) served.push_back(parsed->numbers[i]);
    else left.push_back(fmt::format("numbers[{}].carrier", i));
  }
  configuration_.numbers = served;
  routes_.replace_numbers(std::move(served));
  for (auto& [id, known] : accounts_) claim_number(id, known);
  for (const auto& [name, carrier] : carriers_) carrier->serve(routes_.numbers_of(name));
  link_changed();
  return left;
}

asio::awaitable<bool> SmsConnector::received(IncomingText text) {
  const auto owners = routes_.owners(text.to.text);
  if (owners.empty()) log::warn("sms.number_unassigned", {{"number", log::masked(text.to.text)}});
  for (const AccountId owner : owners) {
    const Known* known = find(owner);
    if (!known) continue;  // forgotten meanwhile
    connector::Changes changes = std::exchange(text.first, {});
    if (owner == owners.back()) std::ranges::move(std::exchange(text.last, {}), std::back_inserter(changes));
    const connector::ContactId sender = to_contact(text.from, known->region);
    connector::MessageReceived message;
    message.chat = sender;
    message.sender = sender;
    message.id = {text.id};
    message.content.text = text.text;
    message.content.files = text.files;
    message.sent_at = text.sent_at;
    connector::Event event = std::move(message);
    co_await known->events->publish(std::move(event), std::move(changes));
  }
  if (!text.last.empty()) co_await services_.storage.write(std::move(text.last));
  co_return !owners.empty();
}

asio::awaitable<void> SmsConnector::progressed(TextProgress progress) {
  const auto key = parse_carrier_key(progress.key);
  const Known* known = key ? find(key->first) : nullptr;
  if (!known) {  // the account is gone, and who would hear of it with it
    co_await services_.storage.write(std::move(progress.changes));
    co_return;
  }
  connector::Event event = connector::MessageProgressed{{key->second}, progress.stage, std::move(progress.text)};
  co_await known->events->publish(std::move(event), std::move(progress.changes));
}

}  // namespace wherry::sms

extern "C" const wherry::connector::Plugin wherry_plugin;
extern "C" const wherry::connector::Plugin wherry_plugin{wherry::connector::plugin_stamp,
                                                         &wherry::sms::SmsConnector::make, wherry::sms::sections()};

#include "tests/simulation/sms_network.hpp"

#include "connectors/sms/connector.hpp"
#include "tests/simulation/account.hpp"
#include "tests/simulation/addresses.hpp"
#include "tests/simulation/centre.hpp"
#include "tests/simulation/sms_text.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace wherry::simulation {

std::string Part::name() const {
  return total == 1 ? fmt::format("{}>{}: {}", from, to, octets)
                    : fmt::format("{}>{}#{}/{}", from, to, reference, total);
}

SmsNetwork::SmsNetwork(asio::io_context& loop, Recorder& recorder) : Network(0, recorder) {
  std::vector<Centre*> centres;
  std::vector<Account*> accounts;
  for (std::size_t i = 0; i < recorder.plan.carriers.size(); ++i) {
    const int index = static_cast<int>(i);
    if (recorder.plan.carriers[i].is_http) {
      auto account = std::make_unique<Account>(loop, index, *this);
      accounts.push_back(account.get());
      carriers_.push_back(std::move(account));
    } else {
      auto centre = std::make_unique<Centre>(loop, index, *this);
      centres.push_back(centre.get());
      carriers_.push_back(std::move(centre));
    }
  }
  listen_for_carriers([centres](const std::string& host, asio::any_io_executor executor) -> std::shared_ptr<Wire> {
    for (Centre* centre : centres) {
      if (centre->name() == host) return centre->connect(std::move(executor));
    }
    return nullptr;
  });
  listen_for_requests([accounts](net::HttpRequest request) {
    for (Account* account : accounts) {
      if (account->has(request)) return account->request(std::move(request));
    }
    throw std::logic_error("a request to nobody: " + request.url);
  });
}

nlohmann::json SmsNetwork::configuration() const {
  nlohmann::json numbers = nlohmann::json::array(), carriers = nlohmann::json::array();
  for (int user = 0; user < recorder().plan.users; ++user) {
    const std::string carrier = carriers_[static_cast<std::size_t>(user) % carriers_.size()]->name();
    numbers.push_back({{"number", user_number(user)}, {"carrier", carrier}, {"users", {user_name(user) + "@x.test"}}});
  }
  for (const auto& carrier : carriers_) carriers.push_back(carrier->configuration());
  return {{"region", "US"}, {"numbers", std::move(numbers)}, {"carriers", std::move(carriers)}};
}

std::unique_ptr<connector::Connector> SmsNetwork::make_connector(connector::Services services) {
  auto made = sms::SmsConnector::make(configuration(), services);
  if (!made) throw std::runtime_error(made.error().text);
  return watch(std::move(*made), *this);
}

// ---- From contacts ----

void SmsNetwork::write(const Step& step) { carrier_of(step.user).bring(received_text(step), step.user, step.contact); }
void SmsNetwork::report_nonsense(const Step& step) { carrier_of(step.user).report_nonsense(step.user); }

void SmsNetwork::posted(const std::string& tag, int user, int contact, std::size_t parts, bool loses_part) {
  Written& entry = written_[tag];
  entry.record = {now(), What::written, name(), user_name(user), contact_name(contact), "", tag, loses_part ? 1 : 0};
  entry.left = parts;
  recorder().add(entry.record);
}

void SmsNetwork::brought(const std::string& tag, bool taken) {
  const auto found = written_.find(tag);
  if (found == written_.end()) return;
  const Record& record = found->second.record;
  if (!taken)
    recorder().add(What::note, name(), record.user, record.contact, "", "nobody has the number for \"" + tag + "\"");
  else if (--found->second.left > 0) return;
  else recorder().add(What::published, name(), record.user, record.contact, "", tag);
  written_.erase(found);
}

void SmsNetwork::note_mail_left(std::vector<Record>& left) const {
  for (const auto& [tag, entry] : written_) left.push_back(entry.record);
}

// ---- To contacts ----

std::string SmsNetwork::person_of(const connector::Account& account) const { return user_of(account.user); }

void SmsNetwork::performing(const std::string& user, const connector::Action& action) {
  const auto* message = std::get_if<connector::SendMessage>(&action);
  if (!message) return;
  const std::string tag = tag_in(message->content.text);
  keys_[tag] = message->key;
  recorder().add(What::performing, name(), user, contact_at(recorder().plan, base::to_string(message->chat).substr(2)),
                 message->key, tag);
}

std::shared_ptr<PhoneText> SmsNetwork::text_of(const Part& part) {
  auto& text = open_[part.name()];
  if (text) return text;
  text = std::make_shared<PhoneText>();
  text->user = name_of_number(part.from);
  text->contact = name_of_number(part.to);
  text->total = part.total;
  return text;
}

void SmsNetwork::accepted(const std::shared_ptr<PhoneText>& text, const Part& part) {
  if (!text->accepted.emplace(part.number, part.text).second) {
    recorder().add(What::garbled, name(), text->user, text->contact, "", "the same part twice: " + part.text);
    return;
  }
  if (text->accepted.size() < text->total) return;
  std::string body;
  for (const auto& [number, words] : text->accepted) body += words;
  text->tag = tag_in(body);
  open_.erase(part.name());
  if (wholeness_of(recorder().plan, body) != Wholeness::whole)
    recorder().add(What::garbled, name(), text->user, text->contact, "", body);
  recorder().add(What::taken, name(), text->user, text->contact, keys_[text->tag], text->tag);
  if (text->at_phone.size() == text->total)
    recorder().add(What::reported, name(), text->user, text->contact, "", text->tag);
}

void SmsNetwork::at_phone(PhoneText& text, const Part& part) {
  text.at_phone.insert(part.number);
  if (text.at_phone.size() == text.total && !text.tag.empty())
    recorder().add(What::reported, name(), text.user, text.contact, "", text.tag);
}

void SmsNetwork::receipted(PhoneText& text, const Part& part) {
  if (!text.receipted.insert(part.number).second || text.receipted.size() < text.total || !text.is_plain) return;
  recorder().add(What::receipted, name(), text.user, text.contact, "", text.tag);
}

// ---- What breaks ----

void SmsNetwork::break_session(const std::string& user) {
  for (int i = 0; i < recorder().plan.users; ++i) {
    if (user_name(i) == user) carrier_of(i).break_links();
  }
}

void SmsNetwork::break_all() {
  for (const auto& carrier : carriers_) carrier->break_links();
}

void SmsNetwork::process_died() {
  for (const auto& carrier : carriers_) carrier->process_died();
  forget_webhooks();
}

}  // namespace wherry::simulation

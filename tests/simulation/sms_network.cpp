#include "tests/simulation/sms_network.hpp"

#include "connectors/sms/connector.hpp"
#include "connectors/sms/text/segments.hpp"
#include "tests/simulation/sms_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace wherry::simulation {

namespace {

constexpr int wide_coding = 8;       // data_coding of UCS-2
constexpr std::uint8_t with_header = 0x40;  // esm_class

// Our bodies are ASCII and Cyrillic; GSM 7 has the same octets for what they have of ASCII.
std::string to_wide(std::string_view text) {
  std::string wide;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    unsigned unit = first;
    if (first >= 0xC0 && i + 1 < text.size()) unit = (first & 0x1FU) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3FU);
    wide += static_cast<char>(unit >> 8);
    wide += static_cast<char>(unit & 0xFFU);
  }
  return wide;
}

smpp::NetworkAddress written(const std::string& number) { return {1, 1, number.substr(1)}; }

// The watched session and connector are the real ones; they only tell the history what is asked of the network.
class WatchedSession final : public connector::Session {
 public:
  WatchedSession(std::unique_ptr<connector::Session> inner, SmsNetwork& network, std::string user)
      : inner_(std::move(inner)), network_(network), user_(std::move(user)) {}
  asio::awaitable<void> run() override { return inner_->run(); }
  asio::awaitable<connector::Result<connector::Receipt>> perform(connector::Action action) override {
    if (const auto* message = std::get_if<connector::SendMessage>(&action)) network_.performing(user_, *message);
    return inner_->perform(std::move(action));
  }
  connector::Capabilities capabilities(const connector::ChatId& chat) const override {
    return inner_->capabilities(chat);
  }

 private:
  std::unique_ptr<connector::Session> inner_;
  SmsNetwork& network_;
  std::string user_;
};

class WatchedConnector final : public connector::Connector {
 public:
  WatchedConnector(std::unique_ptr<connector::Connector> inner, SmsNetwork& network)
      : inner_(std::move(inner)), network_(network) {}
  connector::Network describe() const override { return inner_->describe(); }
  asio::awaitable<void> run() override { return inner_->run(); }
  asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant applicant,
                                                                connector::Dialogue& user) override {
    return inner_->log_in(std::move(applicant), user);
  }
  void know_account(const connector::Account& account, connector::EventSink& events) override {
    users_[account.id] = user_of(account.user);
    inner_->know_account(account, events);
  }
  void forget_account(connector::AccountId account) override { inner_->forget_account(account); }
  std::unique_ptr<connector::Session> open(connector::AccountId account) override {
    return std::make_unique<WatchedSession>(inner_->open(account), network_, users_[account]);
  }
  asio::awaitable<connector::Result<connector::ContactId>> parse_contact(std::string typed,
                                                                         connector::AccountId account) const override {
    return inner_->parse_contact(std::move(typed), account);
  }

 private:
  std::unique_ptr<connector::Connector> inner_;
  SmsNetwork& network_;
  std::map<connector::AccountId, std::string> users_;
};

}  // namespace

std::string Part::name() const {
  return total == 1 ? fmt::format("{}>{}: {}", from, to, octets) : fmt::format("{}>{}#{}/{}", from, to, reference, total);
}

SmsNetwork::SmsNetwork(asio::io_context& loop, Recorder& recorder) : Network(0, recorder) {
  for (std::size_t i = 0; i < recorder.plan.carriers.size(); ++i)
    centres_.push_back(std::make_unique<Centre>(loop, static_cast<int>(i), *this));
  listen_for_carriers([this](const std::string& host, asio::any_io_executor executor) -> std::shared_ptr<Wire> {
    for (const auto& centre : centres_) {
      if (centre->host() == host) return centre->connect(std::move(executor));
    }
    return nullptr;
  });
}

nlohmann::json SmsNetwork::configuration() const {
  constexpr std::array concatenations = {"udh", "udh16", "sar"};
  nlohmann::json numbers = nlohmann::json::array(), carriers = nlohmann::json::array();
  for (int user = 0; user < recorder().plan.users; ++user) {
    const std::string& carrier = centres_[static_cast<std::size_t>(user) % centres_.size()]->host();
    numbers.push_back({{"number", user_number(user)}, {"carrier", carrier}, {"users", {user_name(user) + "@x.test"}}});
  }
  for (const auto& centre : centres_) {
    const CarrierTraits& traits = centre->traits();
    carriers.push_back({{"name", centre->host()},
                        {"type", "smpp"},
                        {"host", centre->host()},
                        {"system_id", "wherry"},
                        {"password", "secret"},
                        {"bind", traits.two_binds ? "transmitter_receiver" : "transceiver"},
                        {"concatenation", concatenations.at(static_cast<std::size_t>(traits.concatenation))},
                        {"window", traits.window}});
  }
  return {{"region", "US"}, {"numbers", std::move(numbers)}, {"carriers", std::move(carriers)}};
}

std::unique_ptr<connector::Connector> SmsNetwork::make_connector(connector::Services services) {
  auto made = sms::SmsConnector::make(configuration(), services);
  if (!made) throw std::runtime_error(made.error().text);
  return std::make_unique<WatchedConnector>(std::move(*made), *this);
}

Centre& SmsNetwork::centre_of(const std::string& user) {
  for (std::size_t i = 0;; ++i) {
    if (user_name(static_cast<int>(i)) == user) return *centres_[i % centres_.size()];
  }
}

// ---- From contacts ----

// As a contact's phone and network cut it; the last piece has the tag. Of some texts one other piece gets lost.
void SmsNetwork::write(const Step& step) {
  const std::string user = user_name(step.user), contact = contact_name(step.contact), tag = received_text(step);
  std::vector<std::string> pieces = pieces_of(recorder().plan, tag);
  const std::uint64_t about = hash_of(tag);
  const auto total = static_cast<unsigned>(pieces.size());
  const bool is_calm = recorder().plan.repeats_references;
  const bool loses = total > 1 && !is_calm && draw().happens(150, "loses_part", about);
  const auto lost = loses ? static_cast<unsigned>(draw().between(1, total - 1, "lost_part", about)) : 0U;
  const bool is_wide = std::any_of(pieces.begin(), pieces.end(), [](const std::string& p) { return p.find("ж") != p.npos; });
  const bool by_header = draw().happens(700, "by_header", hash_of(contact));
  unsigned& reference = references_[contact];
  if (reference == 0) reference = static_cast<unsigned>(draw().between(1, 200, "reference", hash_of(contact)));
  else if (!is_calm) ++reference;

  std::vector<Parcel> parcels;
  for (unsigned part = 1; part <= total; ++part) {
    if (part == lost) continue;
    Parcel parcel;
    smpp::ShortMessage& message = parcel.message;
    message.source = written(contact_number(step.contact));
    message.destination = written(user_number(step.user));
    message.data_coding = is_wide ? wide_coding : 0;
    const std::string octets = is_wide ? to_wide(pieces[part - 1]) : pieces[part - 1];
    if (total > 1 && by_header) {
      message.esm_class = with_header;
      message.text = sms::make_header({sms::Position::Kind::udh, reference & 0xFFU, total, part}) + octets;
    } else {
      message.text = octets;
    }
    if (total > 1 && !by_header)
      message.tlvs = {smpp::number_tlv(smpp::tag::sar_msg_ref_num, reference, 2),
                      smpp::number_tlv(smpp::tag::sar_total_segments, total, 1),
                      smpp::number_tlv(smpp::tag::sar_segment_seqnum, part, 1)};
    parcel.due = now() + (draw().happens(300, "late_part", about, part) ? delay("part", about, part) : 0);
    if (is_calm) parcel.due = now(), parcel.lane = user + contact;
    parcels.push_back(std::move(parcel));
  }
  if (draw().happens(300, "order_of_parts", about)) std::reverse(parcels.begin(), parcels.end());
  // Once more at once, where the text is not complete with it.
  const bool doubles = parcels.size() > 1 && !is_calm && draw().happens(200, "doubles_part", about);
  if (doubles) {
    for (Parcel& parcel : parcels) parcel.due = now();
    parcels.insert(parcels.begin() + 1, parcels.front());
  }
  Written& entry = written_[tag];
  entry.record = {now(), What::written, name(), user, contact, "", tag, loses ? 1 : 0};
  entry.left = parcels.size();
  recorder().add(entry.record);
  for (Parcel& parcel : parcels) {
    parcel.ended = [this, tag](bool taken) {
      const auto found = written_.find(tag);
      if (found == written_.end()) return;
      const Record record = found->second.record;
      if (!taken) {
        recorder().add(What::note, name(), record.user, record.contact, "", "\"" + tag + "\" is refused: nobody has the number");
        written_.erase(found);
      } else if (--found->second.left == 0) {
        recorder().add(What::published, name(), record.user, record.contact, "", tag);
        written_.erase(found);
      }
    };
    centre_of(user).put(std::move(parcel));
  }
}

// Of a text that nobody sent, from a number that nobody writes to.
void SmsNetwork::report_nonsense(const Step& step) {
  Parcel parcel;
  parcel.is_receipt = true;
  parcel.message.source = written("+14155559999");
  parcel.message.destination = written(user_number(step.user));
  parcel.message.esm_class = 4;
  parcel.message.text = fmt::format("id:{} sub:001 dlvrd:001 stat:DELIVRD err:000 text:", draw().between(1, 300, "nobodys", next_number()));
  parcel.due = now();
  centre_of(user_name(step.user)).put(std::move(parcel));
}

void SmsNetwork::note_mail_left(std::vector<Record>& left) const {
  for (const auto& [tag, entry] : written_) left.push_back(entry.record);
}

// ---- To contacts ----

void SmsNetwork::performing(const std::string& user, const connector::SendMessage& message) {
  const std::string tag = tag_in(message.content.text);
  keys_[tag] = message.key;
  recorder().add(What::performing, name(), user, contact_at(recorder().plan, base::to_string(message.chat).substr(2)),
                 message.key, tag);
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

void SmsNetwork::break_session(const std::string& user) { centre_of(user).break_links(); }

void SmsNetwork::break_all() {
  for (const auto& centre : centres_) centre->break_links();
}

void SmsNetwork::process_died() {
  for (const auto& centre : centres_) centre->process_died();
}

}  // namespace wherry::simulation

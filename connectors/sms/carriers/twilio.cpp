#include "connectors/sms/carriers/twilio.hpp"

#include "connectors/sms/carriers/twilio_errors.hpp"
#include "connectors/sms/http/api/form_signature.hpp"
#include "connectors/sms/http/api/keys.hpp"
#include "connectors/sms/http/api/values.hpp"
#include "connectors/sms/http/http_carrier.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/secret.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::sms {

namespace {

using namespace http;
using connector::Key;
using connector::required;
using connector::Section;
using connector::Stage;
using connector::Type;
using nlohmann::json;
using std::chrono::seconds;

constexpr std::size_t twilio_most_units = 1600;  // error 21617
constexpr int twilio_page = 100;
constexpr std::int64_t most_media = 100;
constexpr int most_recipients = 100;  // of a text to a group
constexpr std::size_t most_sid = 64;
constexpr std::string_view trial_prefix = "Sent from your Twilio trial account - ";

// Message status values. partially_delivered is on its way to one of the others.
Status read_status(std::string_view word, int error) {
  Status status;
  status.word = error == 0 ? std::string(word) : fmt::format("{} {}", word, error);
  for (const std::string_view known : {"accepted", "scheduled", "queued", "sending", "sent", "partially_delivered"}) {
    if (word == known) status.stage = Stage::accepted;
  }
  if (word == "delivered") status.stage = Stage::delivered;
  if (word == "read") status.stage = Stage::read;
  if (word == "undelivered" || word == "failed" || word == "canceled") {
    status.stage = Stage::failed;
    status.why = error == 0 && word == "canceled" ? "The message was cancelled at the SMS service."
                                                  : explain(error, twilio_errors);
  }
  return status;
}

struct Credentials {
  std::string account_sid;
  std::string user;                   // of requests: the account, or an API key
  base::Secret password;              // the account's token, or the API key's secret
  base::Secret signing_key;           // of webhooks: the account's token, unless the service has another key
  base::Secret shared_key;            // of webhooks whose header names a shared key; or empty
  std::string signature_header;       // in lower case
  std::string messaging_service_sid;  // or empty
  seconds validity{0};                // after which a text that still waits is given up; 0: the service's own
};

constexpr Key twilio_keys[] = {
    {"base_url", Type::text(), twilio_url, "of the API"},
    {"account_sid", Type::text(), required, "of the account"},
    {"auth_token", Type::secret(), required, "of the account; checks webhooks, too"},
    {"signature_header", Type::text(), "X-Twilio-Signature", "another one of services with the same API"},
    {"signing_key", Type::secret(), "", "of webhooks, of such a service; otherwise the token"},
};

constexpr Key shared_keys[] = {
    {"api_key", Type::text(), "", "sign in with this one; the token still checks webhooks"},
    {"api_key_secret", Type::secret(), "", "and its secret"},
    {"shared_key", Type::secret(), "", "signs webhooks for which Twilio has a rule with a SharedKey"},
    {"messaging_service_sid", Type::text(), "", "sends through this messaging service"},
    {"validity_seconds", Type::whole(0, 36000), "0",
     "after which a text that still waits is given up; 0: the service's own"},
};

constexpr Section twilio_all_sections[] = {
    {"carriers", "twilio", true, "Twilio, or a service with the same API", twilio_keys},
    {"carriers", "signalwire twilio", true, "What both have", shared_keys},
};

bool is_account_sid(std::string_view sid) {
  const bool is_long_enough = sid.size() == 34 && sid.starts_with("AC");
  return is_long_enough && sid.find_first_not_of("0123456789abcdefABCDEF", 2) == sid.npos;
}

Credentials read_credentials(connector::Fields& in, const TwilioLike& service) {
  Credentials c;
  c.account_sid = in.text(service.account_key);
  // It becomes part of a path. Twilio's have 34 characters; those of compatible services are UUIDs.
  if (c.account_sid.size() > most_sid || !consists_of(c.account_sid, "-_"))
    in.wrong(service.account_key, "must be letters, digits and '-'");
  const base::Secret token = in.secret(service.token_key);
  c.user = in.text("api_key");
  if (c.user.empty()) {
    c.user = c.account_sid;
    c.password = token;
    if (in.has_secret("api_key_secret")) in.wrong("api_key", "is missing; api_key_secret belongs to one");
  } else {
    c.password = in.secret("api_key_secret");
  }
  c.signing_key = service.has_signing_key || in.has_secret("signing_key") ? in.secret("signing_key") : token;
  if (in.has_secret("shared_key")) c.shared_key = in.secret("shared_key");
  c.signature_header = base::to_lower_ascii(in.text("signature_header"));
  if (c.signature_header.empty() || !consists_of(c.signature_header, "-"))
    in.wrong("signature_header", "must be the name of an HTTP header");
  c.messaging_service_sid = in.text("messaging_service_sid");
  c.validity = seconds(in.number("validity_seconds"));
  return c;
}

bool is_form(const net::ServerRequest& request) {
  return base::to_lower_ascii(request.header("content-type")).starts_with("application/x-www-form-urlencoded");
}

class Twilio final : public Provider {
 public:
  Twilio(Setting s, Credentials c)
      : Provider(std::move(s)),
        account_(std::move(c)),
        messages_(fmt::format("{}/2010-04-01/Accounts/{}/Messages", setting.base_url, account_.account_sid)) {}

  connector::Idempotency idempotency() const override { return connector::Idempotency::queryable; }
  std::size_t most_units() const override { return twilio_most_units; }

  net::HttpRequest get(std::string url) const override {
    net::HttpRequest r = request(std::move(url));
    r.user = account_.user;
    r.password = account_.password.reveal();
    return r;
  }
  net::HttpRequest send_request(const OutgoingText& text, std::string_view ref, base::Time now) const override;
  Verdict judge(const net::HttpResponse& answer, base::Time now) const override;

  std::string list_url(const Filter& filter) const override;
  std::optional<Page> read_page(std::string_view body, const std::string& url) const override;
  std::string message_url(std::string_view id) const override { return fmt::format("{}/{}.json", messages_, id); }
  std::optional<Message> read_message(std::string_view body) const override;
  std::vector<std::string> read_links(std::string_view body) const override;

  std::string file_name(std::string_view link) const override;
  net::HttpRequest file_request(std::string_view name) const override;

  bool is_genuine(const net::ServerRequest& request, base::Time now) const override;
  std::vector<Webhook> read_webhook(const net::ServerRequest& request) const override;
  net::ServerResponse acknowledgement() const override {  // TwiML that does nothing
    return {200, "text/xml; charset=utf-8", "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>\n"};
  }

 private:
  std::optional<Message> message_of(const json& source) const;
  // A row that is no message: when it was made is all that counts.
  static Message hole_of(const json& source) {
    Message m;
    if (!source.is_object()) return m;
    m.created = parse_date(text_in(source, "date_created"));
    m.sent = parse_date(text_in(source, "date_sent"));
    return m;
  }
  // A URI of an answer, which has no host; empty where it has.
  std::string absolute(std::string_view uri) const {
    return uri.starts_with('/') && !uri.starts_with("//") ? setting.origin() + std::string(uri) : std::string();
  }

  Credentials account_;
  std::string messages_;  // their URL
};

net::HttpRequest Twilio::send_request(const OutgoingText& text, std::string_view ref, base::Time) const {
  net::HttpRequest r = get(messages_ + ".json");
  r.method = "POST";
  r.headers.emplace_back("Content-Type: application/x-www-form-urlencoded");
  net::FormFields fields = {{"To", text.to.text}, {"From", text.from.text}, {"Body", text.text}};
  if (setting.takes_webhooks) fields.emplace_back("StatusCallback", setting.report_url(ref));
  if (!account_.messaging_service_sid.empty())
    fields.emplace_back("MessagingServiceSid", account_.messaging_service_sid);
  if (account_.validity.count() > 0) fields.emplace_back("ValidityPeriod", std::to_string(account_.validity.count()));
  r.body = net::to_form(fields);
  return r;
}

Verdict Twilio::judge(const net::HttpResponse& answer, base::Time now) const {
  if (answer.status < 200 || answer.status >= 300) {
    const auto error = parse_object(answer.body);  // {"code": 21211, "message": "…", "more_info": "…", "status": 400}
    return judge_failure(answer, error ? number_in(*error, "code") : 0, twilio_errors, now);
  }
  Verdict v;
  const auto message = read_message(answer.body);
  if (!message) return v;
  v.kind = Verdict::Kind::taken;
  v.id = message->id;
  if (message->status.stage == Stage::failed) {
    v.kind = Verdict::Kind::refused;
    v.text = message->status.why;
  }
  return v;
}

// The day, as filters have it: finer ones are not documented.
std::string midnight(base::Time time) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  return fmt::format("{:04}-{:02}-{:02}T00:00:00Z", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                     static_cast<unsigned>(day.day()));
}

std::string Twilio::list_url(const Filter& filter) const {
  net::FormFields query;
  if (!filter.to.empty()) query.emplace_back("To", filter.to);
  // A messaging service may not have put the sender in yet.
  if (!filter.from.empty() && account_.messaging_service_sid.empty()) query.emplace_back("From", filter.from);
  if (filter.since) query.emplace_back("DateSent>", midnight(*filter.since));
  if (filter.until) query.emplace_back("DateSent<", midnight(*filter.until + std::chrono::hours(24)));
  query.emplace_back("PageSize", std::to_string(twilio_page));
  return messages_ + ".json?" + net::to_form(query);
}

std::optional<Message> Twilio::message_of(const json& source) const {
  if (!source.is_object()) return std::nullopt;
  Message m;
  m.id = text_in(source, "sid");
  if (!is_id(m.id)) return std::nullopt;
  const std::string status = text_in(source, "status");
  m.is_inbound = text_in(source, "direction") == "inbound";
  m.is_complete = status != "receiving";
  m.from = text_in(source, "from");
  m.to = text_in(source, "to");
  m.text = text_in(source, "body");
  if (!m.is_inbound && m.text.starts_with(trial_prefix)) m.text.erase(0, trial_prefix.size());
  m.status = read_status(status, number_in(source, "error_code"));
  m.lost_files = number_in(source, "num_media");  // until their links are read
  if (m.lost_files > 0) m.links_url = fmt::format("{}/{}/Media.json", messages_, m.id);
  m.created = parse_date(text_in(source, "date_created"));
  m.sent = parse_date(text_in(source, "date_sent"));
  return m;
}

std::optional<Message> Twilio::read_message(std::string_view body) const {
  const auto object = parse_object(body);
  return object ? message_of(*object) : std::nullopt;
}

std::optional<Page> Twilio::read_page(std::string_view body, const std::string&) const {
  const auto object = parse_object(body);
  if (!object) return std::nullopt;
  const auto messages = object->find("messages");
  if (messages == object->end() || !messages->is_array()) return std::nullopt;
  Page page;
  for (const json& item : *messages) {
    if (auto message = message_of(item)) page.messages.push_back(std::move(*message));
    else page.messages.push_back(hole_of(item));
  }
  page.next = absolute(text_in(*object, "next_page_uri"));
  return page;
}

std::vector<std::string> Twilio::read_links(std::string_view body) const {
  std::vector<std::string> links;
  const auto object = parse_object(body);
  const auto list = object ? object->value("media_list", json::array()) : json::array();
  for (const json& item : list) {
    std::string uri = item.is_object() ? text_in(item, "uri") : std::string();
    if (uri.ends_with(".json")) uri.resize(uri.size() - 5);  // the file itself, as a webhook names it
    if (std::string link = absolute(uri); !link.empty()) links.push_back(std::move(link));
  }
  return links;
}

// Twilio, "Media subresource": "Twilio enforces HTTP Basic Authentication for all media URLs".
// "…/Accounts/AC1/Messages/MM1/Media/ME1" → "MM1/ME1". The host may be one of the service's others.
std::string Twilio::file_name(std::string_view link) const {
  const std::string marker = fmt::format("/Accounts/{}/Messages/", account_.account_sid), between = "/Media/";
  const auto begin = link.find(marker);
  const std::string_view rest = begin == link.npos ? std::string_view() : link.substr(begin + marker.size());
  const auto middle = rest.find(between);
  if (middle == rest.npos) return {};
  const std::string_view message = rest.substr(0, middle), file = rest.substr(middle + between.size());
  return is_id(message) && is_id(file) ? fmt::format("{}/{}", message, file) : std::string();
}

net::HttpRequest Twilio::file_request(std::string_view name) const {
  const auto slash = std::min(name.find('/'), name.size());
  net::HttpRequest r = get(
      fmt::format("{}/{}/Media/{}", messages_, name.substr(0, slash), name.substr(std::min(slash + 1, name.size()))));
  r.headers.clear();  // not as JSON, which would describe the file
  return r;
}

// Twilio, "Webhooks Security": a form is signed with the URL; of another body the URL has the hash, or (SignalWire,
// "Webhook Security") both are signed. Twilio, "Sign webhooks with shared keys": a header names the key and the
// algorithm.
bool Twilio::is_genuine(const net::ServerRequest& request, base::Time) const {
  const std::string url = setting.public_url + request.target;
  const std::string_view signature = request.header(account_.signature_header);
  const std::string_view settings = request.header("x-twilio-webhooks-signature-settings");
  if (!settings.empty() && account_.shared_key.reveal().empty()) return false;
  const std::string_view key = settings.empty() ? account_.signing_key.reveal() : account_.shared_key.reveal();
  const Hash hash = settings.find("algorithm=HMAC_SHA256") == settings.npos ? Hash::sha1 : Hash::sha256;
  if (!is_form(request))
    return is_signed_body(key, url, request.body, signature, hash) || is_signed_raw(key, url, request.body, signature);
  const auto fields = net::parse_form(without_byte_order_mark(request.body));
  return fields && is_signed(key, url, *fields, signature, hash);
}

std::vector<Webhook> Twilio::read_webhook(const net::ServerRequest& request) const {
  const auto parsed =
      is_form(request) ? net::parse_form(request.body) : base::Result<net::FormFields>(net::FormFields());
  if (!parsed) return {};
  const auto value = [&](std::string_view name) { return value_of(*parsed, name); };
  std::string id(value("MessageSid"));
  if (id.empty()) id = value("SmsMessageSid");
  if (id.empty()) id = value("SmsSid");
  if (!is_id(id)) return {};
  std::string_view status = value("MessageStatus");
  const std::string_view sms_status = value("SmsStatus");
  if (status.empty() && sms_status != "received" && sms_status != "receiving") status = sms_status;
  if (!status.empty())
    return {Report{ref_in(request.target), id, read_status(status, static_cast<int>(to_number(value("ErrorCode"))))}};

  Message m;
  m.id = id;
  m.is_inbound = true;
  m.from = value("From");
  m.to = value("To");
  m.text = value("Body");
  if (m.to.empty()) return {};
  const auto media = to_number(value("NumMedia"));  // their number, where it is there
  for (std::int64_t i = 0; i < most_media; ++i) {
    const auto url = value(fmt::format("MediaUrl{}", i));
    if (!url.empty()) m.links.emplace_back(url);
    else if (i >= media) break;
    else ++m.lost_files;
  }
  // Twilio documents none of these; they come with texts to a group, and name who else has it.
  for (int i = 0; i < most_recipients; ++i) {
    const auto other = value(fmt::format("OtherRecipients{}", i));
    if (other.empty()) break;
    m.others.emplace_back(other);
  }
  return {std::move(m)};
}

}  // namespace

std::span<const Section> twilio_sections() { return twilio_all_sections; }
std::span<const Key> twilio_like_keys() { return shared_keys; }

connector::Result<std::unique_ptr<Provider>> make_twilio_like(connector::Fields& in, const TwilioLike& service,
                                                              const CarrierSetting& source, std::string public_url) {
  Credentials credentials = read_credentials(in, service);
  Setting setting = read_setting(in, source, service.type, service.base_url, std::move(public_url));
  if (auto done = finish(in, setting, service.type); !done) return done.error();
  return std::unique_ptr<Provider>(std::make_unique<Twilio>(std::move(setting), std::move(credentials)));
}

connector::Result<std::unique_ptr<Provider>> make_twilio_provider(const CarrierSetting& source,
                                                                  std::string public_url) {
  static const std::vector<Key> keys = with_common_keys({twilio_keys, shared_keys});
  connector::Fields in(source.settings, source.path, keys);
  return make_twilio_like(in, TwilioLike(), source, std::move(public_url));
}

connector::Result<std::unique_ptr<Carrier>> make_twilio(CarrierSetting source, connector::Services services,
                                                        CarrierEvents& events) {
  auto provider = make_twilio_provider(source, services.webhooks.public_url);
  if (!provider) return provider.error();
  const std::string sid = source.settings.value("account_sid", std::string());
  if (!source.settings.contains("base_url") && !is_account_sid(sid))
    log::warn("twilio.account_sid_unusual",
              {{"key", source.path + ".account_sid"},
               {"hint", "Twilio's are AC and 32 hexadecimal digits; the sid of an API key (SK…) belongs to api_key"}});
  return make_http_carrier(std::move(*provider), services, events);
}

}  // namespace wherry::sms

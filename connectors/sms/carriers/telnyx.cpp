#include "connectors/sms/carriers/telnyx.hpp"

#include "connectors/sms/carriers/telnyx_errors.hpp"
#include "connectors/sms/http/api/keys.hpp"
#include "connectors/sms/http/api/values.hpp"
#include "connectors/sms/http/http_carrier.hpp"
#include "connectors/sms/text/encoding.hpp"
#include "gateway/base/secret.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <sodium.h>

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

constexpr std::string_view telnyx_type = "telnyx";
constexpr std::size_t telnyx_most_units = 1530, telnyx_most_wide_units = 670;  // ten parts of GSM 7, and of UCS-2
constexpr std::chrono::seconds tolerance{300};                                 // of a webhook's age
constexpr std::size_t telnyx_page = 50;                                        // the most that a page may have
constexpr const char* page_number = "page[number]";

// The member of an object, or null.
const json& member(const json& object, const char* key) {
  static const json none;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : none;
}
const json& first(const json& list) {
  static const json none = json::object();
  return list.is_array() && !list.empty() && list.front().is_object() ? list.front() : none;
}
// {"errors":[{"code":"40300","title":"…","detail":"…"}]}
int error_in(const json& object) { return number_in(first(member(object, "errors")), "code"); }

// What ended without an error of its own.
constexpr std::pair<std::string_view, const char*> endings[] = {
    {"expired", "The phone could not be reached in time."},
    {"cancelled", "The message was cancelled at the SMS service."},
    {"canceled", "The message was cancelled at the SMS service."},
};

// The words that Telnyx's own libraries list for a recipient's status.
Status read_status(std::string word, int error) {
  Status status;
  status.word = std::move(word);
  for (const std::string_view known : {"scheduled", "queued", "sending", "sent", "delivery_unconfirmed"}) {
    if (status.word == known) status.stage = Stage::accepted;
  }
  if (status.word == "delivered") status.stage = Stage::delivered;
  if (status.word == "sending_failed" || status.word == "delivery_failed") {
    status.stage = Stage::failed;
    status.why = explain(error, telnyx_errors);
  }
  for (const auto& [ending, why] : endings) {
    if (status.word != ending) continue;
    status.stage = Stage::failed;
    status.why = error == 0 ? why : explain(error, telnyx_errors);
  }
  return status;
}

struct Keys {
  base::Secret api_key;
  std::string public_key;            // 32 octets: who signs webhooks
  std::string messaging_profile_id;  // or empty
};

class Telnyx final : public Provider {
 public:
  Telnyx(Setting s, Keys k) : Provider(std::move(s)), keys_(std::move(k)) {}

  connector::Idempotency idempotency() const override { return connector::Idempotency::none; }
  bool lists_texts() const override { return true; }
  std::size_t most_units() const override { return telnyx_most_units; }
  // Telnyx counts exactly. Where its "smart encoding" is on, typographic quotes and the like become plain ones.
  std::string why_too_long(std::string_view text) const override {
    if (to_gsm7(simplify(to_code_points(text))) || utf16_length(text) <= telnyx_most_wide_units) return {};
    return fmt::format(
        "The message is too long: at most {} characters fit, as it has letters that take more room. Send it in parts.",
        telnyx_most_wide_units);
  }

  net::HttpRequest get(std::string url) const override {
    net::HttpRequest r = request(std::move(url));
    r.headers.push_back("Authorization: Bearer " + std::string(keys_.api_key.reveal()));
    return r;
  }
  net::HttpRequest send_request(const OutgoingText& text, std::string_view ref, base::Time) const override {
    json body = {{"from", text.from.text}, {"to", text.to.text}, {"text", text.text}};
    if (setting.takes_webhooks) body["webhook_url"] = setting.report_url(ref);
    if (!keys_.messaging_profile_id.empty()) body["messaging_profile_id"] = keys_.messaging_profile_id;
    net::HttpRequest r = get(setting.base_url + "/v2/messages");
    r.method = "POST";
    r.headers.emplace_back("Content-Type: application/json");
    r.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
    return r;
  }
  Verdict judge(const net::HttpResponse& answer, base::Time now) const override {
    const json body = parse_object(answer.body).value_or(json::object());
    if (answer.status < 200 || answer.status >= 300) return judge_failure(answer, error_in(body), telnyx_errors, now);
    Verdict v;
    const auto message = read(member(body, "data"));
    if (!message) return v;
    v.kind = message->status.stage == Stage::failed ? Verdict::Kind::refused : Verdict::Kind::taken;
    v.text = message->status.why;
    v.id = message->id;
    return v;
  }

  std::string message_url(std::string_view id) const override {
    return fmt::format("{}/v2/messages/{}", setting.base_url, id);
  }
  std::optional<Message> read_message(std::string_view body) const override {
    const auto object = parse_object(body);
    return object ? read(member(*object, "data")) : std::nullopt;
  }

  // Telnyx, "Search detail records": what came in, without the texts. The day, since finer filters are not documented.
  std::string list_url(const Filter& filter) const override {
    net::FormFields query = {{"filter[record_type]", "messaging"},
                             {"filter[direction]", "inbound"},
                             {"sort", "-created_at"},
                             {page_number, "1"},
                             {"page[size]", std::to_string(telnyx_page)}};
    if (!filter.to.empty()) query.emplace_back("filter[cld]", filter.to);
    if (filter.since) {
      const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(*filter.since));
      query.emplace_back("filter[created_at][gte]",
                         fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day())));
    }
    return setting.base_url + "/v2/detail_records?" + net::to_form(query);
  }
  std::optional<Page> read_page(std::string_view body, const std::string& url) const override {
    const auto object = parse_object(body);
    if (!object || !member(*object, "data").is_array()) return std::nullopt;
    const json& records = member(*object, "data");
    Page page;
    for (const json& record : records) page.messages.push_back(read_record(record));
    const json& meta = member(*object, "meta");
    const bool has_more = meta.is_object() ? number_in(meta, "page_number") < number_in(meta, "total_pages")
                                           : records.size() >= telnyx_page;
    if (has_more && !records.empty()) page.next = next_page(url);
    return page;
  }

  // Ed25519 over the time, a bar and the raw body.
  bool is_genuine(const net::ServerRequest& request, base::Time now) const override {
    const std::string time(request.header("telnyx-timestamp"));
    const auto signature = base::from_base64(request.header("telnyx-signature-ed25519"));
    if (!signature || signature->size() != crypto_sign_BYTES) return false;
    const auto signed_at = time_of(std::chrono::seconds(to_number(time)));  // it is not known yet who wrote it
    if (!signed_at || std::chrono::abs(now - *signed_at) > tolerance) return false;
    const std::string signed_text = time + "|" + request.body;
    const auto octets = [](const std::string& s) { return reinterpret_cast<const unsigned char*>(s.data()); };
    return crypto_sign_verify_detached(octets(*signature), octets(signed_text), signed_text.size(),
                                       octets(keys_.public_key)) == 0;
  }
  std::vector<Webhook> read_webhook(const net::ServerRequest& request) const override {
    const json body = parse_object(request.body).value_or(json::object());
    const json& data = member(body, "data");
    const std::string event = data.is_object() ? text_in(data, "event_type") : std::string();
    auto message = read(member(data, "payload"), event == "message.received");
    if (!message) return {};
    message->status.is_last = event == "message.finalized";
    if (!message->is_inbound)
      return {Report{ref_in(request.target), std::move(message->id), std::move(message->status)}};
    if (message->to.empty()) return {};
    return {std::move(*message)};
  }

 private:
  static Message read_record(const json& record) {
    Message m;
    if (!record.is_object()) return m;
    m.id = text_in(record, "uuid");
    if (m.id.empty()) m.id = text_in(record, "id");
    if (!is_id(m.id)) m.id.clear();
    m.is_inbound = text_in(record, "direction") == "inbound";
    m.is_brief = true;
    m.from = text_in(record, "cli");
    m.to = text_in(record, "cld");
    m.created = parse_date(text_in(record, "created_at"));
    return m;
  }
  static std::string next_page(const std::string& url) {
    const auto mark = url.find('?');
    auto fields = net::parse_form(url.substr(std::min(url.size(), mark + 1)));
    if (mark == url.npos || !fields) return {};
    for (auto& [name, value] : *fields) {
      if (name == page_number) value = std::to_string(to_number(value) + 1);
    }
    return url.substr(0, mark + 1) + net::to_form(*fields);
  }

  // A message as answers and webhooks have it. What is missing costs no more than itself.
  std::optional<Message> read(const json& source, bool is_inbound = false) const {
    Message m;
    m.id = source.is_object() ? text_in(source, "id") : std::string();
    if (!is_id(m.id)) return std::nullopt;
    m.is_inbound = is_inbound || text_in(source, "direction") == "inbound";
    m.text = text_in(source, "text");
    if (const json& from = member(source, "from"); from.is_object()) m.from = text_in(from, "phone_number");
    const json& to = member(source, "to");
    m.to = text_in(first(to), "phone_number");
    if (m.is_inbound) read_group(m, to, member(source, "cc"));
    for (const json& file : member(source, "media")) {
      if (std::string url = file.is_object() ? text_in(file, "url") : std::string(); !url.empty())
        m.links.push_back(std::move(url));
      else ++m.lost_files;
    }
    m.status = read_status(text_in(first(to), "status"), error_in(source));
    m.created = parse_date(text_in(source, "received_at"));
    return m;
  }

  // Of all the recipients, ours and the others.
  void read_group(Message& message, const json& to, const json& cc) const {
    std::vector<std::string> numbers;
    for (const json* list : {&to, &cc}) {
      for (const json& one : *list) {
        if (std::string number = one.is_object() ? text_in(one, "phone_number") : std::string(); !number.empty())
          numbers.push_back(std::move(number));
      }
    }
    const auto ours = std::find_if(numbers.begin(), numbers.end(), [this](const std::string& number) {
      return std::binary_search(setting.numbers.begin(), setting.numbers.end(), number);
    });
    if (ours != numbers.end()) message.to = *ours;
    std::copy_if(numbers.begin(), numbers.end(), std::back_inserter(message.others),
                 [&](const std::string& n) { return n != message.to; });
  }

  Keys keys_;
};

constexpr std::string_view telnyx_url = "https://api.telnyx.com";

constexpr Key telnyx_keys[] = {
    {"base_url", Type::text(), telnyx_url, "of the API"},
    {"api_key", Type::secret(), required, "from the portal"},
    {"public_key", Type::text(), required, "the account's, from the portal, in base64; checks webhooks"},
    {"messaging_profile_id", Type::text(), "", "sends through this messaging profile"},
};

constexpr Section telnyx_all_sections[] = {{"carriers", telnyx_type, true, "Telnyx", telnyx_keys}};

}  // namespace

std::span<const Section> telnyx_sections() { return telnyx_all_sections; }

connector::Result<std::unique_ptr<Provider>> make_telnyx_provider(const CarrierSetting& source,
                                                                  std::string public_url) {
  static const std::vector<Key> keys = with_common_keys({telnyx_keys});
  connector::Fields in(source.settings, source.path, keys);
  Keys own;
  own.api_key = in.secret("api_key");
  own.public_key = base::from_base64(in.text("public_key")).value_or("");
  if (own.public_key.size() != crypto_sign_PUBLICKEYBYTES)
    in.wrong("public_key", "must be the account's public key, 32 octets in base64");
  own.messaging_profile_id = in.text("messaging_profile_id");
  Setting setting = read_setting(in, source, telnyx_type, std::string(telnyx_url), std::move(public_url));
  if (auto done = finish(in, setting, telnyx_type); !done) return done.error();
  return std::unique_ptr<Provider>(std::make_unique<Telnyx>(std::move(setting), std::move(own)));
}

connector::Result<std::unique_ptr<Carrier>> make_telnyx(CarrierSetting source, connector::Services services,
                                                        CarrierEvents& events) {
  auto provider = make_telnyx_provider(source, services.webhooks.public_url);
  if (!provider) return provider.error();
  return make_http_carrier(std::move(*provider), services, events);
}

}  // namespace wherry::sms

#include "connectors/sms/carriers/kannel.hpp"

#include "connectors/sms/carriers/relayed.hpp"
#include "connectors/sms/http/api/keys.hpp"
#include "connectors/sms/http/api/values.hpp"
#include "connectors/sms/http/http_carrier.hpp"
#include "connectors/sms/text/encoding.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

namespace wherry::sms {

namespace {

using namespace http;
using connector::Key;
using connector::required;
using connector::Section;
using connector::Stage;
using connector::Type;

constexpr std::string_view kannel_type = "kannel";

// Kannel User's Guide, "Delivery reports": bits of the mask that we ask for, and of the %d of a report. 1.4.5 has more
// bits beside them there: what expired comes as 34.
constexpr std::int64_t delivered = 1, not_delivered = 2, queued = 4, accepted = 8, refused = 16;
constexpr std::int64_t wanted_reports = delivered | not_delivered | refused;

struct KannelSetting {
  std::string user;
  base::Secret password;
  std::string smsc;  // which of Kannel's centres; empty: as its routes say
  int most_segments = 10;
};

// "NACK/0x0000000b/Invalid Destination Address": the SMS centre's status.
Status read_refusal(std::string_view reply) {
  const auto parts = base::split(reply, '/');
  if (parts.size() > 1 && parts[0] == "NACK" && parts[1].starts_with("0x")) {
    if (const auto status = from_hex_number(parts[1].substr(2)))
      return refused_with(static_cast<smpp::Status>(*status));
  }
  Status s;
  s.stage = Stage::failed;
  s.why = "The network refused the message.";
  return s;
}

// %d and %A of a report.
Status read_status(std::int64_t kind, std::string_view reply) {
  Status s;
  if ((kind & (queued | accepted)) != 0) s.stage = Stage::accepted;
  if ((kind & refused) != 0) s = read_refusal(reply);
  if ((kind & not_delivered) != 0) {
    s = status_of_receipt(reply);
    if (s.stage != Stage::failed) s.why = explain(0, {});
    s.stage = Stage::failed;
  }
  if ((kind & delivered) != 0) s.stage = Stage::delivered;
  s.word = std::to_string(kind);
  s.is_last = s.stage != Stage::accepted;
  return s;
}

// %b and %C of an incoming text.
std::string read_text(const std::string& octets, const std::string& charset) {
  if (charset.empty() || base::to_lower_ascii(charset) == "utf-8") return decode(octets, Alphabet::utf8);
  if (charset == "UTF-16BE") return to_utf8(from_ucs2(octets));
  return decode_charset(octets, charset);
}

class Kannel final : public Provider {
 public:
  Kannel(Setting s, KannelSetting k, RelayedNumbers numbers)
      : Provider(std::move(s)), kannel_(std::move(k)), numbers_(std::move(numbers)) {}

  connector::Idempotency idempotency() const override { return connector::Idempotency::none; }
  // Kannel cuts off what its max-messages does not hold, and says nothing.
  std::size_t most_units() const override { return most_units_of(kannel_.most_segments); }
  // It cuts no character in two: of those that take two units, one may stay free.
  std::string why_too_long(std::string_view text) const override {
    const std::u32string letters = to_code_points(text);
    const auto gsm = to_gsm7(letters);
    const std::size_t units = gsm ? gsm->size() : utf16_length(text), spare = units == letters.size() ? 0 : 1;
    const std::size_t segments = gsm ? segments_of(units, 160, 153 - spare) : segments_of(units, 70, 67 - spare);
    return why_too_many(segments, kannel_.most_segments);
  }
  void serve(std::vector<std::string> numbers) override {
    numbers_.serve(numbers);
    Provider::serve(std::move(numbers));
  }
  net::HttpRequest get(std::string url) const override { return request(std::move(url)); }

  // A POST: its headers are in no log, and no program repeats it by itself.
  net::HttpRequest send_request(const OutgoingText& text, std::string_view ref, base::Time) const override {
    net::HttpRequest r = request(setting.base_url + "/cgi-bin/sendsms");
    r.method = "POST";
    r.headers = {"Content-Type: text/plain; charset=UTF-8",
                 "X-Kannel-Username: " + kannel_.user,
                 "X-Kannel-Password: " + kannel_.password.reveal(),
                 "X-Kannel-From: " + text.from.text,
                 "X-Kannel-To: " + text.to.text,
                 fmt::format("X-Kannel-Coding: {}", to_gsm7(to_code_points(text.text)) ? 0 : 2),
                 fmt::format("X-Kannel-DLR-Mask: {}", wanted_reports),
                 "X-Kannel-DLR-Url: " + setting.report_url(ref) + "&status=%d&reply=%A"};
    if (!kannel_.smsc.empty()) r.headers.push_back("X-Kannel-SMSC: " + kannel_.smsc);
    r.body = text.text;
    return r;
  }

  // It gives no ids.
  Verdict judge(const net::HttpResponse& answer, base::Time now) const override {
    Verdict v;
    if (answer.status == 202) {
      v.kind = Verdict::Kind::taken;
    } else if (answer.status == 503 && answer.body.starts_with("Temporal failure")) {
      v.kind = Verdict::Kind::later;
      v.text = "The SMS service is not available.";
      v.wait = std::max(retry_after(answer, now), std::chrono::seconds(30));
    } else if (answer.status == 403 && answer.body.starts_with("Not routable")) {
      v.kind = Verdict::Kind::refused;
      v.code = connector::Errc::not_found;
      v.text = "The SMS service has no way to that number.";
    } else if (answer.status < 200 || answer.status >= 300) {
      v = judge_failure(answer, 0, {}, now);
    }
    return v;
  }

  bool takes_get() const override { return true; }
  bool is_genuine(const net::ServerRequest& request, base::Time) const override {
    return knows_secret(setting, request.target);
  }
  std::vector<Webhook> read_webhook(const net::ServerRequest& request) const override {
    const net::FormFields fields = fields_of(request);
    const auto value = [&](std::string_view name) { return std::string(value_of(fields, name)); };
    if (const std::string ref = value("key"); !ref.empty())
      return {Report{ref, {}, read_status(to_number(value("status")), value("reply"))}};
    Message m;
    m.id = value("id");
    if (!is_id(m.id) || value("to").empty()) return {};
    m.is_inbound = true;
    m.from = numbers_.sender(value("from"));
    m.to = numbers_.receiver(value("to"));
    m.text = read_text(value("text"), value("charset"));
    m.created = parse_date(value("time"));
    return {std::move(m)};
  }
  // Anything in it would be sent to the phone as an answer.
  net::ServerResponse acknowledgement() const override { return {}; }

 private:
  KannelSetting kannel_;
  RelayedNumbers numbers_;
};

constexpr std::string_view kannel_url = "http://127.0.0.1:13013";

constexpr Key kannel_keys[] = {
    {"base_url", Type::text(), kannel_url, "smsbox's"},
    {"user", Type::text(), required, "of a sendsms-user"},
    {"password", Type::secret(), required, "and its password"},
    webhook_secret_key,
    {"smsc", Type::text(), "", "the smsc-id that texts go to; otherwise as Kannel's routes say"},
    {"most_segments", Type::whole(1, 255), "10",
     "of one text, of 153 letters or 67 in UCS-2; no more than Kannel's max-messages: it cuts off the rest and says "
     "nothing"},
};

constexpr Section kannel_all_sections[] = {{"carriers", kannel_type, true, "Kannel's smsbox", kannel_keys}};

}  // namespace

std::span<const Section> kannel_sections() { return kannel_all_sections; }

connector::Result<std::unique_ptr<Provider>> make_kannel_provider(const CarrierSetting& source,
                                                                  std::string public_url) {
  static const std::vector<Key> keys = with_common_keys({kannel_keys});
  connector::Fields in(source.settings, source.path, keys);
  KannelSetting kannel;
  kannel.user = in.text("user");
  kannel.password = in.secret("password");
  kannel.smsc = in.text("smsc");
  kannel.most_segments = static_cast<int>(in.number("most_segments"));
  Setting setting = read_setting(in, source, kannel_type, std::string(kannel_url), std::move(public_url));
  read_webhook_secret(in, setting);
  if (auto done = finish(in, setting, kannel_type); !done) return done.error();
  return std::unique_ptr<Provider>(
      std::make_unique<Kannel>(std::move(setting), std::move(kannel), RelayedNumbers(source)));
}

connector::Result<std::unique_ptr<Carrier>> make_kannel(CarrierSetting source, connector::Services services,
                                                        CarrierEvents& events) {
  auto provider = make_kannel_provider(source, services.webhooks.public_url);
  if (!provider) return provider.error();
  return make_http_carrier(std::move(*provider), services, events);
}

}  // namespace wherry::sms

#include "connectors/sms/carriers/jasmin.hpp"

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

constexpr std::string_view jasmin_type = "jasmin";
constexpr std::uint8_t ucs2_coding = 8;  // SMPP 3.4 §5.2.19

struct JasminSetting {
  std::string user;
  base::Secret password;
  Alphabet alphabet = Alphabet::gsm7;  // what its SMS centre takes data_coding 0 for
  bool plus = false;                   // numbers are written with a '+'
  int most_segments = 5;
};

// A report's message_status: a status of submit_sm from the SMS centre ("ESME_ROK"), or a receipt's word ("DELIVRD").
Status read_status(const std::string& word, const std::string& error) {
  Status s;
  if (word == "ESME_ROK") {
    s.stage = Stage::accepted;
  } else if (word.starts_with("ESME_")) {
    s.stage = Stage::failed;
    s.why = fmt::format("The network refused the message ({}).", word);
  } else {
    s = status_of_receipt(fmt::format("id:0 stat:{} err:{}", word, error.empty() ? "000" : error));
  }
  s.word = word;
  s.is_last = s.stage != Stage::accepted;
  return s;
}

class Jasmin final : public Provider {
 public:
  Jasmin(Setting s, JasminSetting j, RelayedNumbers numbers)
      : Provider(std::move(s)), jasmin_(std::move(j)), numbers_(std::move(numbers)) {}

  connector::Idempotency idempotency() const override { return connector::Idempotency::none; }
  // Jasmin cuts off what its long_content_max_parts does not hold, and says nothing.
  std::size_t most_units() const override { return most_units_of(jasmin_.most_segments); }
  // It cuts octets, wherever it is.
  std::string why_too_long(std::string_view text) const override {
    const auto plain = encode(to_code_points(text), jasmin_.alphabet);
    const std::size_t segments = plain ? segments_of(plain->size(), 160, 153) : segments_of(utf16_length(text), 70, 67);
    return why_too_many(segments, jasmin_.most_segments);
  }
  void serve(std::vector<std::string> numbers) override {
    numbers_.serve(numbers);
    Provider::serve(std::move(numbers));
  }
  net::HttpRequest get(std::string url) const override { return request(std::move(url)); }

  // As octets: what its own table of GSM 7 lacks, Jasmin would write as '?'.
  net::HttpRequest send_request(const OutgoingText& text, std::string_view ref, base::Time) const override {
    const std::u32string letters = to_code_points(text.text);
    const auto plain = encode(letters, jasmin_.alphabet);
    net::HttpRequest r = request(setting.base_url + "/send");
    r.method = "POST";
    r.headers.emplace_back("Content-Type: application/x-www-form-urlencoded");
    // Level 3: what the SMS centre says, and what the phone does. Only the first refuses a text at once.
    r.body = net::to_form({{"username", jasmin_.user},
                           {"password", jasmin_.password.reveal()},
                           {"from", written(text.from.text)},
                           {"to", written(text.to.text)},
                           {"coding", plain ? "0" : std::to_string(ucs2_coding)},
                           {"hex-content", base::to_hex(plain ? *plain : to_ucs2(letters))},
                           {"dlr", "yes"},
                           {"dlr-url", setting.report_url(ref)},
                           {"dlr-level", "3"},
                           {"dlr-method", "POST"}});
    return r;
  }

  // Success "07033084-5cfd-4812-90a4-e4d24ffb6e3d"
  Verdict judge(const net::HttpResponse& answer, base::Time now) const override {
    constexpr std::string_view success = "Success \"";
    Verdict v;
    if (answer.status == 412) {
      v.kind = Verdict::Kind::refused;
      v.code = connector::Errc::not_found;
      v.text = "The SMS service has no way to that number.";
      return v;
    }
    if (answer.status != 200) return judge_failure(answer, 0, {}, now);
    const std::string_view body = base::trim(answer.body);
    if (!body.starts_with(success) || !body.ends_with('"') || body.size() < success.size() + 1) return v;
    v.id = body.substr(success.size(), body.size() - success.size() - 1);
    if (is_id(v.id)) v.kind = Verdict::Kind::taken;
    return v;
  }

  bool takes_get() const override { return true; }
  bool is_genuine(const net::ServerRequest& request, base::Time) const override {
    return knows_secret(setting, request.target);
  }
  std::vector<Webhook> read_webhook(const net::ServerRequest& request) const override {
    const net::FormFields fields = fields_of(request);
    const auto value = [&](std::string_view name) { return std::string(value_of(fields, name)); };
    const std::string id = value("id"), status = value("message_status");
    if (!is_id(id)) return {};
    if (!status.empty()) return {Report{ref_in(request.target), id, read_status(status, value("err"))}};
    if (value("to").empty()) return {};
    Message m;
    m.id = id;
    m.is_inbound = true;
    m.from = numbers_.sender(value("from"));
    m.to = numbers_.receiver(value("to"));
    m.text = read_text(value("content"), value("binary"), value("coding"));
    return {std::move(m)};
  }
  net::ServerResponse acknowledgement() const override { return net::respond(200, "ACK/Jasmin"); }

 private:
  std::string written(const std::string& number) const {
    return jasmin_.plus || !number.starts_with('+') ? number : number.substr(1);
  }
  // Its octets, and SMPP's data_coding; `content` has them as if they were UTF-8.
  std::string read_text(const std::string& content, const std::string& binary, const std::string& coding) const {
    const auto octets = base::from_hex(binary);
    if (!octets || octets->empty()) return decode(content, Alphabet::utf8);
    const Coding read = coding_of(static_cast<std::uint8_t>(to_number(coding)), jasmin_.alphabet);
    return read.charset ? decode_charset(*octets, read.charset) : decode(*octets, read.alphabet);
  }

  JasminSetting jasmin_;
  RelayedNumbers numbers_;
};

constexpr std::string_view jasmin_url = "http://127.0.0.1:1401";

constexpr Key jasmin_keys[] = {
    {"base_url", Type::text(), jasmin_url, "its HTTP API's"},
    {"user", Type::text(), required, "of the API"},
    {"password", Type::secret(), required, "and its password"},
    webhook_secret_key,
    {"alphabet", Type::one_of("gsm7 latin1 ascii utf8"), "gsm7",
     "what the SMS centre takes data_coding 0 for. Ask the carrier"},
    {"plus", Type::flag(), "false", "whole numbers are written with a +"},
    {"most_segments", Type::whole(1, 255), "5",
     "of one text, of 153 letters or 67 in UCS-2; no more than Jasmin's long_content_max_parts: it cuts off the rest "
     "and says nothing"},
};

constexpr Section jasmin_all_sections[] = {{"carriers", jasmin_type, true, "Jasmin's HTTP API", jasmin_keys}};

}  // namespace

std::span<const Section> jasmin_sections() { return jasmin_all_sections; }

connector::Result<std::unique_ptr<Provider>> make_jasmin_provider(const CarrierSetting& source,
                                                                  std::string public_url) {
  static const std::vector<Key> keys = with_common_keys({jasmin_keys});
  connector::Fields in(source.settings, source.path, keys);
  JasminSetting jasmin;
  jasmin.user = in.text("user");
  jasmin.password = in.secret("password");
  jasmin.alphabet = *parse_alphabet(in.choice("alphabet"));
  jasmin.plus = in.flag("plus");
  jasmin.most_segments = static_cast<int>(in.number("most_segments"));
  Setting setting = read_setting(in, source, jasmin_type, std::string(jasmin_url), std::move(public_url));
  read_webhook_secret(in, setting);
  if (auto done = finish(in, setting, jasmin_type); !done) return done.error();
  return std::unique_ptr<Provider>(
      std::make_unique<Jasmin>(std::move(setting), std::move(jasmin), RelayedNumbers(source)));
}

connector::Result<std::unique_ptr<Carrier>> make_jasmin(CarrierSetting source, connector::Services services,
                                                        CarrierEvents& events) {
  auto provider = make_jasmin_provider(source, services.webhooks.public_url);
  if (!provider) return provider.error();
  return make_http_carrier(std::move(*provider), services, events);
}

}  // namespace wherry::sms

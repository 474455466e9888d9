#include "connectors/sms/carriers/generic_http.hpp"

#include "connectors/sms/carriers/relayed.hpp"
#include "connectors/sms/http/api/described.hpp"
#include "connectors/sms/http/api/keys.hpp"
#include "connectors/sms/http/api/pattern.hpp"
#include "connectors/sms/http/api/values.hpp"
#include "connectors/sms/http/http_carrier.hpp"
#include "connectors/sms/parts/part_state.hpp"
#include "connectors/sms/text/storage_key.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::sms {

namespace {

using namespace http;
using connector::Key;
using connector::Mistakes;
using connector::required;
using connector::Section;
using connector::Stage;
using connector::Type;
using nlohmann::json;

constexpr std::string_view described_type = "http";
constexpr std::size_t most_reason = 200;  // of a provider's words, in octets

const Placeholders text_placeholders = {"from",  "from_digits", "to",   "to_digits", "text",       "ref",
                                        "token", "report_url",  "time", "user",      "webhook_url"};
const Placeholders header_placeholders = {"ref", "time", "token", "user"};
const Placeholders start_placeholders = {"token", "user", "webhook_url"};

// What an answer to `send` means.
struct AnswerRules {
  std::string id;                            // where it is
  std::optional<Pattern> accepted, refused;  // how such an answer looks
};
// Where a webhook has the parts of an incoming text.
struct TextRules {
  std::string id, from, to, text, time;
};
// Where a webhook has what became of a text of ours, and the provider's words for it.
struct ReportRules {
  std::string id, ref, status, reason, part, parts;
  std::vector<std::string> accepted, delivered, failed;
};
struct SignIn {
  std::string url, client_id, scope;
  base::Secret client_secret;
};
struct Description {
  std::string user;
  base::Secret password, token;
  std::size_t most_characters = 0;
  bool drops_doubles = false;  // the API takes a second request with the same {ref} for the first
  DescribedRequest send;
  std::optional<DescribedRequest> start;
  std::optional<SignIn> sign_in;
  AnswerRules answer;
  TextRules text;
  ReportRules report;
};

// Ids become parts of keys: one that cannot is known by its digest.
std::string id_of(const std::string& written) { return written.empty() || is_id(written) ? written : digest(written); }

std::string digits_of(const std::string& number) { return number.starts_with('+') ? number.substr(1) : number; }

// A number of parts, or of one; 1 where there is none.
unsigned count_at(const json& said, const std::string& where) {
  return static_cast<unsigned>(std::clamp<std::int64_t>(to_number(value_at(said, where)), 1, most_parts));
}

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class GenericHttp final : public Provider {
 public:
  GenericHttp(Setting s, Description d, RelayedNumbers numbers)
      : Provider(std::move(s)), described_(std::move(d)), numbers_(std::move(numbers)) {}

  connector::Idempotency idempotency() const override {
    return described_.drops_doubles ? connector::Idempotency::by_key : connector::Idempotency::none;
  }
  std::size_t most_units() const override { return described_.most_characters; }
  void serve(std::vector<std::string> numbers) override {
    numbers_.serve(numbers);
    Provider::serve(std::move(numbers));
  }
  net::HttpRequest get(std::string url) const override {
    net::HttpRequest r = request(std::move(url));
    r.user = described_.user;
    r.password = described_.password.reveal();
    return r;
  }

  net::HttpRequest send_request(const OutgoingText& text, std::string_view ref, base::Time now) const override {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    Values values = ours();
    values["from"] = text.from.text;
    values["from_digits"] = digits_of(text.from.text);
    values["to"] = text.to.text;
    values["to_digits"] = digits_of(text.to.text);
    values["text"] = text.text;
    values["ref"] = ref;
    values["report_url"] = setting.report_url(ref);
    values["time"] = std::to_string(seconds);
    net::HttpRequest r = get(setting.base_url);
    described_.send.fill_in(r, values);
    return r;
  }
  Verdict judge(const net::HttpResponse& answer, base::Time now) const override;

  std::optional<net::HttpRequest> sign_in() const override;
  std::string read_token(const net::HttpResponse& answer) const override {
    return value_at(read_body(answer.body), "access_token");  // RFC 6749 §5.1
  }
  std::vector<net::HttpRequest> at_start() const override {
    if (!described_.start) return {};
    net::HttpRequest r = get(setting.base_url);
    described_.start->fill_in(r, ours());
    return {std::move(r)};
  }

  bool takes_get() const override { return true; }
  bool is_genuine(const net::ServerRequest& request, base::Time) const override {
    return knows_secret(setting, request.target);
  }
  std::vector<Webhook> read_webhook(const net::ServerRequest& request) const override;

 private:
  // What is the same for all texts.
  Values ours() const {
    return {{"token", described_.token.reveal()}, {"user", described_.user}, {"webhook_url", setting.webhook_url()}};
  }
  std::optional<Webhook> read_one(const json& said, const std::string& ref) const;
  Status read_status(const json& said, const std::string& word) const;
  std::optional<Message> read_text(const json& said) const;

  Description described_;
  RelayedNumbers numbers_;
};

// Where an answer is neither what is accepted nor what is refused, nobody knows whether the text is out.
Verdict GenericHttp::judge(const net::HttpResponse& answer, base::Time now) const {
  const AnswerRules& rules = described_.answer;
  Verdict v;
  if (rules.refused && rules.refused->match(answer.body)) {
    v.kind = Verdict::Kind::refused;
    v.text = "The SMS service refused the message.";
    return v;
  }
  if (answer.status == 409 && described_.drops_doubles) {  // it has the text already (RFC 9110 §15.5.10)
    v.kind = Verdict::Kind::taken;
    return v;
  }
  if (answer.status < 200 || answer.status >= 300) return judge_failure(answer, 0, {}, now);
  const auto matched = rules.accepted ? rules.accepted->match(answer.body) : std::optional<std::string>("");
  if (!matched) return v;
  v.id = id_of(matched->empty() ? value_at(read_body(answer.body), rules.id) : *matched);
  const bool must_have_id = !rules.accepted && !rules.id.empty();
  if (!must_have_id || !v.id.empty()) v.kind = Verdict::Kind::taken;
  return v;
}

// RFC 6749 §4.4.2; the client signs in as §2.3.1 says.
std::optional<net::HttpRequest> GenericHttp::sign_in() const {
  if (!described_.sign_in) return std::nullopt;
  net::HttpRequest r = request(described_.sign_in->url);
  r.method = "POST";
  r.user = described_.sign_in->client_id;
  r.password = described_.sign_in->client_secret.reveal();
  r.headers.emplace_back("Content-Type: application/x-www-form-urlencoded");
  net::FormFields fields = {{"grant_type", "client_credentials"}};
  if (!described_.sign_in->scope.empty()) fields.emplace_back("scope", described_.sign_in->scope);
  r.body = net::to_form(fields);
  return r;
}

std::vector<Webhook> GenericHttp::read_webhook(const net::ServerRequest& request) const {
  const json body = read_body(request);
  const std::string ref = ref_in(request.target);
  std::vector<Webhook> webhooks;
  if (!body.is_array()) {
    if (auto webhook = read_one(body, ref)) webhooks.push_back(std::move(*webhook));
    return webhooks;
  }
  for (const json& said : body) {
    if (auto webhook = read_one(said, ref)) webhooks.push_back(std::move(*webhook));
  }
  return webhooks;
}

std::optional<Webhook> GenericHttp::read_one(const json& said, const std::string& ref_in_url) const {
  const ReportRules& rules = described_.report;
  const std::string word = value_at(said, rules.status), id = id_of(value_at(said, rules.id));
  const std::string ref = ref_in_url.empty() ? value_at(said, rules.ref) : ref_in_url;
  const bool is_known = has(rules.accepted, word) || has(rules.delivered, word) || has(rules.failed, word);
  if (ref_in_url.empty() && !is_known) {
    if (auto text = read_text(said)) return std::move(*text);
  }
  if (word.empty() || (ref.empty() && id.empty())) return std::nullopt;
  Report report{ref, id, read_status(said, word)};
  report.part = count_at(said, rules.part);
  report.parts = count_at(said, rules.parts);
  return report;
}

Status GenericHttp::read_status(const json& said, const std::string& word) const {
  Status status;
  status.word = base::utf8_prefix(word, most_reason);
  if (has(described_.report.accepted, word)) status.stage = Stage::accepted;
  if (has(described_.report.delivered, word)) status.stage = Stage::delivered;
  if (!has(described_.report.failed, word)) return status;
  status.stage = Stage::failed;
  const std::string reason(base::utf8_prefix(value_at(said, described_.report.reason), most_reason));
  status.why = reason.empty() ? explain(0, {}) : fmt::format("The network did not deliver the message: {}", reason);
  return status;
}

std::optional<Message> GenericHttp::read_text(const json& said) const {
  const TextRules& rules = described_.text;
  const std::string from = value_at(said, rules.from), to = value_at(said, rules.to), time = value_at(said, rules.time);
  if (to.empty()) return std::nullopt;
  Message m;
  m.is_inbound = true;
  m.from = numbers_.sender(from);
  m.to = numbers_.receiver(to);
  m.text = value_at(said, rules.text);
  m.created = parse_date(time);
  m.id = id_of(value_at(said, rules.id));
  // The same text again has the same time; another one has another.
  if (m.id.empty())
    m.id = digest(json::array({from, to, time, m.text}).dump(-1, ' ', false, json::error_handler_t::replace));
  return m;
}

// ---- Reading the configuration ----

constexpr Key described_keys[] = {
    {"base_url", Type::text(), required, "of the API, like \"https://api.example.org\""},
    webhook_secret_key,
    {"user", Type::text(), "", "of HTTP's basic authentication"},
    {"password", Type::secret(), "", "and its password"},
    {"token", Type::secret(), "", "what `{token}` is"},
    {"most_characters", Type::whole(1, 10000), "670", "of a text"},
    {"send", Type::table(), required, "the request that sends a text"},
    {"start", Type::table(), "", "what must be asked for before webhooks come"},
    {"drops_doubles", Type::flag(), "false",
     "the API takes a second request with the same `{ref}` for the first, and answers as before or 409"},
    {"answer", Type::table(), "", "what an answer means"},
    {"text", Type::table(), "", "where a webhook has an incoming text"},
    {"report", Type::table(), "", "where a webhook has a report"},
    {"sign_in", Type::table(), "", "where tokens are given"},
};

constexpr Key answer_keys[] = {
    {"id", Type::text(), "", "where the text's id is"},
    {"accepted", Type::text(), "", "how an answer looks that took the text: letters, `*`, and `{id}`"},
    {"refused", Type::text(), "", "and one that refused it"},
};

constexpr Key text_keys[] = {
    {"id", Type::text(), "", "where the text's id is"},  {"from", Type::text(), "from", "where its sender is"},
    {"to", Type::text(), "to", "where its receiver is"}, {"text", Type::text(), "text", "where its words are"},
    {"time", Type::text(), "", "where its time is"},
};

constexpr Key report_keys[] = {
    {"id", Type::text(), "", "where the text's id is"},
    {"ref", Type::text(), "", "where our `{ref}` is"},
    {"status", Type::text(), "status", "where the word for what became of the text is"},
    {"reason", Type::text(), "", "where the reason is"},
    {"part", Type::text(), "", "which part of a long text it is about, where the API reports part by part"},
    {"parts", Type::text(), "", "of how many"},
    {"accepted", Type::texts(), "", "words for: on its way"},
    {"delivered", Type::texts(), "", "words for: delivered"},
    {"failed", Type::texts(), "", "words for: not delivered"},
};

constexpr Key sign_in_keys[] = {
    {"url", Type::text(), required, "the address that gives tokens, like \"https://id.example.org/token\""},
    {"client_id", Type::text(), required, "our name there"},
    {"client_secret", Type::secret(), required, "and our secret"},
    {"scope", Type::text(), "", "what is asked for"},
};

constexpr Section described_all_sections[] = {
    {"carriers", described_type, true,
     "Any other HTTP API, as it is described here. A place is a field's name, or a JSON pointer like `/data/0/id`",
     described_keys},
    {"carriers.send", described_type, false, "The request that sends a text", request_keys},
    {"carriers.start", described_type, false,
     "What must be asked for before webhooks come. In texts there may be `{webhook_url}`, `{token}`, `{user}`",
     request_keys},
    {"carriers.answer", described_type, false, "What an answer means", answer_keys},
    {"carriers.text", described_type, false, "Where a webhook has an incoming text; `id` or `time` must be there",
     text_keys},
    {"carriers.report", described_type, false, "Where a webhook has what became of a text", report_keys},
    {"carriers.sign_in", described_type, false,
     "Where tokens are given (OAuth 2.0, client credentials). Each request then carries one", sign_in_keys},
};

bool says_ref(const DescribedRequest& request) {
  constexpr std::string_view ref = "{ref}";
  const auto in_header = [&](const auto& header) { return header.second.find(ref) != std::string::npos; };
  return request.fields.dump().find(ref) != std::string::npos ||
         std::any_of(request.headers.begin(), request.headers.end(), in_header);
}

// A table within the carrier's, whose fields are places in a body.
class Table {
 public:
  Table(connector::Fields& parent, std::string_view key, std::span<const Key> keys, Mistakes& mistakes)
      : table_(parent.object(key)), in_(table_ ? *table_ : empty(), parent.path_of(key), keys), mistakes_(mistakes) {}
  ~Table() { mistakes_.add(in_.finish()); }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  connector::Fields& fields() { return in_; }
  std::string place(std::string_view key) {
    std::string where = in_.text(key);
    if (!is_place(where)) in_.wrong(key, "must be the name of a field, or a JSON pointer like \"/data/0/id\"");
    return where;
  }
  std::optional<Pattern> pattern(std::string_view key) {
    const std::string text = in_.text(key);
    return text.empty() ? std::nullopt : std::optional<Pattern>(text);
  }

 private:
  static const json& empty() {
    static const json none = json::object();
    return none;
  }
  const json* table_;
  connector::Fields in_;
  Mistakes& mistakes_;
};

AnswerRules read_answer(connector::Fields& in, Mistakes& mistakes) {
  Table table(in, "answer", answer_keys, mistakes);
  AnswerRules rules;
  rules.id = table.place("id");
  rules.accepted = table.pattern("accepted");
  rules.refused = table.pattern("refused");
  return rules;
}

TextRules read_text_rules(connector::Fields& in, Mistakes& mistakes) {
  Table table(in, "text", text_keys, mistakes);
  TextRules rules;
  rules.id = table.place("id");
  rules.from = table.place("from");
  rules.to = table.place("to");
  rules.text = table.place("text");
  rules.time = table.place("time");
  if (rules.id.empty() && rules.time.empty())
    table.fields().wrong("id", "is missing. Without an id or a time, two equal texts could not be told apart");
  return rules;
}

ReportRules read_report_rules(connector::Fields& in, Mistakes& mistakes) {
  Table table(in, "report", report_keys, mistakes);
  ReportRules rules;
  rules.id = table.place("id");
  rules.ref = table.place("ref");
  rules.status = table.place("status");
  rules.reason = table.place("reason");
  rules.part = table.place("part");
  rules.parts = table.place("parts");
  rules.accepted = table.fields().texts("accepted");
  rules.delivered = table.fields().texts("delivered");
  rules.failed = table.fields().texts("failed");
  return rules;
}

std::optional<SignIn> read_sign_in(connector::Fields& in, Mistakes& mistakes) {
  if (!in.object("sign_in")) return std::nullopt;
  Table table(in, "sign_in", sign_in_keys, mistakes);
  SignIn s;
  s.url = table.fields().text("url");
  if (!s.url.starts_with("https://") && !s.url.starts_with("http://"))
    table.fields().wrong("url", "must be the address that gives tokens, like \"https://id.example.org/token\"");
  s.client_id = table.fields().text("client_id");
  s.client_secret = table.fields().secret("client_secret");
  s.scope = table.fields().text("scope");
  return s;
}

Description read_description(connector::Fields& in, Mistakes& mistakes) {
  Description d;
  d.user = in.text("user");
  if (in.has_secret("password")) d.password = in.secret("password");
  if (in.has_secret("token")) d.token = in.secret("token");
  d.most_characters = static_cast<std::size_t>(in.number("most_characters"));
  if (const json* send = in.object("send"))
    d.send = read_request(*send, in.path_of("send"), header_placeholders, text_placeholders, mistakes);
  else in.wrong("send", "is missing: the request that sends a text");
  d.drops_doubles = in.flag("drops_doubles");
  if (d.drops_doubles && !says_ref(d.send))
    in.wrong("drops_doubles", "is true, and no field or header of send has {ref}, by which doubles are known");
  if (const json* start = in.object("start"))
    d.start = read_request(*start, in.path_of("start"), start_placeholders, start_placeholders, mistakes);
  d.sign_in = read_sign_in(in, mistakes);
  if (d.sign_in && !d.user.empty()) in.wrong("user", "stands beside sign_in: keep one of them");
  d.answer = read_answer(in, mistakes);
  d.text = read_text_rules(in, mistakes);
  d.report = read_report_rules(in, mistakes);
  return d;
}

}  // namespace

std::span<const Section> generic_http_sections() { return described_all_sections; }

connector::Result<std::unique_ptr<Provider>> make_generic_http_provider(const CarrierSetting& source,
                                                                        std::string public_url) {
  static const std::vector<Key> keys = with_common_keys({described_keys});
  connector::Fields in(source.settings, source.path, keys);
  Mistakes mistakes;
  in.text("base_url");
  Description description = read_description(in, mistakes);
  Setting setting = read_setting(in, source, described_type, "https://api.example.org", std::move(public_url));
  read_webhook_secret(in, setting);
  mistakes.add(finish(in, setting, described_type));
  if (!mistakes.empty()) return mistakes.error();
  return std::unique_ptr<Provider>(
      std::make_unique<GenericHttp>(std::move(setting), std::move(description), RelayedNumbers(source)));
}

connector::Result<std::unique_ptr<Carrier>> make_generic_http(CarrierSetting source, connector::Services services,
                                                              CarrierEvents& events) {
  auto provider = make_generic_http_provider(source, services.webhooks.public_url);
  if (!provider) return provider.error();
  return make_http_carrier(std::move(*provider), services, events);
}

}  // namespace wherry::sms

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
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

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
  std::string each;  // the list whose entries are texts
  std::string id, from, to, text, time, files;
};
// Where a webhook has what became of a text of ours, and the provider's words for it.
struct ReportRules {
  std::string each;  // as above
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

// One thing that a body says: an entry of a list, and the whole around it. Places are looked for in both.
struct Said {
  const json& entry;
  const json& whole;

  const json& with(const std::string& where) const { return find_at(entry, where) ? entry : whole; }
  std::string value(const std::string& where) const { return value_at(with(where), where); }
  // A number of parts, or of one; 1 where there is none.
  unsigned count(const std::string& where) const {
    return static_cast<unsigned>(std::clamp<std::int64_t>(to_number(value(where)), 1, most_parts));
  }
};

// What a webhook says, and what of it was not understood, in words for the operator.
struct Reading {
  std::vector<Webhook> webhooks;
  std::set<std::string> missed;
  bool is_cut = false;  // there is more in it than the description reaches
};

// Services write one word in several ways: in capitals, with blanks around it.
std::string as_word(std::string_view text) { return base::to_lower_ascii(base::trim(text)); }

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), as_word(word)) != words.end();
}

// A list that a place indexes with 0 and that has more entries.
std::string cut_short(std::string_view table, std::string_view key, const std::string& list) {
  return fmt::format(
      "{0}.{1} reads the first entry of {2}, and there are more: set {0}.each = \"{2}\", and let "
      "the places in {0} begin within an entry",
      table, key, list);
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
  std::vector<Webhook> read_webhook(const net::ServerRequest& request) const override {
    return read_all(request).webhooks;
  }
  std::string missed_in(const net::ServerRequest& request) const override {
    return fmt::format("{}", fmt::join(read_all(request).missed, "; "));
  }

 private:
  // What is the same for all texts.
  Values ours() const {
    return {{"token", described_.token.reveal()}, {"user", described_.user}, {"webhook_url", setting.webhook_url()}};
  }
  Reading read_all(const net::ServerRequest& request) const;
  void read_body_into(const json& body, const std::string& ref, Reading& reading) const;
  void read_one(const Said& said, const std::string& ref, Reading& reading) const;
  Status read_status(const Said& said, const std::string& word) const;
  std::optional<Message> read_text(const Said& said, Reading& reading) const;
  void read_receivers(const Said& said, Message& message) const;
  void read_files(const Said& said, Message& message) const;
  std::string id_of_text(const Said& said) const;

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
  const json body = matched->empty() ? read_body(answer.body) : json();
  v.id = id_of(matched->empty() ? value_at(body, rules.id) : *matched);
  if (const std::string list = list_cut_by(body, rules.id); !list.empty())
    v.remark = fmt::format(
        "answer.id reads the first entry of {}, and there are more: what is reported of the others "
        "belongs to no text, unless reports come to {{report_url}} or have a ref",
        list);
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

Reading GenericHttp::read_all(const net::ServerRequest& request) const {
  const json body = read_body(request);
  const std::string ref = ref_in(request.target);
  Reading reading;
  if (body.is_null()) {
    reading.missed.emplace("the body is neither JSON nor a form");
    return reading;
  }
  if (!body.is_array()) {
    read_body_into(body, ref, reading);
  } else {
    for (const json& one : body) read_body_into(one, ref, reading);
  }
  if (reading.is_cut) reading.webhooks.clear();  // what is acknowledged has been read whole
  return reading;
}

void GenericHttp::read_body_into(const json& body, const std::string& ref, Reading& reading) const {
  const std::set<std::string> lists = {described_.text.each, described_.report.each};
  bool is_listed = false;
  for (const std::string& where : lists) {
    const json* list = find_at(body, where);
    if (!list) continue;
    is_listed = true;
    if (!list->is_array()) {
      read_one({*list, body}, ref, reading);
    } else {
      for (const json& entry : *list) read_one({entry, body}, ref, reading);
    }
  }
  if (!is_listed) read_one({body, body}, ref, reading);
}

void GenericHttp::read_one(const Said& said, const std::string& ref_in_url, Reading& reading) const {
  const ReportRules& rules = described_.report;
  const auto check = [&](std::string_view table, std::string_view key, const std::string& where) {
    const std::string list = list_cut_by(said.with(where), where);
    if (list.empty()) return;
    reading.is_cut = true;
    reading.missed.insert(cut_short(table, key, list));
  };
  const std::string word = said.value(rules.status), id = id_of(said.value(rules.id));
  const std::string ref = ref_in_url.empty() ? said.value(rules.ref) : ref_in_url;
  const bool is_known = has(rules.accepted, word) || has(rules.delivered, word) || has(rules.failed, word);
  if (ref_in_url.empty() && !is_known) {
    if (auto text = read_text(said, reading)) {
      check("text", "id", described_.text.id);
      check("text", "from", described_.text.from);
      check("text", "text", described_.text.text);
      reading.webhooks.emplace_back(std::move(*text));
      return;
    }
  }
  if (word.empty() || (ref.empty() && id.empty())) {
    reading.missed.insert(
        fmt::format("text.to (\"{}\") and {} are not there", described_.text.to,
                    word.empty() ? fmt::format("report.status (\"{}\")", rules.status) : "report.id and report.ref"));
    return;
  }
  check("report", "id", rules.id);
  check("report", "ref", rules.ref);
  check("report", "status", rules.status);
  Report report{ref, id, read_status(said, word)};
  report.part = said.count(rules.part);
  report.parts = said.count(rules.parts);
  reading.webhooks.emplace_back(std::move(report));
}

Status GenericHttp::read_status(const Said& said, const std::string& word) const {
  Status status;
  status.word = base::utf8_prefix(word, most_reason);
  if (has(described_.report.accepted, word)) status.stage = Stage::accepted;
  if (has(described_.report.delivered, word)) status.stage = Stage::delivered;
  if (!has(described_.report.failed, word)) return status;
  status.stage = Stage::failed;
  const std::string reason(base::utf8_prefix(said.value(described_.report.reason), most_reason));
  status.why = reason.empty() ? explain(0, {}) : fmt::format("The network did not deliver the message: {}", reason);
  return status;
}

std::optional<Message> GenericHttp::read_text(const Said& said, Reading& reading) const {
  const TextRules& rules = described_.text;
  Message m;
  read_receivers(said, m);
  if (m.to.empty()) return std::nullopt;
  const std::string from = said.value(rules.from);
  if (base::trim(from).empty())
    reading.missed.insert(fmt::format("text.from (\"{}\") is not there, or no text: nobody is the sender", rules.from));
  m.is_inbound = true;
  m.from = numbers_.sender(from);
  m.text = said.value(rules.text);
  m.created = parse_date(said.value(rules.time));
  m.id = id_of_text(said);
  read_files(said, m);
  return m;
}

// Of several receivers the first that is a number of ours has the text; the others are told of.
void GenericHttp::read_receivers(const Said& said, Message& message) const {
  const std::string& where = described_.text.to;
  for (const std::string& written : values_at(said.with(where), where)) {
    if (!written.empty()) message.others.push_back(numbers_.receiver(written));
  }
  if (message.others.empty()) return;
  const auto is_ours = [&](const std::string& number) {
    return std::binary_search(setting.numbers.begin(), setting.numbers.end(), number);
  };
  auto receiver = std::find_if(message.others.begin(), message.others.end(), is_ours);
  if (receiver == message.others.end()) receiver = message.others.begin();
  message.to = std::move(*receiver);
  message.others.erase(receiver);
}

// Where nothing tells of files, a message without words had one, most likely: nobody sends nothing.
void GenericHttp::read_files(const Said& said, Message& message) const {
  const std::string& where = described_.text.files;
  Links files = links_at(said.with(where), where);
  message.links = std::move(files.links);
  message.lost_files = files.lost;
  if (where.empty() && base::trim(message.text).empty()) message.lost_files = 1;
}

// An API whose counter begins anew gives one id to two texts: what a text says of itself is a part of its id. What
// comes again says the same.
std::string GenericHttp::id_of_text(const Said& said) const {
  const TextRules& rules = described_.text;
  const std::string id = said.value(rules.id), time = said.value(rules.time);
  json known = {setting.name, id, said.value(rules.from), values_at(said.with(rules.to), rules.to), time};
  if (id.empty() || time.empty()) known.push_back(said.value(rules.text));
  return digest(known.dump(-1, ' ', false, json::error_handler_t::replace));
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
    {"id", Type::text(), "", "where the text's id is"},
    {"from", Type::text(), "from", "where its sender is"},
    {"to", Type::text(), "to", "where its receiver is"},
    {"text", Type::text(), "text", "where its words are"},
    {"time", Type::text(), "", "where its time is: when it was sent, the same where it comes again"},
    {"files", Type::text(), "",
     "where its files are: a link, a list of links or of tables with url, link or href, or their number"},
    {"each", Type::text(), "",
     "where the list of texts is, if a webhook has several; the other places are looked for in each entry"},
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
    {"each", Type::text(), "", "where the list of reports is, if a webhook has several"},
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

bool says(const DescribedRequest& request, std::string_view placeholder) {
  const auto in_header = [&](const auto& header) { return header.second.find(placeholder) != std::string::npos; };
  return request.fields.dump().find(placeholder) != std::string::npos ||
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
  std::vector<std::string> words(std::string_view key) {
    std::vector<std::string> words = in_.texts(key);
    for (std::string& word : words) word = as_word(word);
    return words;
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
  rules.each = table.place("each");
  rules.id = table.place("id");
  rules.from = table.place("from");
  rules.to = table.place("to");
  rules.text = table.place("text");
  rules.time = table.place("time");
  rules.files = table.place("files");
  if (rules.id.empty() && rules.time.empty())
    table.fields().wrong("id", "is missing. Without an id or a time, two equal texts could not be told apart");
  return rules;
}

ReportRules read_report_rules(connector::Fields& in, Mistakes& mistakes) {
  Table table(in, "report", report_keys, mistakes);
  ReportRules rules;
  rules.each = table.place("each");
  rules.id = table.place("id");
  rules.ref = table.place("ref");
  rules.status = table.place("status");
  rules.reason = table.place("reason");
  rules.part = table.place("part");
  rules.parts = table.place("parts");
  rules.accepted = table.words("accepted");
  rules.delivered = table.words("delivered");
  rules.failed = table.words("failed");
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
  if (d.drops_doubles && !says(d.send, "{ref}"))
    in.wrong("drops_doubles", "is true, and no field or header of send has {ref}, by which doubles are known");
  if (const json* start = in.object("start"))
    d.start = read_request(*start, in.path_of("start"), start_placeholders, start_placeholders, mistakes);
  d.sign_in = read_sign_in(in, mistakes);
  if (d.sign_in && !d.user.empty()) in.wrong("user", "stands beside sign_in: keep one of them");
  const bool wants_token = says(d.send, "{token}") || (d.start && says(*d.start, "{token}"));
  if (wants_token && d.token.reveal().empty() && !d.sign_in) in.wrong("token", "is missing, and a request has {token}");
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

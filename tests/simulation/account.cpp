#include "tests/simulation/account.hpp"

#include "connectors/sms/http/api/form_signature.hpp"
#include "tests/simulation/sms_text.hpp"

#include <boost/asio/steady_timer.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace wherry::simulation {

namespace {

constexpr const char* sid = "AC00000000000000000000000000000001";
constexpr const char* token = "secret-token";
constexpr const char* public_url = "https://wherry.test";
constexpr const char* base_url = "https://api.provider.test";
constexpr Microseconds second = 1'000'000;
constexpr std::int64_t epoch = 1'795'000'000;  // when the simulated time begins
constexpr std::size_t page_size = 3;
constexpr int most_attempts = 400;  // of a webhook that must arrive

std::string messages_path() { return fmt::format("/2010-04-01/Accounts/{}/Messages", sid); }

std::map<std::string, std::string> fields_of(const std::string& form) {
  const auto fields = net::parse_form(form).value();
  return {fields.begin(), fields.end()};
}

// Twilio's message redaction: a number keeps its beginning.
std::string redacted(std::string number) {
  std::fill(number.end() - 4, number.end(), 'X');
  return number;
}

}  // namespace

Account::Account(asio::io_context& loop, int index, SmsNetwork& network)
    : loop_(loop), index_(index), network_(network), recorder_(network.recorder()) {}

const CarrierTraits& Account::traits() const { return recorder_.plan.carriers[static_cast<std::size_t>(index_)]; }
std::string Account::name() const { return fmt::format("account{}", index_ + 1); }

nlohmann::json Account::configuration() const {
  return {{"name", name()},
          {"type", "twilio"},
          {"account_sid", sid},
          {"auth_token", token},
          {"rate", 0},
          {"poll_seconds", 60},
          {"base_url", fmt::format("{}/{}", base_url, name())}};
}

Microseconds Account::delay(std::string_view purpose, std::uint64_t a) const {
  return network_.delay(purpose, static_cast<std::uint64_t>(index_), a) / 4;
}
bool Account::fails(std::string_view purpose, std::uint64_t a) const {
  return !recorder_.is_healed() &&
         recorder_.draw.happens(recorder_.plan.bad_luck, purpose, a * 16 + static_cast<std::uint64_t>(index_));
}
void Account::later(Microseconds due, std::function<void()> then) const {
  const auto timer = std::make_shared<asio::steady_timer>(loop_);
  timer->expires_after(std::chrono::microseconds(std::max<Microseconds>(due - now(), 0)));
  timer->async_wait([timer, then = std::move(then)](boost::system::error_code) { then(); });
}

// RFC 2822, by a clock that may be wrong.
std::string Account::date(Microseconds time) const {
  const std::time_t seconds = epoch + time / second + traits().clock_off_s;
  return fmt::format("{:%a, %d %b %Y %H:%M:%S +0000}", fmt::gmtime(seconds));
}

// ---- Requests ----

bool Account::has(const net::HttpRequest& request) const {
  return request.url.starts_with(fmt::format("{}/{}/", base_url, name()));
}

Exchange Account::request(net::HttpRequest request) {
  const std::uint64_t event = ++events_;
  Exchange exchange;
  exchange.there = delay("request", event);
  exchange.back = delay("answer", event);
  exchange.is_refused =
      network_.is_away() || (fails("refuses", event) && recorder_.draw.happens(200, "refuses_now", event));
  const bool is_trouble = fails("loses", event);
  const bool is_lost = is_trouble && recorder_.draw.happens(400, "lost_before", event);
  const bool is_answer_lost = is_trouble && recorder_.draw.happens(500, "answer_lost", event);
  exchange.arrived = [this, request = std::move(request), is_lost,
                      is_answer_lost]() -> std::optional<net::HttpResponse> {
    if (is_lost) return std::nullopt;
    auto answered = answer(request);
    if (is_answer_lost) return std::nullopt;
    return answered;
  };
  return exchange;
}

net::HttpResponse Account::respond(int status, const nlohmann::json& body) const {
  return {status, {{"date", date(now())}, {"content-type", "application/json"}}, body.dump()};
}

nlohmann::json Account::describe(const Message& m, bool is_listed) const {
  const bool hides = is_listed && traits().list == List::redacted;
  const std::string body = hides                                                            ? std::string()
                           : is_listed && traits().list == List::rewritten && !m.is_inbound ? m.body + " STOP to end"
                                                                                            : m.body;
  return {{"sid", m.sid},
          {"direction", m.is_inbound ? "inbound" : "outbound-api"},
          {"from", hides && m.is_inbound ? redacted(m.from) : m.from},
          {"to", hides && !m.is_inbound ? redacted(m.to) : m.to},
          {"body", body},
          {"status", m.status},
          {"num_media", "0"},
          {"date_created", date(m.created)},
          {"date_sent", date(m.created)}};
}

std::optional<net::HttpResponse> Account::answer(const net::HttpRequest& request) {
  const std::string rest = request.url.substr(fmt::format("{}/{}", base_url, name()).size());
  const auto mark = rest.find('?');
  const std::string path = rest.substr(0, mark), query = mark == rest.npos ? std::string() : rest.substr(mark + 1);
  if (fails("overloaded", ++events_) && recorder_.draw.happens(150, "overloaded_now", events_))
    return respond(429, {{"code", 20429}});
  if (request.method == "POST") return take(request);
  if (path == messages_path() + ".json") return list(query);
  for (const Message& m : messages_) {
    if (path == fmt::format("{}/{}.json", messages_path(), m.sid)) return respond(200, describe(m, true));
  }
  return respond(404, {{"code", 20404}});
}

net::HttpResponse Account::take(const net::HttpRequest& request) {
  auto form = fields_of(request.body);
  Part part;
  part.from = form["From"];
  part.to = form["To"];
  part.octets = part.text = form["Body"];
  const auto text = network_.text_of(part);
  if (fails("no_number", hash_of(part.text)) && recorder_.draw.happens(60, "no_number_now", hash_of(part.text)))
    return respond(400, {{"code", 21211}});
  Message m;
  m.sid = fmt::format("SM{:030x}{:02x}", messages_.size(), index_);
  m.from = part.from;
  m.to = part.to;
  m.body = part.text;
  m.status = "queued";
  m.callback = form["StatusCallback"];
  m.created = now();
  m.listed = now() + (traits().list == List::late ? recorder_.draw.between(0, 15 * second, "listed_late", events_) : 0);
  messages_.push_back(m);
  network_.accepted(text, part);
  report(messages_.size() - 1, text, part);
  return respond(201, describe(m, false));
}

// The newest first, in pages. It may filter by what it shows only.
net::HttpResponse Account::list(const std::string& query) const {
  auto filter = fields_of(query);
  nlohmann::json listed = nlohmann::json::array();
  const std::size_t first = filter["Page"].empty() ? 0 : std::stoul(filter["Page"]) * page_size;
  std::size_t found = 0;
  for (auto m = messages_.rbegin(); m != messages_.rend(); ++m) {
    const nlohmann::json shown = describe(*m, true);
    const bool fits = (filter["To"].empty() || filter["To"] == shown["to"].get<std::string>()) &&
                      (filter["From"].empty() || filter["From"] == shown["from"].get<std::string>());
    if (!fits || m->listed > now()) continue;
    if (found++ >= first && listed.size() < page_size) listed.push_back(shown);
  }
  nlohmann::json page = {{"messages", std::move(listed)}};
  if (found > first + page_size) {
    net::FormFields next = {
        {"To", filter["To"]}, {"From", filter["From"]}, {"Page", std::to_string(first / page_size + 1)}};
    page["next_page_uri"] = fmt::format("/{}{}.json?{}", name(), messages_path(), net::to_form(next));
  }
  return respond(200, page);
}

// ---- Webhooks ----

void Account::post(const std::string& target, net::FormFields fields, const std::string& key,
                   std::function<void(int)> answered) const {
  net::ServerRequest request;
  request.method = "POST";
  request.target = target;
  request.headers = {{"content-type", "application/x-www-form-urlencoded"},
                     {"x-twilio-signature", sms::http::sign(key, public_url + target, fields)}};
  request.body = net::to_form(fields);
  post_webhook(std::move(request), std::move(answered));
}

// The text comes to the phone, or not; then the status is told, if it is. Who asks for it gets it all the same.
void Account::report(std::size_t message, std::shared_ptr<PhoneText> text, const Part& part) {
  const std::uint64_t about = hash_of(part.name());
  const Draw& draw = recorder_.draw;
  const bool arrives = !draw.happens(120, "fails_later", about), is_early = draw.happens(200, "early", about);
  const auto ends = [this, message, text, part, arrives, about] {
    messages_[message].status = arrives ? "delivered" : "undelivered";
    if (arrives) network_.at_phone(*text, part);
    const int copies = fails("untold", about) ? 0 : recorder_.draw.happens(150, "told_twice", about) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      tell(message, messages_[message].status, [this, text, part, arrives](int status) {
        if (arrives && status == 200) network_.receipted(*text, part);
      });
    }
  };
  if (is_early) ends();
  else later(now() + delay("phone", about) * 8, ends);
}

void Account::tell(std::size_t message, std::string status, std::function<void(int)> answered) {
  const Message& m = messages_[message];
  net::FormFields fields = {
      {"MessageSid", m.sid}, {"AccountSid", sid}, {"From", m.from}, {"To", m.to}, {"MessageStatus", std::move(status)}};
  post(m.callback.substr(std::string_view(public_url).size()), std::move(fields), token, std::move(answered));
}

void Account::bring(const std::string& tag, int user, int contact) {
  Message m;
  m.sid = fmt::format("SM{:030x}{:02x}", messages_.size(), index_);
  m.is_inbound = true;
  m.from = contact_number(contact);
  m.to = user_number(user);
  m.body = body_of(recorder_.plan, tag);
  m.status = "received";
  m.created = now();
  m.listed =
      now() + (traits().list == List::late ? recorder_.draw.between(0, 15 * second, "listed_late", hash_of(tag)) : 0);
  messages_.push_back(m);
  network_.posted(tag, user, contact, 1, false);
  bring_again(messages_.size() - 1, tag, 1);
  if (recorder_.draw.happens(150, "brought_twice", hash_of(tag))) bring_again(messages_.size() - 1, tag, 1);
}

// Where the list shows it not, it is brought until it is taken.
void Account::bring_again(std::size_t message, const std::string& tag, int attempts) {
  later(now() + delay("webhook", ++events_) + (attempts - 1) * 5 * second, [this, message, tag, attempts] {
    const Message& m = messages_[message];
    net::FormFields fields = {{"MessageSid", m.sid}, {"AccountSid", sid}, {"From", m.from},         {"To", m.to},
                              {"Body", m.body},      {"NumMedia", "0"},   {"SmsStatus", "received"}};
    const bool must_arrive = traits().list == List::redacted || recorder_.draw.happens(500, "insists", hash_of(tag));
    const auto answered = [this, message, tag, attempts, must_arrive](int status) {
      if (status == 200 || status == 404) network_.brought(tag, status == 200);
      else if (must_arrive && attempts < most_attempts) bring_again(message, tag, attempts + 1);
    };
    if (fails("webhook_lost", ++events_) && recorder_.draw.happens(300, "webhook_lost_now", events_)) answered(0);
    else post("/twilio/" + name(), std::move(fields), token, answered);
  });
}

// Somebody else's, who does not know the key.
void Account::report_nonsense(int user) {
  net::FormFields fields = {{"MessageSid", fmt::format("SMforged{}", ++events_)},
                            {"From", contact_number(0)},
                            {"To", user_number(user)},
                            {"Body", "forged for " + user_name(user)},
                            {"NumMedia", "0"}};
  post("/twilio/" + name(), std::move(fields), "another-token", [](int) {});
}

}  // namespace wherry::simulation

#include "connectors/sms/carriers/twilio_api.hpp"

#include "connectors/sms/numbering.hpp"
#include "gateway/base/text.hpp"
#include "gateway/connector/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace wherry::sms::twilio {

namespace {

using nlohmann::json;

constexpr std::size_t kMostSid = 64;
constexpr std::size_t kMostAnswer = 1 << 20;
// A text of 1,600 characters can take six octets for each ("\u0448"), and its description a thousand more.
constexpr std::size_t kPageSize = 100, kMostPage = kPageSize * 12000;
constexpr std::size_t kMostMedia = 100;

net::HttpRequest request(const Setting& setting, std::string url) {
  net::HttpRequest r;
  r.url = std::move(url);
  r.user = setting.user;
  r.password = setting.password.reveal();
  r.limit = setting.request_limit;
  r.most_bytes = kMostAnswer;
  r.headers = {"Accept: application/json"};
  return r;
}

std::string messages_url(const Setting& setting) {
  return fmt::format("{}/2010-04-01/Accounts/{}/Messages", setting.base_url, setting.account_sid);
}

// "https://host:port" of the base URL: what the URIs in answers are relative to.
std::string_view origin(const Setting& setting) {
  const std::string_view url = setting.base_url;
  return url.substr(0, url.find('/', url.find("://") + 3));
}
bool is_path(std::string_view uri) { return uri.starts_with('/') && !uri.starts_with("//"); }

bool is_sid(std::string_view text) {
  const auto fits = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; };
  return !text.empty() && text.size() <= kMostSid && std::all_of(text.begin(), text.end(), fits);
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}
int number_in(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}
// A number, which some answers write as text.
int number_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return 0;
  return found->is_number_integer() ? found->get<int>() : number_in(text_of(object, key));
}

std::optional<json> parse_object(std::string_view text) {
  auto parsed = connector::parse_json(text);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  return std::move(*parsed);
}

std::optional<Message> read_message(const json& source) {
  if (!source.is_object()) return std::nullopt;
  Message m;
  m.sid = text_of(source, "sid");
  if (!is_sid(m.sid)) return std::nullopt;
  m.status = text_of(source, "status");
  m.direction = text_of(source, "direction");
  m.from = text_of(source, "from");
  m.to = text_of(source, "to");
  m.body = text_of(source, "body");
  m.error_code = number_of(source, "error_code");
  m.media = static_cast<unsigned>(std::max(0, number_of(source, "num_media")));
  m.created = parse_date(text_of(source, "date_created"));
  m.sent = parse_date(text_of(source, "date_sent"));
  return m;
}

std::string_view value_of(const net::FormFields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}
std::string_view first_of(const net::FormFields& fields, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (const auto value = value_of(fields, name); !value.empty()) return value;
  }
  return {};
}

Address read_address(std::string_view text) {
  const auto digits = [](std::string_view t) { return !t.empty() && std::all_of(t.begin(), t.end(), [](char c) { return c >= '0' && c <= '9'; }); };
  if (text.starts_with('+') && text.size() <= 16 && digits(text.substr(1))) return {Address::Type::international, std::string(text)};
  if (text.size() >= 3 && text.size() <= 8 && digits(text)) return {Address::Type::short_code, std::string(text)};
  return alphanumeric(text);
}

std::string with_links(std::string_view body, const std::vector<std::string>& links) {
  std::string text(body);
  for (const std::string& link : links) text += (text.empty() ? "" : "\n") + link;
  return text;
}

}  // namespace

net::HttpRequest send_request(const Setting& setting, const OutgoingText& text, std::string_view ref) {
  net::HttpRequest r = request(setting, messages_url(setting) + ".json");
  r.method = "POST";
  r.headers.emplace_back("Content-Type: application/x-www-form-urlencoded");
  net::FormFields fields = {{"To", text.to.text}, {"From", text.from.text}, {"Body", text.text},
                            {"StatusCallback", fmt::format("{}?key={}", setting.webhook_url(), ref)}};
  if (!setting.messaging_service_sid.empty()) fields.emplace_back("MessagingServiceSid", setting.messaging_service_sid);
  if (setting.validity.count() > 0) fields.emplace_back("ValidityPeriod", std::to_string(setting.validity.count()));
  r.body = net::to_form(fields);
  return r;
}

net::HttpRequest list_request(const Setting& setting, const Filter& filter) {
  net::FormFields query;
  if (!filter.to.empty()) query.emplace_back("To", filter.to);
  if (!filter.from.empty()) query.emplace_back("From", filter.from);
  if (filter.since) {
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(*filter.since));
    query.emplace_back("DateSent>", fmt::format("{:04}-{:02}-{:02}T00:00:00Z", static_cast<int>(day.year()),
                                                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day())));
  }
  query.emplace_back("PageSize", std::to_string(kPageSize));
  return page_request(setting, messages_url(setting) + ".json?" + net::to_form(query));
}

net::HttpRequest page_request(const Setting& setting, std::string url) {
  net::HttpRequest r = request(setting, std::move(url));
  r.most_bytes = kMostPage;
  return r;
}

net::HttpRequest message_request(const Setting& setting, std::string_view sid) {
  return request(setting, fmt::format("{}/{}.json", messages_url(setting), sid));
}

net::HttpRequest media_request(const Setting& setting, std::string_view sid) {
  return request(setting, fmt::format("{}/{}/Media.json", messages_url(setting), sid));
}

std::optional<Message> parse_message(std::string_view text) {
  const auto object = parse_object(text);
  return object ? read_message(*object) : std::nullopt;
}

std::optional<Page> parse_page(const Setting& setting, std::string_view text) {
  const auto object = parse_object(text);
  if (!object) return std::nullopt;
  const auto messages = object->find("messages");
  if (messages == object->end() || !messages->is_array()) return std::nullopt;
  Page page;
  for (const json& item : *messages) {
    auto message = read_message(item);
    if (!message) return std::nullopt;  // a list with a hole proves nothing
    page.messages.push_back(std::move(*message));
  }
  // Never to another host: our password would go with it.
  if (const std::string next = text_of(*object, "next_page_uri"); is_path(next)) page.next = std::string(origin(setting)) + next;
  return page;
}

std::optional<std::vector<std::string>> parse_media(const Setting& setting, std::string_view text) {
  const auto object = parse_object(text);
  if (!object) return std::nullopt;
  const auto list = object->find("media_list");
  if (list == object->end() || !list->is_array()) return std::nullopt;
  std::vector<std::string> links;
  for (const json& item : *list) {
    std::string uri = item.is_object() ? text_of(item, "uri") : std::string();
    if (uri.ends_with(".json")) uri.resize(uri.size() - 5);  // the file itself, as a webhook names it
    if (is_path(uri)) links.push_back(std::string(origin(setting)) + uri);
  }
  return links;
}

Webhook read_webhook(std::string_view target, const net::FormFields& fields, base::Time now) {
  const std::string sid(first_of(fields, {"MessageSid", "SmsMessageSid", "SmsSid"}));
  if (!is_sid(sid)) return Nothing{};
  const std::string_view sms_status = value_of(fields, "SmsStatus");
  std::string_view status = value_of(fields, "MessageStatus");
  if (status.empty() && sms_status != "received" && sms_status != "receiving") status = sms_status;
  if (!status.empty()) {
    Report report;
    if (const auto mark = target.find('?'); mark != target.npos) {
      if (const auto query = net::parse_form(target.substr(mark + 1))) report.ref = value_of(*query, "key");
    }
    report.sid = sid;
    report.status = status;
    report.error_code = number_in(value_of(fields, "ErrorCode"));
    return report;
  }

  const std::string_view from = value_of(fields, "From"), to = value_of(fields, "To");
  if (from.empty() || to.empty()) return Nothing{};
  std::vector<std::string> links;
  const auto media = std::min(static_cast<std::size_t>(std::max(0, number_in(value_of(fields, "NumMedia")))), kMostMedia);
  for (std::size_t i = 0; i < media; ++i) {
    if (const auto url = value_of(fields, fmt::format("MediaUrl{}", i)); !url.empty()) links.emplace_back(url);
  }
  return IncomingText{sid, read_address(from), read_address(to), with_links(value_of(fields, "Body"), links), now};
}

IncomingText to_incoming(const Message& message, const std::vector<std::string>& links, base::Time now) {
  return {message.sid, read_address(message.from), read_address(message.to), with_links(message.body, links), message.time().value_or(now)};
}

std::optional<base::Time> parse_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() > 40) return std::nullopt;
  const std::string source(text);
  std::array<char, 4> month{};
  std::array<char, 6> zone{};
  unsigned day = 0, hour = 0, minute = 0, second = 0;
  int year = 0;
  if (std::sscanf(source.c_str(), "%*3[A-Za-z], %2u %3[A-Za-z] %4d %2u:%2u:%2u %5s", &day, month.data(), &year, &hour, &minute, &second,
                  zone.data()) != 7) {
    return std::nullopt;
  }
  const auto found = std::find(kMonths.begin(), kMonths.end(), std::string_view(month.data()));
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(found - kMonths.begin() + 1)),
                                         std::chrono::day(day));
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;

  const std::string_view offset(zone.data());
  std::chrono::minutes east(0);
  if (offset.size() == 5 && (offset[0] == '+' || offset[0] == '-')) {
    const int digits = number_in(offset.substr(1));
    east = std::chrono::minutes((offset[0] == '-' ? -1 : 1) * (digits / 100 * 60 + digits % 100));
  } else if (offset != "GMT" && offset != "UTC") {
    return std::nullopt;
  }
  return base::Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) - east;
}

std::size_t utf16_length(std::string_view utf8) {
  std::size_t length = 0;
  for (const char c : utf8) {
    const auto octet = static_cast<unsigned char>(c);
    if ((octet & 0xC0) != 0x80) length += octet >= 0xF0 ? 2 : 1;
  }
  return length;
}

}  // namespace wherry::sms::twilio

#include "connectors/sms/http/api/values.hpp"

#include "connectors/sms/text/numbering.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace wherry::sms::http {

namespace {

using nlohmann::json;

constexpr std::size_t most_id = 64;
constexpr std::size_t most_shown = 10;  // of the numbers of a group

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Address read_address(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('+') ? 1 : 0);
  if (digits.size() < text.size() && international_number(digits))
    return {Address::Type::international, std::string(text)};
  // Also a short code behind a '+': as a number nobody could answer it.
  if (is_digits(digits)) return as_written(digits);
  return alphanumeric(text);
}

struct DateParts {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

// `zone`: "+0200", "+02:00", "Z", "GMT", "UTC".
std::optional<base::Time> to_time(const DateParts& d, std::string_view zone) {
  const std::chrono::year_month_day date(std::chrono::year(d.year), std::chrono::month(d.month),
                                         std::chrono::day(d.day));
  if (!date.ok() || d.hour > 23 || d.minute > 59 || d.second > 60) return std::nullopt;
  std::chrono::minutes east(0);
  const bool has_colon = zone.size() == 6 && zone[3] == ':';
  if ((zone.size() == 5 || has_colon) && (zone[0] == '+' || zone[0] == '-')) {
    const auto digits = to_number(zone.substr(1, 2)) * 60 + to_number(zone.substr(has_colon ? 4 : 3));
    east = std::chrono::minutes(zone[0] == '-' ? -digits : digits);
  } else if (zone != "GMT" && zone != "UTC" && zone != "Z") {
    return std::nullopt;
  }
  return time_of(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(d.hour) +
                 std::chrono::minutes(d.minute) + std::chrono::seconds(d.second) - east);
}

std::optional<base::Time> parse_rfc2822(const std::string& source) {
  static constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 4> month{};
  std::array<char, 6> zone{};
  DateParts d;
  if (std::sscanf(source.c_str(), "%*3[A-Za-z], %2u %3[A-Za-z] %4d %2u:%2u:%2u %5s", &d.day, month.data(), &d.year,
                  &d.hour, &d.minute, &d.second, zone.data()) != 7) {
    return std::nullopt;
  }
  const auto found = std::find(month_names.begin(), month_names.end(), std::string_view(month.data()));
  d.month = static_cast<unsigned>(found - month_names.begin() + 1);
  return to_time(d, zone.data());
}

// Parts of a second are dropped.
std::optional<base::Time> parse_rfc3339(const std::string& source) {
  std::array<char, 2> mark{};
  int length = 0;
  DateParts d;
  if (std::sscanf(source.c_str(), "%4d-%2u-%2u%1[Tt ]%2u:%2u:%2u%n", &d.year, &d.month, &d.day, mark.data(), &d.hour,
                  &d.minute, &d.second, &length) != 7) {
    return std::nullopt;
  }
  std::string_view zone = std::string_view(source).substr(static_cast<std::size_t>(length));
  if (zone.starts_with('.')) zone.remove_prefix(std::min(zone.size(), zone.find_first_not_of("0123456789", 1)));
  return to_time(d, zone.empty() && mark[0] == ' ' ? "Z" : zone);
}

// Seconds have ten digits from 2001 to 2286 (of which those to 2255 are read), milliseconds three more.
std::optional<base::Time> parse_epoch(std::string_view digits) {
  if (digits.size() == 10) return time_of(std::chrono::seconds(to_number(digits)));
  if (digits.size() != 13) return std::nullopt;
  const std::chrono::milliseconds written(to_number(digits)), whole = std::chrono::floor<std::chrono::seconds>(written);
  const auto time = time_of(std::chrono::floor<std::chrono::seconds>(written));
  return time ? std::optional<base::Time>(*time + (written - whole)) : std::nullopt;
}

// An answer goes to the sender alone: who reads this must know that others do.
std::string group_line(const std::vector<std::string>& others) {
  const std::size_t shown = std::min(others.size(), most_shown);
  std::string line =
      fmt::format("[To you, {}", fmt::join(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < others.size()) line += fmt::format(" and {} more", others.size() - shown);
  return line + "]";
}

std::string lost_line(std::int64_t files) {
  const std::string what = files == 1 ? "A file" : fmt::format("{} files", files);
  return fmt::format("[{} of this message did not come. Ask the sender to send again.]", what);
}

}  // namespace

std::optional<base::Time> time_of(std::chrono::seconds since_1970) {
  constexpr std::chrono::seconds latest{9'000'000'000};  // in 2255; the clock's last second is in 2262
  if (since_1970.count() < 0 || since_1970 > latest) return std::nullopt;
  return base::Time(since_1970);
}

std::optional<json> parse_object(std::string_view text) {
  auto parsed = parse_forgivingly(text);
  return parsed && parsed->is_object() ? std::move(parsed) : std::nullopt;
}

std::string text_in(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t to_number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

int number_in(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return 0;
  return found->is_number_integer() ? found->get<int>() : static_cast<int>(to_number(text_in(object, key)));
}

std::string_view value_of(const net::FormFields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

std::string value_in_query(std::string_view url, std::string_view name) {
  const auto mark = url.find('?');
  if (mark == url.npos) return {};
  const auto fields = net::parse_form(url.substr(mark + 1));
  return fields ? std::string(value_of(*fields, name)) : std::string();
}

bool is_in_query(const net::ServerRequest& request) {
  return request.method == "GET" || base::trim(request.body).empty();
}

net::FormFields fields_of(const net::ServerRequest& request) {
  const auto mark = request.target.find('?');
  const std::string query = mark == request.target.npos ? std::string() : request.target.substr(mark + 1);
  const auto fields = net::parse_form(is_in_query(request) ? query : request.body);
  return fields ? *fields : net::FormFields();
}

bool is_redacted(std::string_view number) {
  return number.starts_with('+') && number.find_first_of("Xx") != number.npos &&
         number.find_first_not_of("+0123456789Xx") == number.npos;
}

bool is_id(std::string_view text) { return !text.empty() && text.size() <= most_id && consists_of(text, "-_"); }

std::optional<base::Time> parse_date(std::string_view text) {
  if (text.size() > 40) return std::nullopt;
  if (is_digits(text)) return parse_epoch(text);
  const std::string source(text);
  return !source.empty() && source.front() >= '0' && source.front() <= '9' ? parse_rfc3339(source)
                                                                           : parse_rfc2822(source);
}

IncomingText to_incoming(const Message& message, base::Time now) {
  const bool hides_sender = is_redacted(message.from);
  std::vector<std::string> lines;
  if (hides_sender) lines.push_back(fmt::format("[From {}: the SMS service hides the number.]", message.from));
  if (!message.others.empty()) lines.push_back(group_line(message.others));
  if (!message.text.empty()) lines.push_back(message.text);
  if (message.lost_files > 0) lines.push_back(lost_line(message.lost_files));

  IncomingText incoming;
  incoming.id = message.id;
  incoming.from = hides_sender ? alphanumeric({}) : read_address(message.from);
  incoming.to = read_address(message.to);
  incoming.text = fmt::format("{}", fmt::join(lines, "\n"));
  incoming.sent_at = message.time().value_or(now);
  for (const std::string& link : message.links) incoming.files.push_back({link, {}, 0});
  return incoming;
}

std::size_t utf16_length(std::string_view utf8) {
  std::size_t length = 0;
  for (const char c : utf8) {
    const auto octet = static_cast<unsigned char>(c);
    if ((octet & 0xC0) != 0x80) length += octet >= 0xF0 ? 2 : 1;
  }
  return length;
}

}  // namespace wherry::sms::http

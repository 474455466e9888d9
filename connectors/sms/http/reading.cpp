#include "connectors/sms/http/reading.hpp"

#include "connectors/sms/numbering.hpp"
#include "gateway/connector/json_text.hpp"

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

Address read_address(std::string_view text) {
  const auto digits = [](std::string_view t) { return !t.empty() && std::all_of(t.begin(), t.end(), [](char c) { return c >= '0' && c <= '9'; }); };
  if (text.starts_with('+') && text.size() <= 16 && digits(text.substr(1))) return {Address::Type::international, std::string(text)};
  if (text.size() >= 3 && text.size() <= 8 && digits(text)) return {Address::Type::short_code, std::string(text)};
  return alphanumeric(text);
}

// An answer goes to the sender alone: who reads this must know that others do.
std::string group_line(const std::vector<std::string>& others) {
  if (others.empty()) return {};
  const std::size_t shown = std::min(others.size(), most_shown);
  std::string line = fmt::format("[To you, {}", fmt::join(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < others.size()) line += fmt::format(" and {} more", others.size() - shown);
  return line + "]";
}

std::string lost_line(std::int64_t files) {
  const std::string what = files == 1 ? "A file" : fmt::format("{} files", files);
  return fmt::format("[{} of this message did not come. Ask the sender to send again.]", what);
}

}  // namespace

std::optional<json> parse_object(std::string_view text) {
  auto parsed = connector::parse_json(text);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  return std::move(*parsed);
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

bool is_id(std::string_view text) { return !text.empty() && text.size() <= most_id && consists_of(text, "-_"); }

std::optional<base::Time> parse_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
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
  const auto found = std::find(month_names.begin(), month_names.end(), std::string_view(month.data()));
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(found - month_names.begin() + 1)),
                                         std::chrono::day(day));
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;

  const std::string_view offset(zone.data());
  std::chrono::minutes east(0);
  if (offset.size() == 5 && (offset[0] == '+' || offset[0] == '-')) {
    const auto digits = to_number(offset.substr(1));
    east = std::chrono::minutes((offset[0] == '-' ? -1 : 1) * (digits / 100 * 60 + digits % 100));
  } else if (offset != "GMT" && offset != "UTC") {
    return std::nullopt;
  }
  return base::Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) - east;
}

IncomingText to_incoming(const Message& message, base::Time now) {
  std::string text = group_line(message.others);
  if (!text.empty() && !message.text.empty()) text += "\n";
  text += message.text;
  if (message.lost_files > 0) text += (text.empty() ? "" : "\n") + lost_line(message.lost_files);
  IncomingText incoming{message.id, read_address(message.from), read_address(message.to), std::move(text), message.time().value_or(now)};
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

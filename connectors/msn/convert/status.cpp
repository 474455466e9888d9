#include "connectors/msn/convert/status.hpp"

#include "connectors/msn/convert/percent.hpp"
#include "gateway/base/text.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace wherry::msn {

using connector::Availability;

namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> entities = {
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};

std::string escape_xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') escaped += "&amp;";
    else if (c == '<') escaped += "&lt;";
    else if (c == '>') escaped += "&gt;";
    else if (byte < 0x20 || byte == 0x7f) escaped += ' ';
    else escaped += c;
  }
  return escaped;
}

void append_utf8(std::string& text, std::uint32_t c) {
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += static_cast<char>(0xC0 | c >> 6);
    text += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    text += static_cast<char>(0xE0 | c >> 12);
    text += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | c >> 18);
    text += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (c & 0x3F));
  }
}

// "&#233;" or "&#xE9;" at the beginning: the character and how long that is.
std::optional<std::pair<std::uint32_t, std::size_t>> read_numeric_entity(std::string_view text) {
  if (!text.starts_with("&#")) return std::nullopt;
  const auto end = text.substr(0, 12).find(';');
  if (end == text.npos) return std::nullopt;
  std::string_view digits = text.substr(2, end - 2);
  const bool is_hex = digits.starts_with('x') || digits.starts_with('X');
  if (is_hex) digits.remove_prefix(1);
  std::uint32_t c = 0;
  const auto [stop, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), c, is_hex ? 16 : 10);
  const bool is_character = c >= 0x20 && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
  if (failed != std::errc() || stop != digits.data() + digits.size() || !is_character) return std::nullopt;
  return std::pair(c, end + 1);
}

std::string unescape_xml(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    std::size_t taken = 1;
    char c = text.front();
    if (c == '&') {
      if (const auto numeric = read_numeric_entity(text)) {
        append_utf8(plain, numeric->first);
        text.remove_prefix(numeric->second);
        continue;
      }
      for (const auto& [entity, letter] : entities) {
        if (!text.starts_with(entity)) continue;
        c = letter;
        taken = entity.size();
      }
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) plain += c;
    text.remove_prefix(taken);
  }
  return plain;
}

}  // namespace

Availability to_availability(std::string_view code) {
  if (code == "FLN" || code == "HDN") return Availability::offline;
  if (code == "BSY" || code == "PHN") return Availability::do_not_disturb;
  if (code == "AWY" || code == "IDL" || code == "BRB" || code == "LUN") return Availability::away;
  return Availability::online;
}

std::string to_status_code(Availability availability) {
  switch (availability) {
    case Availability::do_not_disturb: return "BSY";
    case Availability::away:
    case Availability::extended_away:
    case Availability::offline: return "AWY";
    case Availability::online:
    case Availability::chat: return "NLN";
  }
  return "NLN";
}

std::string to_personal_message(std::string_view text) {
  const std::string escaped = escape_xml(base::utf8_prefix(text, most_personal_message_bytes));
  return "<Data><PSM>" + escaped + "</PSM><CurrentMedia></CurrentMedia></Data>";
}

std::string parse_personal_message(std::string_view xml) {
  const auto begin = xml.find("<PSM>");
  if (begin == xml.npos) return {};
  const std::string_view rest = xml.substr(begin + 5);
  const auto end = rest.find("</PSM>");
  if (end == rest.npos) return {};
  return to_utf8(unescape_xml(rest.substr(0, end)));
}

}  // namespace wherry::msn

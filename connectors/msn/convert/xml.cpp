#include "connectors/msn/convert/xml.hpp"

#include "connectors/msn/convert/percent.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace wherry::msn {

namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> entities = {
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};

bool is_line_or_tab(std::uint32_t c) { return c == '\t' || c == '\n' || c == '\r'; }
bool is_kept(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return is_line_or_tab(byte) || (byte >= 0x20 && byte != 0x7f);
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
  const bool is_character = (c >= 0x20 || is_line_or_tab(c)) && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
  if (failed != std::errc() || stop != digits.data() + digits.size() || !is_character) return std::nullopt;
  return std::pair(c, end + 1);
}

// Where a tag of that name begins, from `from` on, and what lies before its end: "<q0:name xmlns='…'>" or "</name>".
struct Tag {
  std::size_t begin, end;  // from its "<" to behind its ">"
  bool is_empty;           // "<name/>"
};
std::optional<Tag> find_tag(std::string_view xml, std::string_view name, bool is_closing, std::size_t from) {
  for (auto at = xml.find('<', from); at != xml.npos; at = xml.find('<', at + 1)) {
    const auto end = xml.find_first_of("<>", at + 1);
    if (end == xml.npos) return std::nullopt;
    if (xml[end] == '<') continue;
    std::string_view inside = xml.substr(at + 1, end - at - 1);
    if (inside.starts_with('/') != is_closing) continue;
    if (is_closing) inside.remove_prefix(1);
    const bool is_empty = inside.ends_with('/');
    if (is_empty) inside.remove_suffix(1);
    inside = inside.substr(0, inside.find_first_of(" \t\r\n"));
    if (const auto colon = inside.find(':'); colon != inside.npos) inside.remove_prefix(colon + 1);
    if (inside == name) return Tag{at, end + 1, is_empty};
  }
  return std::nullopt;
}

}  // namespace

std::string escape_xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') escaped += "&amp;";
    else if (c == '<') escaped += "&lt;";
    else if (c == '>') escaped += "&gt;";
    else if (c == '"') escaped += "&quot;";
    else if (c == '\'') escaped += "&apos;";
    else escaped += is_kept(c) ? c : ' ';
  }
  return escaped;
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
    if (is_kept(c)) plain += c;
    text.remove_prefix(taken);
  }
  return to_utf8(plain);
}

std::optional<std::string_view> find_element(std::string_view xml, std::string_view name) {
  const auto opening = find_tag(xml, name, false, 0);
  if (!opening) return std::nullopt;
  if (opening->is_empty) return xml.substr(opening->end, 0);
  const auto closing = find_tag(xml, name, true, opening->end);
  if (!closing) return std::nullopt;
  return xml.substr(opening->end, closing->begin - opening->end);
}

std::string element_text(std::string_view xml, std::string_view name) {
  return unescape_xml(find_element(xml, name).value_or(std::string_view()));
}

}  // namespace wherry::msn

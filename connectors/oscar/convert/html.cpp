#include "connectors/oscar/convert/html.hpp"

#include "gateway/base/text.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace wherry::oscar {

namespace {

constexpr std::size_t longest_entity = 10;

struct Named {
  std::string_view name, text;
};
constexpr std::array<Named, 6> entities{
    {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}}};

std::string to_utf8(std::uint32_t c) {
  std::string out;
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
  return out;
}

// Of "amp", "#233", "#xE9".
std::optional<std::string> entity(std::string_view name) {
  for (const Named& one : entities) {
    if (name == one.name) return std::string(one.text);
  }
  if (!name.starts_with('#')) return std::nullopt;
  name.remove_prefix(1);
  const bool is_hex = name.starts_with('x') || name.starts_with('X');
  if (is_hex) name.remove_prefix(1);
  std::uint32_t c = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), c, is_hex ? 16 : 10);
  const bool is_character = c != 0 && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
  if (error != std::errc() || end != name.data() + name.size() || !is_character) return std::nullopt;
  return to_utf8(c);
}

// "a" of "<a href=…>", "/p" of "</p>".
std::string name_of(std::string_view tag) {
  const auto end = tag.find_first_of(" \t\r\n", 1);
  std::string_view name = tag.substr(0, end);
  if (name.size() > 1 && name.ends_with('/')) name.remove_suffix(1);
  return base::to_lower_ascii(name);
}

std::string address_of(std::string_view tag) {
  const auto at = base::to_lower_ascii(tag).find("href=");
  if (at == std::string::npos) return {};
  std::string_view value = tag.substr(at + 5);
  if (value.empty()) return {};
  const bool is_quoted = value[0] == '"' || value[0] == '\'';
  const auto end = is_quoted ? value.find(value[0], 1) : value.find_first_of(" \t\r\n");
  value = value.substr(0, end);
  if (is_quoted) value.remove_prefix(1);
  return html_to_text(value);
}

class Reading {
 public:
  explicit Reading(std::string_view html) : rest_(html) {}

  std::string text() {
    while (!rest_.empty()) {
      if (rest_[0] == '<' && take_tag()) continue;
      if (rest_[0] == '&' && take_entity()) continue;
      if (rest_[0] == '\r' || rest_[0] == '\n') {  // no more than a space (HTML 4.01 §9.1)
        if (!out_.empty() && out_.back() != ' ' && out_.back() != '\n') out_ += ' ';
        rest_.remove_prefix(1);
        continue;
      }
      out_ += rest_[0];
      rest_.remove_prefix(1);
    }
    return std::move(out_);
  }

 private:
  bool take_tag() {
    if (rest_.starts_with("<!--")) {
      const auto end = rest_.find("-->", 4);
      rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 3);
      return true;
    }
    const auto end = rest_.find('>');
    const bool is_tag = end != rest_.npos && end > 1 &&
                        (std::isalpha(static_cast<unsigned char>(rest_[1])) || rest_[1] == '/' || rest_[1] == '!');
    if (!is_tag) return false;  // a "less than" that nobody has escaped
    const std::string_view tag = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    const std::string name = name_of(tag);
    if (name == "br" || name == "/p" || name == "/div" || name == "hr") out_ += '\n';
    else if (name == "a") begin_link(tag);
    else if (name == "/a") end_link();
    return true;
  }

  bool take_entity() {
    const auto end = rest_.substr(0, longest_entity + 2).find(';');
    if (end == rest_.npos) return false;
    const auto text = entity(rest_.substr(1, end - 1));
    if (!text) return false;
    out_ += *text;
    rest_.remove_prefix(end + 1);
    return true;
  }

  void begin_link(std::string_view tag) {
    address_ = address_of(tag);
    link_begins_ = out_.size();
  }
  void end_link() {
    const std::string address = std::exchange(address_, {});
    const std::string shown = out_.substr(link_begins_);
    if (address.empty() || address == shown || address == "mailto:" + shown || address == "http://" + shown) return;
    out_ += shown.empty() ? address : " (" + address + ")";
  }

  std::string_view rest_;
  std::string out_, address_;
  std::size_t link_begins_ = 0;
};

}  // namespace

bool is_html(std::string_view text) {
  const std::string start = base::to_lower_ascii(base::trim(text.substr(0, 200)));
  const bool begins = start.starts_with("<html") || start.starts_with("<body") || start.starts_with("<font") ||
                      start.starts_with("<!doctype");
  return begins && text.find("</") != text.npos;  // else somebody writes about HTML
}

std::string html_to_text(std::string_view html) {
  std::string text = Reading(html).text();
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

std::string text_to_html(std::string_view text) {
  std::string html;
  for (const char c : text) {
    if (c == '&') html += "&amp;";
    else if (c == '<') html += "&lt;";
    else if (c == '>') html += "&gt;";
    else if (c == '\n') html += "<br>";
    else if (c != '\r') html += c;
  }
  return html;
}

}  // namespace wherry::oscar

// application/x-www-form-urlencoded (WHATWG URL §5).
#include "gateway/net/http_client.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace wherry::net {

namespace {

// §5.2: everything else is percent-encoded, and the space becomes a plus sign.
bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '*' || c == '-' ||
         c == '.' || c == '_';
}

void append_encoded(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 15];
    }
  }
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      plain += ' ';
    } else if (text[i] != '%') {
      plain += text[i];
    } else {
      const bool whole = i + 2 < text.size();
      const int high = whole ? digit(text[i + 1]) : -1, low = whole ? digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      plain += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return plain;
}

}  // namespace

std::string to_form(const FormFields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    if (!text.empty()) text += '&';
    append_encoded(text, name);
    text += '=';
    append_encoded(text, value);
  }
  return text;
}

base::Result<FormFields> parse_form(std::string_view text, std::size_t most) {
  FormFields fields;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const std::string_view field = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (field.empty()) continue;  // §5.1 step 3.1
    if (fields.size() == most)
      return base::Error{base::Errc::bad_input, "the form has more than " + std::to_string(most) + " fields"};
    const auto equals = field.find('=');
    auto name = decoded(field.substr(0, equals));
    auto value = decoded(equals == field.npos ? std::string_view() : field.substr(equals + 1));
    if (!name || !value)
      return base::Error{base::Errc::bad_input, "the form has a percent sign without two hexadecimal digits"};
    fields.emplace_back(std::move(*name), std::move(*value));
  }
  return fields;
}

}  // namespace wherry::net

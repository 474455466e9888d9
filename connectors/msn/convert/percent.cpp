#include "connectors/msn/convert/percent.hpp"

#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <optional>

namespace wherry::msn {

namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~' || c == '@';
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

std::string to_percent(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (is_plain(c)) encoded += c;
    else encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

std::string from_percent(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%' && i + 2 < text.size()) {
      const auto high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high && low) {
        c = static_cast<char>(*high << 4 | *low);
        i += 2;
      }
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) decoded += c;
  }
  return to_utf8(decoded);
}

std::string to_utf8(std::string_view text) {
  if (base::is_utf8(text)) return std::string(text);
  std::string mended;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      mended += c;
    } else {
      mended += static_cast<char>(0xC0 | byte >> 6);
      mended += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return mended;
}

}  // namespace wherry::msn

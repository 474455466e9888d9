#include "connectors/sms/text/storage_key.hpp"

#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>

namespace wherry::sms {

std::string escape_key(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                       c == '_' || c == '-' || c == ':' || c == '+';
    if (plain) out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string unescape_key(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = text[i] == '%' ? base::from_hex(text.substr(i + 1, 2)) : std::nullopt;
    if (octet && octet->size() == 1) {
      out += *octet;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string digest(std::string_view octets) {
  std::array<unsigned char, 16> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(octets.data()), octets.size(),
                     nullptr, 0);
  return base::to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

}  // namespace wherry::sms

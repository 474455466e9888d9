#include "connectors/sms/smpp/address.hpp"

#include "connectors/sms/encoding.hpp"
#include "connectors/sms/numbering.hpp"

#include <algorithm>

namespace wherry::sms::smpp {

namespace {

// SMPP 3.4 §5.2.5, §5.2.6
constexpr std::uint8_t ton_international = 1, ton_national = 2, ton_alphanumeric = 5, npi_isdn = 1;
constexpr std::size_t shortest_subscriber = 7;  // fewer equal digits at the end say little

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

// The field is ASCII by SMPP and GSM 7 by what handsets send. They agree on letters and digits; below 0x20 only GSM 7
// has characters, above it '@', '_' and '$' are likelier meant than '¡', '§' and '¤'. Latin-1 and UTF-8 also occur.
std::string alphanumeric_text(std::string_view octets) {
  std::u32string text;
  bool high = false;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    high = high || octet > 0x7F;
    if (octet < 0x20) text += from_gsm7(std::string_view(&c, 1));
    else text += octet;
  }
  const std::string utf8 = to_utf8(to_code_points(octets));
  return high && utf8 == octets ? utf8 : to_utf8(text);
}

// A short code stays one, also where the peer calls it international; more digits than E.164 has are a name.
Address international(std::string_view digits) {
  const std::string_view whole = digits;
  while (digits.starts_with("00")) digits.remove_prefix(2);
  if (digits.size() > 15) return {Address::Type::alphanumeric, std::string(whole)};
  if (digits.size() < 7 || digits.starts_with('0')) return {Address::Type::short_code, std::string(whole.substr(0, 8))};
  return {Address::Type::international, "+" + std::string(digits)};
}

// A number of `region`, or what its digits alone tell.
Address national(const std::string& digits, const AddressRules& rules) {
  const auto parsed = parse_number(digits, rules.region);
  if (parsed && parsed->type == Address::Type::international) return *parsed;
  return digits.size() <= 8 ? Address{Address::Type::short_code, digits} : international(digits);
}

}  // namespace

base::Result<NetworkAddress> to_network(const Address& address, const AddressRules& rules) {
  switch (address.type) {
    case Address::Type::international: return NetworkAddress{ton_international, npi_isdn, address.text.substr(1)};
    case Address::Type::short_code: return NetworkAddress{rules.short_code_ton, rules.short_code_npi, address.text};
    case Address::Type::alphanumeric: {
      // Only what ASCII and GSM 7 write alike; '@' would even be a NUL and end the field.
      const auto plain = [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == ' ' || c == '-' || c == '.' || c == '&' || c == '+'; };
      if (address.text.empty() || address.text.size() > 11 || !std::all_of(address.text.begin(), address.text.end(), plain)) {
        return base::Error{base::Errc::bad_input, "“" + address.text + "” cannot be a sender: at most 11 letters, digits and spaces."};
      }
      return NetworkAddress{ton_alphanumeric, 0, address.text};
    }
  }
  return base::Error{base::Errc::bad_input, "unknown kind of address"};
}

Address from_network(const NetworkAddress& address, const AddressRules& rules) {
  std::string digits = address.digits;
  const bool plus = digits.starts_with('+');
  if (plus) digits.erase(0, 1);
  if (address.ton == ton_alphanumeric || !all_digits(digits)) return alphanumeric(alphanumeric_text(address.digits));
  if (plus || address.ton == ton_international) return international(digits);
  for (const std::string& ours : rules.numbers) {
    if (ours == digits) return {Address::Type::short_code, digits};
    if (ours == "+" + digits) return {Address::Type::international, ours};
  }
  if (address.ton == ton_national) return national(digits, rules);
  switch (rules.unknown_ton) {
    case UnknownTon::international: return international(digits);
    case UnknownTon::national: return national(digits, rules);
    case UnknownTon::guess: break;
  }
  if (digits.size() <= 6) return {Address::Type::short_code, digits};
  if (digits.starts_with("00")) return international(digits);
  const auto whole = parse_number("+" + digits, {});
  if (whole && !region_of(*whole).empty() && digits[0] != '0') return *whole;
  return national(digits, rules);
}

bool may_be_same(const Address& ours, const NetworkAddress& theirs) {
  std::string_view a = ours.text, b = theirs.digits;
  for (std::string_view* text : {&a, &b}) {
    while (!text->empty() && !is_digit(text->front())) text->remove_prefix(1);
    while (text->starts_with('0')) text->remove_prefix(1);
  }
  if (a == b) return !a.empty();
  return std::min(a.size(), b.size()) >= shortest_subscriber && (a.ends_with(b) || b.ends_with(a));
}

}  // namespace wherry::sms::smpp

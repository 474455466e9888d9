#include "connectors/sms/smpp/address.hpp"

#include "connectors/sms/text/encoding.hpp"
#include "connectors/sms/text/numbering.hpp"

#include <algorithm>
#include <iterator>

namespace wherry::sms::smpp {

namespace {

// SMPP 3.4 §5.2.5, §5.2.6
constexpr std::uint8_t ton_international = 1, ton_national = 2, ton_alphanumeric = 5;
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

// The digits as they were meant: some carriers write a number as people do. A '+' stays in front of them.
std::string without_separators(const std::string& written) {
  std::string digits;
  for (const char c : written) {
    if (std::string_view(" -./()").find(c) == std::string_view::npos) digits += c;
  }
  const bool number =
      digits.size() >= shortest_subscriber && all_digits(std::string_view(digits).substr(digits[0] == '+' ? 1 : 0));
  return number ? digits : written;
}

// Of a number that is written in any way: without plus, noughts and what else may be in front of it.
std::string_view without_prefix(std::string_view text) {
  while (!text.empty() && !is_digit(text.front())) text.remove_prefix(1);
  while (text.starts_with('0')) text.remove_prefix(1);
  return text;
}

// Too few for a number with its country's code.
bool is_short(std::string_view digits) { return digits.size() < shortest_subscriber; }

// Behind a '+', or said to be. A short code stays one, also where the peer calls it international.
Address international(const std::string& written, const AddressRules& rules) {
  std::string_view digits = written;
  while (digits.starts_with("00")) digits.remove_prefix(2);
  if (is_short(digits)) return as_written(written);
  if (digits.starts_with('0')) {  // a national number under a wrong label
    return number_in(digits, rules.region, Likelihood::possible).value_or(as_written(written));
  }
  if (auto known = number_abroad(digits, Likelihood::local)) return *known;
  if (auto mislabelled = number_in(digits, rules.region, Likelihood::valid)) return *mislabelled;
  return international_number(digits).value_or(as_written(written));
}

// What a person at home would mean by these digits, valid or not; a short code is no number.
std::optional<Address> possible_at_home(const std::string& digits, const AddressRules& rules) {
  if (rules.region.empty()) return std::nullopt;
  const auto parsed = parse_number(digits, rules.region);
  if (!parsed || parsed->type != Address::Type::international) return std::nullopt;
  // A zero too many may be kept at first; what does not read back as itself cannot be answered.
  const auto again = parse_number(parsed->text, rules.region);
  if (!again || again->text != parsed->text) return std::nullopt;
  return *parsed;
}

Address national(const std::string& digits, const AddressRules& rules) {
  if (is_short(digits)) return possible_at_home(digits, rules).value_or(as_written(digits));
  if (auto valid = number_in(digits, rules.region, Likelihood::valid)) return *valid;
  if (auto possible = possible_at_home(digits, rules)) return *possible;
  if (digits.starts_with("00")) return international(digits, rules);
  return number_abroad(digits, Likelihood::valid).value_or(as_written(digits));
}

Address guess(const std::string& digits, const AddressRules& rules) {
  if (is_short(digits)) return possible_at_home(digits, rules).value_or(as_written(digits));
  const auto at_home = number_in(digits, rules.region, Likelihood::valid),
             abroad = number_abroad(digits, Likelihood::valid);
  const bool lacks_zero = !digits.starts_with('0') && has_trunk_zero(rules.region);  // then it is not how it is dialled
  if (at_home && !(lacks_zero && abroad)) return *at_home;
  if (digits.starts_with("00")) return international(digits, rules);
  if (abroad) return *abroad;
  if (auto possible = possible_at_home(digits, rules)) return *possible;
  return number_abroad(digits, Likelihood::possible).value_or(as_written(digits));
}

std::string_view digits_of(const std::string& number) {
  return std::string_view(number).substr(number.starts_with('+') ? 1 : 0);
}

bool ends_before(std::string_view digits, std::string_view others) {
  return std::lexicographical_compare(digits.rbegin(), digits.rend(), others.rbegin(), others.rend());
}

// The first of ours, in their order, whose digits end so; those that are just these digits come before longer ones.
std::vector<std::string>::const_iterator first_ending(const std::vector<std::string>& numbers, std::string_view end) {
  return std::lower_bound(numbers.begin(), numbers.end(), end, [](const std::string& ours, std::string_view wanted) {
    return ends_before(digits_of(ours), wanted);
  });
}

bool is_ours(const std::string& number, const std::vector<std::string>& numbers) {
  const std::string_view digits = digits_of(number);
  for (auto ours = first_ending(numbers, digits); ours != numbers.end() && digits_of(*ours) == digits; ++ours) {
    if (*ours == number) return true;
  }
  return false;
}

Address address_of(const std::string& ours) {
  return {ours.starts_with('+') ? Address::Type::international : Address::Type::short_code, ours};
}

base::Result<NetworkAddress> to_network(const Address& address, const AddressRules& rules, std::uint8_t ton,
                                        std::uint8_t npi) {
  switch (address.type) {
    case Address::Type::international: return NetworkAddress{ton, npi, address.text.substr(rules.plus ? 0 : 1)};
    case Address::Type::short_code: return NetworkAddress{rules.short_code_ton, rules.short_code_npi, address.text};
    case Address::Type::alphanumeric: {
      // Only what ASCII and GSM 7 write alike; '@' would even be a NUL and end the field.
      const auto plain = [](char c) {
        return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == ' ' || c == '-' || c == '.' ||
               c == '&' || c == '+';
      };
      if (address.text.empty() || address.text.size() > 11 ||
          !std::all_of(address.text.begin(), address.text.end(), plain)) {
        return base::Error{base::Errc::bad_input,
                           "“" + address.text + "” cannot be a sender: at most 11 letters, digits and spaces."};
      }
      return NetworkAddress{ton_alphanumeric, 0, address.text};
    }
  }
  return base::Error{base::Errc::bad_input, "unknown kind of address"};
}

}  // namespace

std::vector<std::string> by_ending(std::vector<std::string> numbers) {
  std::stable_sort(numbers.begin(), numbers.end(),
                   [](const std::string& a, const std::string& b) { return ends_before(digits_of(a), digits_of(b)); });
  return numbers;
}

base::Result<NetworkAddress> source_to_network(const Address& address, const AddressRules& rules) {
  return to_network(address, rules, rules.source_ton, rules.source_npi);
}

base::Result<NetworkAddress> destination_to_network(const Address& address, const AddressRules& rules) {
  return to_network(address, rules, rules.destination_ton, rules.destination_npi);
}

Address from_network(const NetworkAddress& address, const AddressRules& rules) {
  std::string digits = address.ton == ton_alphanumeric ? address.digits : without_separators(address.digits);
  const bool plus = digits.starts_with('+');
  if (plus) digits.erase(0, 1);
  if (address.ton == ton_alphanumeric || !all_digits(digits)) return alphanumeric(alphanumeric_text(address.digits));
  const auto ours = first_ending(rules.numbers, digits);
  if (ours != rules.numbers.end() && digits_of(*ours) == digits) return address_of(*ours);
  if (plus || address.ton == ton_international) return international(digits, rules);
  if (address.ton == ton_national) return national(digits, rules);
  switch (rules.unknown_ton) {
    case UnknownTon::international: return international(digits, rules);
    case UnknownTon::national: return national(digits, rules);
    case UnknownTon::guess: break;
  }
  return guess(digits, rules);
}

Address destination_from_network(const NetworkAddress& address, const AddressRules& rules) {
  Address read = from_network(address, rules);
  if (is_ours(read.text, rules.numbers)) return read;
  const std::string written = without_separators(address.digits);
  std::string_view end = digits_of(written);
  while (end.starts_with('0')) end.remove_prefix(1);
  if (!all_digits(end) || is_short(end)) return read;
  const auto ours = first_ending(rules.numbers, end);
  const auto ends_so = [&](auto number) { return number != rules.numbers.end() && digits_of(*number).ends_with(end); };
  if (!ends_so(ours) || ends_so(std::next(ours))) return read;  // none, or it may be either
  return address_of(*ours);
}

std::string tail_of(std::string_view digits) {
  const std::string_view known = without_prefix(digits);
  return std::string(known.substr(known.size() - std::min(known.size(), shortest_subscriber)));
}

bool may_be_same(const Address& ours, const NetworkAddress& theirs) {
  const std::string_view a = without_prefix(ours.text), b = without_prefix(theirs.digits);
  if (a == b) return !a.empty();
  if (is_short(a) || is_short(b)) return false;
  if (a.ends_with(b) || b.ends_with(a)) return true;
  // Another spelling of the whole number, as with a digit behind the country code that its plan has dropped since.
  if (a.substr(a.size() - shortest_subscriber) != b.substr(b.size() - shortest_subscriber)) return false;
  const auto number = international_number(b);
  return number && *number == ours;
}

}  // namespace wherry::sms::smpp

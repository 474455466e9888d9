#include "connectors/sms/text/numbering.hpp"

#include "connectors/sms/text/encoding.hpp"
#include "connectors/sms/text/storage_key.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <phonenumbers/phonenumberutil.h>
#include <phonenumbers/shortnumberinfo.h>
#include <unicode/uchar.h>

#include <algorithm>

namespace wherry::sms {

namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;
using i18n::phonenumbers::ShortNumberInfo;

constexpr std::string_view alpha_marker = "alpha.", code_marker = "code.";
constexpr std::size_t most_typed = 64;
constexpr std::size_t most_name = 128;
constexpr std::size_t most_digits = 20;  // that an SMS centre takes (SMPP 3.4 §4.4.1, destination_addr)
constexpr std::size_t most_remembered = 10'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

// It reads its tables when it is made.
const ShortNumberInfo& short_numbers() {
  static const ShortNumberInfo tables;
  return tables;
}

// Lower case for the letters an alphanumeric sender can have: Latin-1 and GSM's Greek. XMPP folds the same way.
std::string to_lower(std::string_view utf8) {
  std::u32string text = to_code_points(utf8);
  for (char32_t& c : text) {
    if ((c >= U'A' && c <= U'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9)) c += 0x20;
  }
  return to_utf8(text);
}

base::Error not_a_number(std::string_view typed, std::string_view region) {
  return {base::Errc::bad_input,
          fmt::format("“{}” is not a phone number{}. Write it with the country code, like +1 415 555 0132.", typed,
                      region.empty() ? std::string() : fmt::format(" in {}", region))};
}

// The digits of something that is nothing but a short number, perhaps with spaces or hyphens.
std::string short_digits(std::string_view typed) {
  std::string digits;
  for (const char c : typed) {
    if (is_digit(c)) digits += c;
    else if (c != ' ' && c != '-') return {};
  }
  return digits.size() >= 2 && digits.size() <= 8 ? digits : std::string();
}

// It begins as the country's own numbers do when they are written in full, and no short number there does.
bool has_trunk_prefix(const std::string& digits, const PhoneNumber& number, const std::string& region) {
  std::string prefix;
  PhoneNumberUtil::GetInstance()->GetNddPrefixForRegion(region, true, &prefix);
  // Where it is "1" or "8", short codes begin with it, too.
  return prefix.starts_with('0') && digits.starts_with(prefix) &&
         !short_numbers().IsValidShortNumberForRegion(number, region);
}

bool is_emergency(const std::string& digits, const std::string& region) {
  // Without a country, what is an emergency number nearly everywhere is one.
  for (const std::string_view known : {"112", "911", "999", "000", "110", "118", "119"}) {
    if (region.empty() && digits == known) return true;
  }
  if (digits == "112" || digits == "911") return true;
  return !region.empty() && short_numbers().IsEmergencyNumber(digits, region);
}

// What address books and web pages put on the clipboard: marks that cannot be seen, other spaces, dashes and digits.
std::string unify(std::string_view pasted) {
  std::u32string plain;
  for (const char32_t c : to_code_points(pasted)) {
    const auto point = static_cast<UChar32>(c);
    const int digit = u_charDigitValue(point);
    switch (u_charType(point)) {
      case U_FORMAT_CHAR: break;  // direction marks, joiners, U+FEFF
      case U_SPACE_SEPARATOR: plain += U' '; break;
      case U_DASH_PUNCTUATION: plain += U'-'; break;
      default:
        if (digit >= 0) plain += U'0' + static_cast<char32_t>(digit);
        else if (c == U'\uFF0B') plain += U'+';
        else if (c == U'\u2212') plain += U'-';
        else plain += c;
    }
  }
  return std::string(base::trim(to_utf8(plain)));
}

// The number in a link for texting (RFC 5724 §2.2; some phones write '&body=') or to a contact (RFC 5122 §2.2).
std::string number_in_link(std::string link) {
  const std::size_t colon = link.find(':');
  const std::string scheme = base::to_lower_ascii(link.substr(0, colon == std::string::npos ? 0 : colon));
  const bool text = scheme == "sms" || scheme == "smsto", contact = scheme == "xmpp";
  if (!text && !contact) return link;  // "tel:" is the library's
  std::string_view number = std::string_view(link).substr(colon + 1);
  if (number.starts_with("//")) number.remove_prefix(2);
  return unify(unescape_key(number.substr(0, number.find_first_of(contact ? "?@" : "?&"))));
}

// '+' and digits with nothing but separators between them: the digits. Else nothing.
std::string digits_behind_plus(std::string_view typed) {
  if (base::to_lower_ascii(typed.substr(0, 4)) == "tel:") typed.remove_prefix(4);
  if (!typed.starts_with('+')) return {};
  std::string digits;
  for (const char c : typed.substr(1)) {
    if (is_digit(c)) digits += c;
    else if (c != ' ' && c != '-' && c != '.' && c != '/') return {};
  }
  return digits;
}

std::optional<PhoneNumber> read_number(std::string_view text, std::string_view region) {
  PhoneNumber number;
  const std::string home = region.empty() ? "ZZ" : std::string(region);
  if (PhoneNumberUtil::GetInstance()->Parse(std::string(text), home, &number) != PhoneNumberUtil::NO_PARSING_ERROR)
    return std::nullopt;
  return number;
}

Address to_address(const PhoneNumber& number) {
  std::string e164;
  PhoneNumberUtil::GetInstance()->Format(number, PhoneNumberUtil::E164, &e164);
  return {Address::Type::international, e164};
}

bool is_likely(const PhoneNumber& number, Likelihood likelihood) {
  const auto& util = *PhoneNumberUtil::GetInstance();
  if (likelihood == Likelihood::valid) return util.IsValidNumber(number);
  const auto length = util.IsPossibleNumberWithReason(number);
  return length == PhoneNumberUtil::IS_POSSIBLE ||
         (likelihood == Likelihood::local && length == PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY);
}

// Seven or eight digits are somebody's whole number where mobile numbers are as short as that, whether the library
// knows the range or not.
bool are_numbers_as_short(const PhoneNumber& number, const std::string& region) {
  PhoneNumber example;
  const auto& util = *PhoneNumberUtil::GetInstance();
  if (!util.GetExampleNumberForType(region, PhoneNumberUtil::MOBILE, &example)) return false;
  std::string ours, theirs;
  util.GetNationalSignificantNumber(number, &ours);
  util.GetNationalSignificantNumber(example, &theirs);
  return ours.size() == theirs.size() && !short_numbers().IsValidShortNumberForRegion(number, region);
}

// Digits alone are a short code, unless they are somebody's whole number in a country with numbers as short as that.
bool is_whole_number(const std::string& digits, const PhoneNumber& number, const std::string& region) {
  const auto& util = *PhoneNumberUtil::GetInstance();
  const auto type = util.IsValidNumber(number) ? util.GetNumberType(number) : PhoneNumberUtil::UNKNOWN;
  if (digits.size() < 7) return type == PhoneNumberUtil::MOBILE || type == PhoneNumberUtil::FIXED_LINE_OR_MOBILE;
  return type != PhoneNumberUtil::UNKNOWN || are_numbers_as_short(number, region);
}

base::Error emergency(std::string_view digits) {
  return {base::Errc::bad_input,
          fmt::format("{} is an emergency number. This service cannot reach it: call it from a telephone.", digits)};
}

// Ids whose form says what they are: a name, or digits as the network wrote them.
std::optional<base::Result<Address>> parse_marked(std::string_view id, const std::string& region) {
  if (id.starts_with(alpha_marker) && id.size() > alpha_marker.size() && id.size() <= alpha_marker.size() + most_name) {
    return base::Result<Address>(alphanumeric(id.substr(alpha_marker.size())));
  }
  if (!id.starts_with(code_marker)) return std::nullopt;
  const std::string digits(id.substr(code_marker.size()));
  if (!all_digits(digits) || digits.size() > most_digits) return std::nullopt;
  if (is_emergency(digits, region)) return base::Result<Address>(emergency(digits));
  return base::Result<Address>(as_written(digits));
}

bool has_several_numbers(std::string_view typed) {
  return typed.find_first_of(",;") != std::string_view::npos && std::count(typed.begin(), typed.end(), '+') > 1;
}

}  // namespace

base::Result<Address> parse_number(std::string_view raw, std::string_view region_view) {
  raw = base::trim(raw);
  const std::string region(region_view), shown(base::utf8_prefix(raw, most_typed));
  if (auto marked = parse_marked(raw, region)) return std::move(*marked);
  if (raw.empty())
    return base::Error{base::Errc::bad_input, "Type a phone number with its country code, like +1 415 555 0132."};
  if (raw.size() > 16 * most_typed) return not_a_number(shown, region);
  const std::string typed = number_in_link(unify(raw));
  if (has_several_numbers(typed))
    return base::Error{base::Errc::bad_input, "Type one number only: each is a contact of its own."};
  if (typed.empty() || typed.size() > most_typed) return not_a_number(shown, region);

  const std::string digits = short_digits(typed);
  if (!digits.empty() && is_emergency(digits, region)) return emergency(digits);

  const auto number = read_number(typed, region);
  const auto length =
      number ? PhoneNumberUtil::GetInstance()->IsPossibleNumberWithReason(*number) : PhoneNumberUtil::TOO_SHORT;
  const bool local_only = length == PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY;  // lacks its area code

  if (digits.size() >= 3 && !(local_only && digits.size() >= 7)) {
    const PhoneNumber seen = number.value_or(PhoneNumber());
    const bool whole = is_whole_number(digits, seen, region);
    if (!whole && has_trunk_prefix(digits, seen, region)) return not_a_number(shown, region);
    if (!whole) return Address{Address::Type::short_code, digits};
  }
  // "Valid" would ask for more, but the metadata is older than many a new range of numbers.
  if (length != PhoneNumberUtil::IS_POSSIBLE && !(local_only && typed[0] == '+')) {
    if (auto newer = international_number(digits_behind_plus(typed))) return *newer;
    return not_a_number(shown, region);
  }
  if (number->has_extension()) {
    return base::Error{base::Errc::bad_input, fmt::format("“{}” has an extension, and texts cannot reach one.", shown)};
  }
  return to_address(*number);
}

std::optional<Address> number_in(std::string_view digits, std::string_view region, Likelihood likelihood) {
  if (region.empty()) return std::nullopt;
  const auto number = read_number(digits, region);
  if (!number || !is_likely(*number, likelihood)) return std::nullopt;
  return to_address(*number);
}

std::optional<Address> number_abroad(std::string_view digits, Likelihood likelihood) {
  if (digits.starts_with('0')) return std::nullopt;
  const auto number = read_number("+" + std::string(digits), {});
  if (!number || !is_likely(*number, likelihood)) return std::nullopt;
  return to_address(*number);
}

std::optional<Address> international_number(std::string_view digits) {
  if (!all_digits(digits) || digits.size() < 7 || digits.size() > 15 || digits.starts_with('0')) return std::nullopt;
  if (auto known = number_abroad(digits, Likelihood::possible)) return known;
  if (digits.size() < 8) return std::nullopt;
  return Address{Address::Type::international, "+" + std::string(digits)};
}

bool has_trunk_zero(const std::string& region) {
  const auto& util = *PhoneNumberUtil::GetInstance();
  PhoneNumber example;
  if (!util.GetExampleNumberForType(region, PhoneNumberUtil::MOBILE, &example)) return false;
  std::string national;
  util.Format(example, PhoneNumberUtil::NATIONAL, &national);
  return national.starts_with('0') || national.starts_with("(0");
}

Address as_written(std::string_view digits) {
  if (digits.size() > most_digits) return {Address::Type::alphanumeric, std::string(digits)};
  return {Address::Type::short_code, std::string(digits)};
}

base::Result<Address> ContactNumbers::parse(const std::string& id, std::string_view region) {
  if (whole_.contains(id)) return Address{Address::Type::international, id};
  auto address = parse_number(id, region);
  if (address && address->type == Address::Type::international && address->text == id) {
    if (whole_.size() >= most_remembered) whole_.clear();
    whole_.insert(id);
  }
  return address;
}

base::Result<Address> parse_e164(std::string_view text) {
  const bool plain = text.size() >= 8 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
                     std::all_of(text.begin() + 1, text.end(), is_digit);
  if (!plain) return not_a_number(base::utf8_prefix(text, most_typed), {});
  return Address{Address::Type::international, std::string(text)};
}

base::ContactId to_contact(const Address& address, std::string_view region) {
  switch (address.type) {
    case Address::Type::alphanumeric: return {std::string(alpha_marker) + to_lower(address.text)};
    case Address::Type::international: {
      const auto number = international_number(std::string_view(address.text).substr(1));
      return {number.value_or(address).text};
    }
    case Address::Type::short_code: break;
  }
  const auto read = parse_number(address.text, region);
  const bool plain = read ? *read == address : is_emergency(address.text, std::string(region));
  return {plain ? address.text : std::string(code_marker) + address.text};
}

Address alphanumeric(std::string_view name) {
  name = base::trim(base::utf8_prefix(name, most_name));
  return {Address::Type::alphanumeric, name.empty() ? "unknown" : std::string(name)};
}

std::string region_of(const Address& address) {
  if (address.type != Address::Type::international) return {};
  auto& util = *PhoneNumberUtil::GetInstance();
  PhoneNumber number;
  if (util.Parse(address.text, "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR) return {};
  std::string region;
  util.GetRegionCodeForNumber(number, &region);
  if (region.empty() || region == "ZZ") util.GetRegionCodeForCountryCode(number.country_code(), &region);
  return region == "ZZ" || region == "001" ? std::string() : region;
}

bool is_region(std::string_view region) {
  std::set<std::string> regions;
  PhoneNumberUtil::GetInstance()->GetSupportedRegions(&regions);
  return regions.contains(std::string(region));
}

}  // namespace wherry::sms

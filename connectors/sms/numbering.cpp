#include "connectors/sms/numbering.hpp"

#include "connectors/sms/encoding.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <phonenumbers/phonenumberutil.h>
#include <phonenumbers/shortnumberinfo.h>

#include <algorithm>

namespace wherry::sms {

namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;
using i18n::phonenumbers::ShortNumberInfo;

constexpr std::string_view alpha_marker = "alpha.";
constexpr std::size_t most_typed = 64;
constexpr std::size_t most_remembered = 10'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

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
  return prefix.starts_with('0') && digits.starts_with(prefix) && !ShortNumberInfo().IsValidShortNumberForRegion(number, region);
}

bool is_emergency(const std::string& digits, const std::string& region) {
  // Without a country, what is an emergency number nearly everywhere is one.
  for (const std::string_view known : {"112", "911", "999", "000", "110", "118", "119"}) {
    if (region.empty() && digits == known) return true;
  }
  if (digits == "112" || digits == "911") return true;
  return !region.empty() && ShortNumberInfo().IsEmergencyNumber(digits, region);
}

}  // namespace

base::Result<Address> parse_number(std::string_view typed, std::string_view region_view) {
  typed = base::trim(typed);
  if (typed.starts_with(alpha_marker) && typed.size() > alpha_marker.size() && typed.size() <= most_typed) {
    return alphanumeric(typed.substr(alpha_marker.size()));
  }
  if (base::to_lower_ascii(typed.substr(0, 4)) == "sms:") typed.remove_prefix(4);  // RFC 5724; "tel:" is the library's
  const std::string shown(base::utf8_prefix(typed, most_typed));
  const std::string region(region_view);
  if (typed.empty()) return base::Error{base::Errc::bad_input, "Type a phone number with its country code, like +1 415 555 0132."};
  if (typed.size() > most_typed) return not_a_number(shown, region);

  const std::string digits = short_digits(typed);
  if (!digits.empty() && is_emergency(digits, region)) {
    return base::Error{base::Errc::bad_input, fmt::format("{} is an emergency number. This service cannot reach it: call it from a telephone.", digits)};
  }

  auto& util = *PhoneNumberUtil::GetInstance();
  PhoneNumber number;
  const bool parsed = util.Parse(std::string(typed), region.empty() ? "ZZ" : region, &number) == PhoneNumberUtil::NO_PARSING_ERROR;
  const auto length = parsed ? util.IsPossibleNumberWithReason(number) : PhoneNumberUtil::TOO_SHORT;
  const bool local_only = length == PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY;  // lacks its area code

  // Digits alone are a short code, unless they are somebody's whole number in a country with numbers as short as that,
  // or a number whose area code was left out.
  if (digits.size() >= 3 && !(local_only && digits.size() >= 7)) {
    const auto type = parsed && util.IsValidNumber(number) ? util.GetNumberType(number) : PhoneNumberUtil::UNKNOWN;
    const bool whole = digits.size() >= 7 ? type != PhoneNumberUtil::UNKNOWN
                                          : type == PhoneNumberUtil::MOBILE || type == PhoneNumberUtil::FIXED_LINE_OR_MOBILE;
    if (!whole && has_trunk_prefix(digits, number, region)) return not_a_number(shown, region);
    if (!whole) return Address{Address::Type::short_code, digits};
  }
  // "Valid" would ask for more, but the metadata is older than many a new range of numbers.
  if (length != PhoneNumberUtil::IS_POSSIBLE && !(local_only && typed[0] == '+')) return not_a_number(shown, region);
  if (number.has_extension()) {
    return base::Error{base::Errc::bad_input, fmt::format("“{}” has an extension, and texts cannot reach one.", shown)};
  }
  std::string e164;
  util.Format(number, PhoneNumberUtil::E164, &e164);
  return Address{Address::Type::international, e164};
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

base::ContactId to_contact(const Address& address) {
  if (address.type == Address::Type::alphanumeric) return {std::string(alpha_marker) + to_lower(address.text)};
  return {address.text};
}

Address alphanumeric(std::string_view name) {
  name = base::trim(base::utf8_prefix(name, most_typed));
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

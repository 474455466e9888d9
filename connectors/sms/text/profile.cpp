#include "connectors/sms/text/profile.hpp"

#include <phonenumbers/phonenumberutil.h>
#include <unicode/locid.h>
#include <unicode/unistr.h>

namespace wherry::sms {

namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

std::string as_written(const Address& address) {
  PhoneNumber number;
  const auto& util = *PhoneNumberUtil::GetInstance();
  if (util.Parse(address.text, "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR) return address.text;
  std::string text;
  util.Format(number, PhoneNumberUtil::INTERNATIONAL, &text);
  return text;
}

std::string country_of(const Address& address) {
  const std::string region = region_of(address);
  if (region.empty()) return {};
  icu::UnicodeString name;
  icu::Locale("", region.c_str()).getDisplayCountry(icu::Locale::getEnglish(), name);
  std::string text;
  return name.toUTF8String(text);
}

}  // namespace

connector::Profile profile_of(const Address& address) {
  connector::Profile profile;
  profile.name = address.text;
  if (address.type == Address::Type::alphanumeric) return profile;
  if (address.type == Address::Type::international) profile.name = as_written(address);
  profile.details["phone"] = profile.name;
  if (auto country = country_of(address); !country.empty()) profile.details["country"] = std::move(country);
  return profile;
}

}  // namespace wherry::sms

// Numbers as carriers write them. What holds of all: whoever writes can be answered; two people never become one
// contact, and one never two, whatever the spelling.
#include "connectors/sms/smpp/address.hpp"
#include "connectors/sms/text/numbering.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <phonenumbers/phonenumberutil.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace wherry;
using namespace wherry::sms;
using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace {

smpp::AddressRules rules_of(std::string region, std::vector<std::string> numbers) {
  smpp::AddressRules rules;
  rules.region = std::move(region);
  rules.numbers = smpp::by_ending(std::move(numbers));
  return rules;
}

smpp::NetworkAddress written(int ton, std::string digits) {
  return {static_cast<std::uint8_t>(ton), 1, std::move(digits)};
}

std::string sender(const smpp::AddressRules& rules, int ton, std::string digits) {
  return to_contact(smpp::from_network(written(ton, std::move(digits)), rules), rules.region).value;
}
std::string receiver(const smpp::AddressRules& rules, int ton, std::string digits) {
  return smpp::destination_from_network(written(ton, std::move(digits)), rules).text;
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}
std::string digits_in(const std::string& text) {
  std::string digits;
  for (const char c : text) digits += c >= '0' && c <= '9' ? std::string(1, c) : std::string();
  return digits;
}
std::string digits_of_id(const std::string& contact) {
  return digits_in(contact.starts_with("code.") ? contact.substr(5) : contact);
}

// A country, and what its telephones are called.
class Country {
 public:
  Country(std::string region, std::mt19937& random) : region_(std::move(region)), random_(random) {}

  const std::string& region() const { return region_; }
  // A number that somebody there can have, mobile or fixed.
  PhoneNumber number() {
    const auto& util = *PhoneNumberUtil::GetInstance();
    PhoneNumber example;
    const auto type = random_() % 3 ? PhoneNumberUtil::MOBILE : PhoneNumberUtil::FIXED_LINE;
    REQUIRE(util.GetExampleNumberForType(region_, type, &example));
    PhoneNumber number = example;
    std::uint64_t scale = 1;
    for (int digit = 0; digit < 5; ++digit) {
      scale *= 10;
      PhoneNumber other = number;
      other.set_national_number(number.national_number() / scale * scale + random_() % scale);
      if (util.IsValidNumberForRegion(other, region_)) number = other;
    }
    return number;
  }
  // All ways in which carriers at home write it: type of number and digits.
  static std::vector<std::pair<int, std::string>> spellings(const PhoneNumber& number) {
    const std::string whole = e164(number).substr(1);
    std::string significant, national;
    PhoneNumberUtil::GetInstance()->GetNationalSignificantNumber(number, &significant);
    PhoneNumberUtil::GetInstance()->Format(number, PhoneNumberUtil::NATIONAL, &national);
    std::vector<std::pair<int, std::string>> all = {
        {1, whole},   {1, "+" + whole}, {1, "00" + whole},        {0, "+" + whole}, {0, "00" + whole},
        {0, whole},   {2, significant}, {2, digits_in(national)}, {2, national},    {0, digits_in(national)},
        {0, national}};
    if (digits_in(national).starts_with('0')) all.emplace_back(1, digits_in(national));
    return all;
  }
  static std::string e164(const PhoneNumber& number) {
    std::string text;
    PhoneNumberUtil::GetInstance()->Format(number, PhoneNumberUtil::E164, &text);
    return text;
  }

 private:
  std::string region_;
  std::mt19937& random_;
};

constexpr const char* sixty_regions[] = {"US", "CA", "MX", "BR", "AR", "CL", "CO", "PE", "GT", "CR", "PA", "EC",
                                         "GB", "IE", "FR", "DE", "AT", "CH", "IT", "ES", "PT", "NL", "BE", "LU",
                                         "DK", "NO", "SE", "FI", "IS", "EE", "LV", "LT", "PL", "CZ", "SK", "HU",
                                         "RO", "BG", "GR", "TR", "UA", "RU", "KZ", "IL", "SA", "AE", "EG", "MA",
                                         "DZ", "NG", "KE", "ZA", "BJ", "IN", "PK", "CN", "HK", "JP", "KR", "AU"};
static_assert(std::size(sixty_regions) == 60);

// The gateway shows `contact`; whoever writes there reaches the sender again.
void check_is_answered(const std::string& contact, const smpp::AddressRules& rules) {
  CAPTURE(contact);
  const auto read = parse_number(contact, rules.region);
  REQUIRE(read.has_value());
  CHECK(to_contact(*read, rules.region).value == contact);
  if (read->type == Address::Type::alphanumeric) return;  // a name: the network has no way back
  const auto answer = smpp::destination_to_network(*read, rules);
  REQUIRE(answer.has_value());
  CHECK(answer->digits == digits_of_id(contact));
}

bool is_for_emergencies(const std::string& contact, const std::string& region) {
  const auto read = parse_number(contact, region);
  return !read && read.error().text.find("emergency") != std::string::npos;
}

}  // namespace

TEST_CASE("A long national number keeps its digits, whatever its label, and two people stay two (SMPP 3.4 §5.2.5)") {
  for (const char* region : {"", "US"}) {
    const auto rules = rules_of(region, {"+14155550101"});
    std::set<std::string> people;
    for (const char* digits : {"05550100123", "05550100999", "07700900123", "07700900456"}) {
      for (const int ton : {0, 1, 2}) {
        const std::string contact = sender(rules, ton, digits);
        CHECK(contact == std::string("code.") + digits);
        check_is_answered(contact, rules);
        people.insert(contact);
      }
    }
    CHECK(people.size() == 4);
  }
  const auto british = rules_of("GB", {"+447700900999"});
  for (const int ton : {0, 1, 2}) CHECK(sender(british, ton, "07700900123") == "+447700900123");
  CHECK(sender(british, 0, std::string(16, '7')) == "code.7777777777777777");
  CHECK(sender(british, 0, std::string(21, '7')) == "alpha." + std::string(21, '7'));
  CHECK(sender(british, 1, "+44 7700 900-123") == "+447700900123");
  CHECK(sender(british, 0, "") == "alpha.unknown");
}

TEST_CASE("A text to a number of ours is known by the number's end, where no other of ours ends so") {
  const auto rules = rules_of("", {"+447700900999", "+14155550101", "+12125550101", "5550199", "72404"});
  for (const int ton : {0, 1, 2}) {
    CHECK(receiver(rules, ton, "07700900999") == "+447700900999");
    CHECK(receiver(rules, ton, "7700900999") == "+447700900999");
    CHECK(receiver(rules, ton, "4155550101") == "+14155550101");
    CHECK(receiver(rules, ton, "5550199") == "5550199");
    CHECK(receiver(rules, ton, "72404") == "72404");
    CHECK(receiver(rules, ton, "5550101") == "5550101");  // it may be either
    CHECK(receiver(rules, ton, "900999") == "900999");    // says too little
  }
  CHECK(sender(rules, 0, "900999") == "900999");
}

TEST_CASE("Digits of unknown type are: ours, valid at home, valid abroad, possible at home, possible abroad") {
  struct Row {
    const char *region, *ours, *digits, *number;
  };
  static constexpr Row rows[] = {
      {"DK", "+4520123456", "20123456", "+4520123456"},      {"ES", "+34612345678", "612345678", "+34612345678"},
      {"US", "+12025550123", "2025550123", "+12025550123"},  {"IT", "+393123456789", "3123456789", "+393123456789"},
      {"PL", "+48512345678", "512345678", "+48512345678"},   {"NO", "+4740612345", "40612345", "+4740612345"},
      {"CZ", "+420601123456", "601123456", "+420601123456"}, {"PT", "+351912345678", "912345678", "+351912345678"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.digits);
    CHECK(receiver(rules_of(row.region, {row.ours}), 0, row.digits) == row.number);
    CHECK(sender(rules_of(row.region, {}), 0, row.digits) == row.number);
  }
  const auto swedish = rules_of("SE", {"+46701234567"});
  CHECK(sender(swedish, 0, "447911123456") == "+447911123456");  // valid abroad
  CHECK(sender(swedish, 0, "0701234569") == "+46701234569");
  CHECK(sender(rules_of("HK", {}), 0, "41234567") == "+85241234567");  // possible at home
  CHECK(sender(rules_of("US", {}), 0, "2290197123456") == "code.2290197123456");
}

TEST_CASE("A number comes in under the address that it has when it is typed") {
  const auto rules = rules_of("US", {"+14155550101"});
  CHECK(sender(rules, 1, "5215550100123") == "+525550100123");  // Mexico dropped the 1 in 2019
  CHECK(sender(rules, 1, "525550100123") == "+525550100123");
  CHECK(sender(rules, 1, "4407700900123") == "+447700900123");  // a trunk zero behind the country's code
  CHECK(sender(rules, 1, "390612345678") == "+390612345678");   // which in Italy is none
  CHECK(smpp::may_be_same({Address::Type::international, "+525550100123"}, written(1, "5215550100123")));
}

TEST_CASE("A number that the library does not know is answered as it came (ITU-T E.164 §6.2.1)") {
  const auto rules = rules_of("US", {"+14155550101"});
  for (const char* digits : {"2290197123456", "99912345678", "22507123456", "123456789012345"}) {
    const std::string contact = sender(rules, 1, digits);
    CHECK(contact == std::string("+") + digits);
    check_is_answered(contact, rules);
  }
}

TEST_CASE("Each of many numbers of ours is found by its digits, and by its end where no other ends so") {
  std::vector<std::string> numbers = {"72404", "+172404000", "+4172404", "4172404"};
  for (int i = 0; i < 1000; ++i) numbers.push_back("+1415555" + std::to_string(9999 - i));
  std::shuffle(numbers.begin(), numbers.end(), std::mt19937(1));
  const smpp::AddressRules rules = rules_of("", numbers);
  for (const std::string& number : numbers) {
    CAPTURE(number);
    if (number.ends_with("4172404")) continue;
    const std::string digits = number.substr(number[0] == '+' ? 1 : 0);
    CHECK(receiver(rules, 1, digits) == number);
    CHECK(sender(rules, 1, digits) == number);
    if (digits.size() == 11) CHECK(receiver(rules, 0, digits.substr(1)) == number);
  }
  CHECK(receiver(rules, 0, "004172404").ends_with("4172404"));
  const std::string either = receiver(rules_of("", {"+14155550101", "+24155550101"}), 0, "4155550101");
  CHECK(either.size() != std::string("+14155550101").size());
}

TEST_CASE("A link without a region reads national numbers in the country of its first number") {
  const auto setting = smpp::parse_setting(
      {"main", {{"host", "h"}, {"system_id", "w"}, {"password", "p"}}, "carriers[0]", "", {"72404", "+447700900999"}});
  REQUIRE(setting.has_value());
  CHECK(setting->addresses.region == "GB");
  CHECK(sender(setting->addresses, 2, "07700900123") == "+447700900123");
}

TEST_CASE("In any spelling of a carrier at home everybody is one contact, who can be answered (60 countries, seeded)") {
  std::mt19937 random(20261127);
  for (const char* region : sixty_regions) {
    Country country(region, random);
    const auto rules = rules_of(region, {Country::e164(country.number())});
    for (int person = 0; person < 3; ++person) {
      const PhoneNumber number = country.number();
      const std::string right = Country::e164(number);
      check_is_answered(right, rules);
      for (const auto& [ton, digits] : Country::spellings(number)) {
        CAPTURE(region);
        CAPTURE(ton);
        CAPTURE(digits);
        CHECK(sender(rules, ton, digits) == right);
      }
    }
  }
}

TEST_CASE("A carrier abroad that says the type of number names everybody right (60 countries, seeded)") {
  std::mt19937 random(20261128);
  for (const char* home : sixty_regions) {
    const auto rules = rules_of(home, {});
    for (int abroad = 0; abroad < 5; ++abroad) {
      const std::string right =
          Country::e164(Country(sixty_regions[random() % std::size(sixty_regions)], random).number());
      CAPTURE(home);
      for (const char* prefix : {"", "+", "00"}) CHECK(sender(rules, 1, prefix + right.substr(1)) == right);
      check_is_answered(right, rules);
    }
  }
}

TEST_CASE(
    "Short codes, words and nonsense are answered where they came from, and keep all their digits (60 countries, "
    "seeded)") {
  std::mt19937 random(20261129);
  const auto digits = [&](std::size_t least, std::size_t most) {
    std::string text(least + random() % (most - least + 1), '0');
    for (char& c : text) c = static_cast<char>('0' + random() % 10);
    return text;
  };
  const auto octets = [&](std::size_t most, bool letters) {
    std::string text(random() % (most + 1), 'a');
    for (char& c : text) c = static_cast<char>(letters ? (random() % 2 ? 'a' : 'A') + random() % 26 : random() % 256);
    return text;
  };
  for (const char* region : sixty_regions) {
    const auto rules = rules_of(region, {});
    std::map<std::string, std::set<std::string>> people;  // contact → the last digits of who is behind it
    for (int round = 0; round < 40; ++round) {
      const std::string from = round % 4 == 0   ? digits(3, 8)
                               : round % 4 == 1 ? digits(1, 24)
                                                : octets(round % 4 == 2 ? 11 : 64, round % 4 == 2);
      const int ton = static_cast<int>(random() % 7);
      CAPTURE(region);
      CAPTURE(ton);
      CAPTURE(from);
      const std::string contact = sender(rules, ton, from);
      if (!is_for_emergencies(contact, region)) check_is_answered(contact, rules);
      if (!is_digits(from) || ton == 5) continue;
      CHECK(digits_of_id(contact).ends_with(from.substr(from.size() - std::min<std::size_t>(from.size(), 4))));
      if (from.size() >= 6) people[contact].insert(from.substr(from.size() - 6));
    }
    for (const auto& [contact, ends] : people) CHECK(ends.size() == 1);
  }
}

#include "connectors/sms/text/numbering.hpp"
#include "connectors/sms/smpp/address.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::sms;

namespace {

std::string number(std::string_view typed, std::string_view region) {
  const auto parsed = parse_number(typed, region);
  return parsed ? parsed->text : "refused: " + parsed.error().text;
}

}  // namespace

TEST_CASE("National and messy numbers become E.164 with the account's region (ITU-T E.164, libphonenumber)") {
  struct Row {
    const char *typed, *region, *e164;
  };
  static constexpr Row rows[] = {
      {"(415) 555-0132", "US", "+14155550132"},
      {"1-415-555-0132", "US", "+14155550132"},
      {"+1 415 555 0132", "", "+14155550132"},
      {"tel:+1-415-555-0132", "", "+14155550132"},
      {"sms:+14155550132", "", "+14155550132"},
      {"011 46 70 123 45 67", "US", "+46701234567"},
      {"070-123 45 67", "SE", "+46701234567"},
      {"0046 70 123 45 67", "SE", "+46701234567"},
      {"07911 123456", "GB", "+447911123456"},
      {"+44 (0)7911 123456", "", "+447911123456"},
      {"0151 23456789", "DE", "+4915123456789"},
      {"06 12 34 56 78", "FR", "+33612345678"},
      {"312 345 6789", "IT", "+393123456789"},
      {"612 34 56 78", "ES", "+34612345678"},
      {"0612345678", "NL", "+31612345678"},
      {"0470 12 34 56", "BE", "+32470123456"},
      {"076 123 45 67", "CH", "+41761234567"},
      {"0664 1234567", "AT", "+436641234567"},
      {"512 345 678", "PL", "+48512345678"},
      {"8 (912) 345-67-89", "RU", "+79123456789"},
      {"050 123 4567", "UA", "+380501234567"},
      {"040 1234567", "FI", "+358401234567"},
      {"406 12 345", "NO", "+4740612345"},
      {"20 12 34 56", "DK", "+4520123456"},
      {"0412 345 678", "AU", "+61412345678"},
      {"021 123 456", "NZ", "+6421123456"},
      {"098765 43210", "IN", "+919876543210"},
      {"090-1234-5678", "JP", "+819012345678"},
      {"010-1234-5678", "KR", "+821012345678"},
      {"131 2345 6789", "CN", "+8613123456789"},
      {"(11) 91234-5678", "BR", "+5511912345678"},
      {"55 1234 5678", "MX", "+525512345678"},
      {"071 123 4567", "ZA", "+27711234567"},
      {"0803 123 4567", "NG", "+2348031234567"},
      {"050-123-4567", "IL", "+972501234567"},
      {"0501234567", "SA", "+966501234567"},
      {"1-800-FLOWERS", "US", "+18003569377"},
      {"４１５ ５５５ ０１３２", "US", "+14155550132"},
      {"+15550100", "US", "+15550100"},
      {"312345", "AD", "+376312345"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.typed);
    CHECK(number(row.typed, row.region) == row.e164);
  }
}

TEST_CASE("The beginning of a national number is no short code: it has the trunk prefix (ITU-T E.123 §2.6)") {
  for (const auto& [typed, region] :
       {std::pair("0177 5", "DE"), {"0177", "DE"}, {"0049 17", "DE"}, {"01 23", "FR"}, {"07-700", "GB"}}) {
    const auto parsed = parse_number(typed, region);
    CAPTURE(typed);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().text == std::string("“") + typed + "” is not a phone number in " + region +
                                     ". Write it with the country code, like +1 415 555 0132.");
  }
  for (const auto& [typed, region] : {std::pair("72404", "DE"), {"0611", "RU"}, {"0177", ""}, {"12345", "US"}}) {
    const auto parsed = parse_number(typed, region);
    CAPTURE(typed);
    CHECK((parsed && parsed->type == Address::Type::short_code));
  }
}

TEST_CASE("A short code stays one and never becomes a broken +1 number") {
  for (const char* code : {"72404", "12345", "123456", "5678"}) {
    const auto parsed = parse_number(code, "US");
    REQUIRE(parsed.has_value());
    CHECK(parsed->type == Address::Type::short_code);
    CHECK(to_contact(*parsed, "US").value == code);
    CHECK(number(to_contact(*parsed, "US").value, "US") == code);
  }
  CHECK(number("72 404", "SE") == "72404");
  CHECK(parse_number("555-0100", "US").error().code == base::Errc::bad_input);  // its area code is missing
}

TEST_CASE("Emergency numbers are refused and say what to do") {
  for (const auto& [typed, region] : {std::pair("911", "US"),
                                      {"112", "SE"},
                                      {"999", "GB"},
                                      {"112", ""},
                                      {"000", "AU"},
                                      {"110", "DE"},
                                      {"1-1-2", "FR"}}) {
    CAPTURE(typed);
    const auto parsed = parse_number(typed, region);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == base::Errc::bad_input);
    CHECK(parsed.error().text.find("emergency number") != std::string::npos);
  }
}

TEST_CASE("What is no number is refused with a sentence") {
  for (const char* typed :
       {"", "juliet", "+", "+99999999999999999", "12", "+1", "hello world", "+1415555013212345678", "0701234567"}) {
    CAPTURE(typed);
    CHECK(parse_number(typed, "").error().code == base::Errc::bad_input);
  }
  CHECK(number("0701234567", "") ==
        "refused: “0701234567” is not a phone number. Write it with the country code, like +1 415 555 0132.");
  CHECK(number("+1 415 555 0132 ext. 5", "US").find("extension") != std::string::npos);
  CHECK(parse_number(std::string(100'000, '5'), "US").error().text.size() < 300);
}

TEST_CASE("A plus and 8 to 15 digits are a number, though the library may be older than it (ITU-T E.164 §6.2.1)") {
  for (const char* typed : {"+229 01 97 12 34 56", "+2290197123456", "tel:+229-01-97-12-34-56", "+229.01.97.12.34.56"})
    CHECK(number(typed, "US") == "+2290197123456");
  CHECK(number("+999 12345678", "") == "+99912345678");
  CHECK(number("+12345678", "") == "+12345678");
  CHECK(number("+123456789012345", "") == "+123456789012345");
  for (const char* typed : {"+1234567", "+1234567890123456", "+0123456789", "+229 01 97?12 34"}) {
    CAPTURE(typed);
    CHECK(number(typed, "US").starts_with("refused"));
  }
}

TEST_CASE("Where numbers have seven or eight digits, a new range is no short code") {
  CHECK(number("4123 4567", "HK") == "+85241234567");
  CHECK(number("70123456", "HK") == "+85270123456");
  CHECK(number("8012 3456", "SG") == "+6580123456");
  CHECK(number("12345678", "US") == "12345678");
  CHECK(number("1234567", "DE") == "1234567");
}

TEST_CASE("Digits that would be read as something else are a contact under their own marker") {
  for (const auto& [digits, region] : {std::pair("5550100", "US"),
                                       {"70070090", "GB"},
                                       {"41234567", "HK"},
                                       {"12", "US"},
                                       {"0177", "DE"},
                                       {"07700900123", ""}}) {
    CAPTURE(digits);
    const Address code = as_written(digits);
    CHECK(to_contact(code, region).value == std::string("code.") + digits);
    CHECK(*parse_number(to_contact(code, region).value, region) == code);
  }
  CHECK(to_contact(as_written("72404"), "US").value == "72404");
  CHECK(number("code.911", "US").find("emergency number") != std::string::npos);
  for (const char* typed : {"code.", "code.12a", "code.123456789012345678901"})
    CHECK(number(typed, "US").starts_with("refused"));
}

TEST_CASE("What people paste is read as it looks: marks, spaces, dashes and digits of any sort (Unicode §23.2)") {
  CHECK(number("\u202A72645\u202C", "US") == "72645");
  CHECK(number("\u2068\u200E+1\u00A0415\u2011555\u20110132\u2069", "") == "+14155550132");
  CHECK(number("\uFEFF7\u200B2645", "US") == "72645");
  CHECK(number("７２６４５", "US") == "72645");
  CHECK(number("٧٢٦٤٥", "US") == "72645");
  CHECK(number("+١ ٤١٥ ٥٥٥ ٠١٣٢", "") == "+14155550132");
  CHECK(number("＋1 415 555 0132", "") == "+14155550132");
  CHECK(number("Juliet: +1 415 555 0132", "") == "+14155550132");
}

TEST_CASE("A link for texting gives its number (RFC 5724 §2.2, RFC 3966, RFC 5122)") {
  for (const char* link : {"sms:+14155550132?body=hello%20there", "sms:+14155550132&body=hello", "SMSTO:+14155550132",
                           "sms:%2B14155550132", "sms://+14155550132", "tel:+1-415-555-0132",
                           "xmpp:%2B14155550132@sms.x.test?message", "sms:(415)%20555-0132"}) {
    CAPTURE(link);
    CHECK(number(link, "US") == "+14155550132");
  }
  CHECK(number("sms:72645?body=INFO", "US") == "72645");
  CHECK(number("sms:+14155550132,+14155550133?body=x", "US") ==
        "refused: Type one number only: each is a contact of its own.");
}

TEST_CASE("A name as long as SMPP's field is a contact under all of it") {
  const std::string name(64, 'x'), accents = "\u00E9";
  std::string long_name;
  for (int i = 0; i < 64; ++i) long_name += accents;
  for (const std::string& text : {name, long_name}) {
    const std::string contact = to_contact(alphanumeric(text), "US").value;
    CHECK(contact == "alpha." + text);
    CHECK(to_contact(*parse_number(contact, "US"), "US").value == contact);
  }
}

TEST_CASE("An alphanumeric sender is a contact of its own, in one spelling (3GPP TS 23.040 §9.1.2.5)") {
  CHECK(to_contact(alphanumeric("ACME"), "US").value == "alpha.acme");
  CHECK(to_contact(alphanumeric("ÄrzteΣ"), "US").value == "alpha.ärzteσ");
  CHECK(to_contact(*parse_number("alpha.acme", "US"), "US").value == "alpha.acme");
  CHECK(parse_number("alpha.acme", "US")->type == Address::Type::alphanumeric);
  CHECK(alphanumeric("").text == "unknown");
  CHECK(parse_number("alpha.", "US").error().code == base::Errc::bad_input);
}

TEST_CASE("A number tells its region") {
  CHECK(region_of({Address::Type::international, "+46701234567"}) == "SE");
  CHECK(region_of({Address::Type::international, "+15550001"}) == "US");
  CHECK(region_of({Address::Type::short_code, "72404"}).empty());
  CHECK(is_region("SE"));
  CHECK_FALSE(is_region("Sweden"));
}

TEST_CASE("Addresses go to SMPP's type of number and back (SMPP 3.4 §5.2.5)") {
  smpp::AddressRules rules;
  rules.region = "SE";
  rules.numbers = smpp::by_ending({"+15550001", "72404"});
  const auto out = [&](const Address& a) { return *smpp::destination_to_network(a, rules); };
  const auto in = [&](int ton, int npi, const char* digits) {
    return smpp::from_network({static_cast<std::uint8_t>(ton), static_cast<std::uint8_t>(npi), digits}, rules);
  };
  CHECK(out({Address::Type::international, "+15550100"}) == smpp::NetworkAddress{1, 1, "15550100"});
  CHECK(out({Address::Type::short_code, "72404"}) == smpp::NetworkAddress{0, 1, "72404"});
  CHECK(out({Address::Type::alphanumeric, "ACME"}) == smpp::NetworkAddress{5, 0, "ACME"});
  CHECK_FALSE(smpp::destination_to_network({Address::Type::alphanumeric, "me@home"}, rules).has_value());
  CHECK_FALSE(smpp::destination_to_network({Address::Type::alphanumeric, "much too long"}, rules).has_value());

  CHECK(in(1, 1, "15550100") == Address{Address::Type::international, "+15550100"});
  CHECK(in(1, 1, "+15550100") == Address{Address::Type::international, "+15550100"});
  CHECK(in(1, 1, "0046701234567") == Address{Address::Type::international, "+46701234567"});
  CHECK(in(1, 1, "12345") == Address{Address::Type::short_code, "12345"});
  CHECK(in(2, 1, "0701234567") == Address{Address::Type::international, "+46701234567"});
  CHECK(in(0, 0, "15550001") == Address{Address::Type::international, "+15550001"});
  CHECK(in(0, 0, "46701234567") == Address{Address::Type::international, "+46701234567"});
  CHECK(in(0, 0, "0701234567") == Address{Address::Type::international, "+46701234567"});
  CHECK(in(0, 0, "72404") == Address{Address::Type::short_code, "72404"});
  CHECK(in(3, 0, "12345") == Address{Address::Type::short_code, "12345"});
  CHECK(in(5, 0, "ACME") == Address{Address::Type::alphanumeric, "ACME"});
  CHECK(in(5, 0, "12345") == Address{Address::Type::alphanumeric, "12345"});
  CHECK(in(0, 0, "ACME Ltd") == Address{Address::Type::alphanumeric, "ACME Ltd"});
  CHECK(in(5, 0, "M\x7Bller").type == Address::Type::alphanumeric);
  CHECK(in(5, 0, "B\xFCro").text == "Büro");
  CHECK(in(1, 1, "").type == Address::Type::alphanumeric);
}

TEST_CASE("A contact's number is remembered as what it is, and nothing else is") {
  ContactNumbers numbers;
  for (int times = 0; times < 2; ++times) {
    CHECK(*numbers.parse("+46701234567", "US") == Address{Address::Type::international, "+46701234567"});
    CHECK(*numbers.parse("0701234567", "SE") == Address{Address::Type::international, "+46701234567"});
    CHECK_FALSE(numbers.parse("0701234567", "").has_value());
    CHECK(*numbers.parse("72404", "US") == Address{Address::Type::short_code, "72404"});
    CHECK_FALSE(numbers.parse("911", "US").has_value());
    CHECK_FALSE(numbers.parse("+1", "US").has_value());
    CHECK(numbers.parse("alpha.acme", "US")->type == Address::Type::alphanumeric);
  }
}

TEST_CASE("A receipt's address may be written in the national form") {
  const Address ours{Address::Type::international, "+46701234567"};
  CHECK(smpp::may_be_same(ours, {1, 1, "46701234567"}));
  CHECK(smpp::may_be_same(ours, {0, 1, "+46701234567"}));
  CHECK(smpp::may_be_same(ours, {2, 1, "0701234567"}));
  CHECK_FALSE(smpp::may_be_same(ours, {1, 1, "46701234568"}));
  CHECK_FALSE(smpp::may_be_same(ours, {0, 0, "4567"}));
  CHECK_FALSE(smpp::may_be_same(ours, {0, 0, ""}));
}

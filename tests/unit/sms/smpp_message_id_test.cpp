#include "connectors/sms/smpp/message_id.hpp"

#include <doctest/doctest.h>

using namespace wherry::sms::smpp;

namespace {

// What is known of a link after it has written these ids.
Notations after(const std::vector<std::string>& given, const std::vector<std::string>& received) {
  Notations notations;
  for (const auto& id : given) notations.given(id);
  for (const auto& id : received) notations.received(id);
  return notations;
}

std::vector<std::string> decimals() { return std::vector<std::string>(32, "1234567890"); }

std::string names(const std::vector<Reading>& readings) {
  std::string names;
  for (const Reading r : readings)
    names += r == Reading::by_letter ? "letter " : r == Reading::decimal_as_hex ? "to-hex " : "to-decimal ";
  return names;
}

}  // namespace

TEST_CASE("An id is found in hexadecimal and decimal, and only numbers are converted (jookies/jasmin #586, #643)") {
  CHECK(match_ids("1A2B", "1A2B") == IdMatch::literal);
  CHECK(match_ids("1A2B", "1a2b") == IdMatch::spelling);
  CHECK(match_ids("1A2B", "6699") == IdMatch::number);
  CHECK(match_ids("6699", "1A2B") == IdMatch::number);
  CHECK(match_ids("0001A2B", "1a2b") == IdMatch::number);
  CHECK(match_ids("000123", "123") == IdMatch::number);
  CHECK(match_ids("812FC7470000001B", "9308878062554710043") == IdMatch::number);
  CHECK(match_ids("FFFFFFFFFFFFFFFF", "18446744073709551615") == IdMatch::number);
  CHECK(match_ids("18446744073709551616", "10000000000000000") == IdMatch::none);  // beyond 64 bits
  CHECK(match_ids("b036c3b7-6120-4ced-bdbe-cc1d8e684958", "b036c3b761204cedbdbecc1d8e684958") == IdMatch::number);
  CHECK(match_ids("0036c3b761204cedbdbecc1d8e684958", "{0036C3B7-6120-4CED-BDBE-CC1D8E684958}") == IdMatch::number);
  CHECK(match_ids("3000000000", "-1294967296") == IdMatch::number);  // 32 bits with a sign
  CHECK(match_ids("5", "-5") == IdMatch::none);
  const char* uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
  CHECK(match_ids(uuid, "0F8FAD5B-D9CB-469F-A165-70867728950E") == IdMatch::spelling);
  CHECK(match_ids(uuid, "f8fad5b-d9cb-469f-a165-70867728950e") == IdMatch::none);  // no zeros are stripped from it
  CHECK(match_ids("SAR-0012", "SAR-12") == IdMatch::none);
  CHECK(match_ids("1A2B", "1A2C") == IdMatch::none);
  CHECK(match_ids("", "") == IdMatch::none);
  CHECK(canonical_id("0000") == "0");
}

TEST_CASE("A receipt's id means another given id in each reading") {
  CHECK(form_of("0080", Reading::by_letter) == "80");
  CHECK(form_of("80", Reading::decimal_as_hex) == "50");
  CHECK(form_of("80", Reading::hex_as_decimal) == "128");
  CHECK(form_of("1A2B", Reading::hex_as_decimal) == "6699");
  CHECK_FALSE(form_of("1A2B", Reading::decimal_as_hex));
  CHECK_FALSE(form_of("sink-1", Reading::hex_as_decimal));
  CHECK_FALSE(form_of("10000000000000000", Reading::hex_as_decimal));
  CHECK(id_forms("80") == std::vector<std::string>{"80", "50", "128"});
  CHECK(id_forms("7") == std::vector<std::string>{"7"});
}

TEST_CASE("A link shows by its letters, and by their absence, how a number in a receipt is to be read") {
  CHECK(names(after({}, {}).readings("80")) == "letter to-hex to-decimal ");
  CHECK(names(after({"12"}, {"34"}).readings("80")) == "letter to-hex to-decimal ");
  CHECK(names(after({"1A"}, {"34"}).readings("80")) == "letter to-hex ");
  CHECK(names(after({"34"}, {"1a"}).readings("80")) == "letter to-decimal ");
  CHECK(names(after({"34"}, {}).readings("1a")) == "letter to-decimal ");
  CHECK(names(after({"1A"}, {"1a"}).readings("80")) == "letter ");
  CHECK(names(after({"1A"}, decimals()).readings("80")) == "to-hex ");
  CHECK(names(after(decimals(), {"1a"}).readings("80")) == "to-decimal ");
  CHECK(names(after(decimals(), decimals()).readings("80")) == "letter ");
  CHECK(names(after(decimals(), {}).readings("80")) == "letter to-decimal ");
  for (const char* other : {"sink-1", "0f8fad5b-d9cb-469f-a165-70867728950e", "18446744073709551616"}) {
    CHECK(names(after({"1A"}, decimals()).readings(other)) == "letter ");
    CHECK(names(after({other}, {other}).readings("80")) == "letter to-hex to-decimal ");  // says nothing of numbers
  }
}

TEST_CASE("What a link has shown is remembered, and another SMS centre under its name is learnt anew") {
  Notations hex = after({"1A"}, decimals());
  CHECK(hex.to_text() == "xd");
  CHECK(hex.has_shown(Reading::decimal_as_hex));
  CHECK_FALSE(hex.has_shown(Reading::hex_as_decimal));
  Notations restored;
  CHECK(restored.to_text().empty());
  restored.restore("xd");
  CHECK(names(restored.readings("80")) == "to-hex ");
  restored.restore("");
  restored.restore("nonsense");
  CHECK(restored.to_text() == "xd");
  for (const auto& id : decimals()) restored.given(id);
  CHECK(names(restored.readings("80")) == "letter ");
  restored.given("1b");
  CHECK(names(restored.readings("80")) == "to-hex ");
}

// What every HTTP provider's answers have in common.
#include "tests/unit/sms/provider_tests.hpp"

TEST_CASE("parse_date reads RFC 2822, RFC 3339 and HTTP dates, and refuses what is none") {
  CHECK(parse_date("Fri, 24 May 2019 17:44:46 +0000") == present);
  CHECK(parse_date("Fri, 24 May 2019 19:44:46 +0200") == present);
  CHECK(parse_date("Fri, 24 May 2019 17:44:46 GMT") == present);
  CHECK(parse_date("2019-05-24T17:44:46Z") == present);
  CHECK(parse_date("2019-05-24T17:44:46.552+00:00") == present);
  CHECK(parse_date("2019-05-24T12:14:46-05:30") == present);
  CHECK(parse_date("2019-05-24 17:44:46") == present);  // Kannel's %t
  CHECK(parse_date("1558719886") == present);           // its %T
  CHECK(parse_date("1558719886000") == present);
  for (const char* bad : {"", "soon", "Fri, 32 May 2019 17:44:46 +0000", "Fri, 24 Mai 2019 17:44:46 +0000",
                          "Fri, 24 May 2019 25:44:46 +0000", "Fri, 24 May 2019 17:44:46",
                          "Fri, 24 May 2019 17:44:46 PST", "2019-05-24", "2019-05-24T17:44:46", "2019-13-24T17:44:46Z",
                          "2019-05-24T17:44:46.", "2019-05-24T17:44:46+2", "155871988", "15587198860", "15587198860000",
                          // Reckoning with these would overflow, or they are before 1970.
                          "9999-12-31T00:00:00Z", "Fri, 31 Dec 9999 17:44:46 +0000", "2262-01-01T00:00:00Z",
                          "9999999999", "9999999999999", "1969-12-31T00:00:00Z", "0000-01-01T00:00:00Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_date(bad));
  }
}

TEST_CASE("retry_after reads seconds or a date, and bounds them (RFC 9110 §10.2.3)") {
  CHECK(retry_after(answer(429, "", "9"), present) == seconds(9));
  CHECK(retry_after(answer(429, "", "Fri, 24 May 2019 17:45:00 GMT"), present) == seconds(14));
  CHECK(retry_after(answer(429, "", "999999999"), present) == seconds(86400));
  for (const char* none : {"-3", "tomorrow", "Fri, 24 May 2019 17:00:00 GMT", ""})
    CHECK(retry_after(answer(429, "", none), present) == seconds(0));
}

TEST_CASE("reading_failed tells refused credentials from a passing fault") {
  CHECK(reading_failed(answer(401), present).code == Errc::not_authorized);
  CHECK(reading_failed(answer(500), present).code == Errc::unavailable);
  CHECK(reading_failed(answer(429, "", "11"), present).retry_after == seconds(11));
}

TEST_CASE("rank lets delivered overtake failed, and nothing overtake read") {
  CHECK(rank(Stage::accepted) < rank(Stage::failed));
  CHECK(rank(Stage::failed) < rank(Stage::delivered));
  CHECK(rank(Stage::delivered) < rank(Stage::read));
}

TEST_CASE("to_incoming knows short codes and names as senders, and when a listed text was sent") {
  Message m;
  m.id = "1";
  m.to = "+15550001";
  const auto from = [&](const std::string& sender) {
    m.from = sender;
    return to_incoming(m, present).from.type;
  };
  CHECK(from("+15550100") == Address::Type::international);
  CHECK(from("72404") == Address::Type::short_code);
  CHECK(from("ACME") == Address::Type::alphanumeric);
  CHECK(from("whatsapp:+15550100") == Address::Type::alphanumeric);
  // Behind a '+', and no number: they can be answered as what they are.
  for (const auto& [written, contact] : {std::pair("+72404", "72404"), std::pair("+1234567", "code.1234567"),
                                         std::pair("+0123456789", "code.0123456789")}) {
    CAPTURE(written);
    CHECK(from(written) == Address::Type::short_code);
    const Address sender = to_incoming(m, present).from;
    CHECK(to_contact(sender, "US").value == contact);
    CHECK(parse_number(contact, "US").value() == sender);
  }
  CHECK(to_incoming(m, present).sent_at == present);
  m.created = present - seconds(9);
  CHECK(to_incoming(m, present).sent_at == present - seconds(9));
}

TEST_CASE("to_incoming says to whom else a text went: an answer goes to its sender alone") {
  Message m;
  m.text = "party?";
  m.others = {"+15550101", "+15550102"};
  CHECK(to_incoming(m, present).text == "[To you, +15550101, +15550102]\nparty?");
  m.others.assign(12, "+15550101");
  CHECK(to_incoming(m, present).text.find("+15550101 and 2 more]\nparty?") != std::string::npos);
}

TEST_CASE("to_incoming makes nobody's contact of a number that the service hides") {
  Message m;
  m.from = "+1415555XXXX";
  m.text = "hi";
  CHECK(to_incoming(m, present).from == Address{Address::Type::alphanumeric, "unknown"});
  CHECK(to_incoming(m, present).text == "[From +1415555XXXX: the SMS service hides the number.]\nhi");
}

TEST_CASE("utf16_length counts as the providers' limits do") {
  CHECK(utf16_length("abc") == 3);
  CHECK(utf16_length("\xC3\xA9") == 1);
  CHECK(utf16_length("\xE2\x82\xAC") == 1);
  CHECK(utf16_length("\xF0\x9F\x98\x80") == 2);
}

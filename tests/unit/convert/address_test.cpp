// Ids of contacts as addresses, and back (XEP-0106, RFC 7622 §3.3).
#include "gateway/convert/address.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <vector>

using namespace wherry;
using namespace wherry::convert;

namespace {

xmpp::Jid jid(std::string_view text) { return xmpp::Jid::parse(text).value(); }

std::string local_of(const char* id) {
  return std::string(to_jid(base::ContactId{id}, jid("im.test")).value().local());
}

}  // namespace

TEST_CASE("A contact's id and its address are the same thing in two spellings (XEP-0106)") {
  const auto domain = jid("sms.test");
  for (const char* id : {"+15550100", "nurse@verona.example", "a b", "\\20odd", "o'neil"}) {
    const auto address = to_jid(base::ContactId{id}, domain);
    REQUIRE(address.has_value());
    CHECK(typed_by(*address) == id);
  }
  CHECK_FALSE(to_jid(base::ContactId{""}, domain).has_value());
  CHECK(tidy("  tel:+1 415 555 0132 ") == "+1 415 555 0132");
}

TEST_CASE("An id is spelt so that preparation leaves it alone, and marks of rooms and accounts stay free") {
  CHECK(local_of("+15550100") == "+15550100");
  CHECK(local_of("nurse@verona.example") == "nurse\\40verona.example");
  CHECK(local_of("U4AFcD") == "\\554\\41\\46c\\44");
  CHECK(local_of("jürgen") == "jürgen");
  CHECK(local_of("#room#1") == "\\23room#1");
  CHECK(local_of("a~b") == "a\\7eb");
  CHECK(local_of(" a ") == "\\00\\20a\\20\\00");
  CHECK(local_of("a\\41") == "a\\5c41");
}

TEST_CASE("What people type is unescaped as XEP-0106 has it; only what nobody types is taken at its word") {
  CHECK(typed_by(jid("corp\\adam@im.test")) == "corp\\adam");
  CHECK(typed_by(jid("~nurse@im.test")) == "~nurse");
  CHECK_FALSE(minted("nurse\\40verona.example").has_value());
  CHECK_FALSE(minted("nurse").has_value());
  CHECK_FALSE(minted("\\6eurse").has_value());  // an escape that nothing is written with
  CHECK(minted("\\4eurse") == base::ContactId{"Nurse"});
}

TEST_CASE("An address as a URI has what URIs allow, and the rest in percents (RFC 5122 §2.2)") {
  CHECK(to_uri(jid("+15550100@sms.test")) == "xmpp:+15550100@sms.test");
  CHECK(to_uri(jid("\\4eurse\\20é#1?@im.test")) == "xmpp:%5c4eurse%5c20%c3%a9%231%3f@im.test");
  CHECK(to_uri(jid("sms.test/phone")) == "xmpp:sms.test");
}

TEST_CASE("Every id is read back from its address, and two ids never have one") {
  const std::vector<std::string> pieces = {"a",  "A", "4",    "1",    "c",       "\\",     "5",      " ",
                                           "@",  "~", "#",    "é",    "e\u0301", "\u0301", "É",      "ß",
                                           "ς",  "σ", "Σ",    "ａ",   "\u05D0",  "\u0661", "\u200D", "\uFB01",
                                           "🌹", "/", "\\20", "\\41", "\\c3",    "\u00A0", "\n",     "\u1112\u1161"};
  std::mt19937 random(1);
  std::map<std::string, std::string> ids;  // by address
  for (int i = 0; i < 20000; ++i) {
    std::string id;
    for (auto length = random() % 6 + 1; length > 0; --length) id += pieces[random() % pieces.size()];
    CAPTURE(id);
    const auto address = to_jid(base::ContactId{id}, jid("im.test"));
    REQUIRE(address.has_value());
    CHECK(typed_by(xmpp::Jid::parse(address->str()).value()) == id);
    CHECK(ids.emplace(address->str(), id).first->second == id);
  }
}

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
  return std::string(write(base::ContactId{id}, "", jid("im.test")).value().local());
}

std::string typed(const char* address) { return read(jid(address)).value().id; }
Spelling spelling_of(const char* address) { return read(jid(address)).value().spelling; }

// Every form with that id, alias and nick.
std::vector<Address> addresses_of(const std::string& id, const std::string& alias) {
  return {contact_address(base::ContactId{id}, alias),
          {AddressForm::room, alias, id, {}},
          {AddressForm::occupant, alias, id, "Nick #1"}};
}

}  // namespace

TEST_CASE("A contact's id and its address are the same thing in two spellings (XEP-0106)") {
  const auto domain = jid("sms.test");
  for (const char* id : {"+15550100", "nurse@verona.example", "a b", "\\20odd", "o'neil"}) {
    const auto address = write(base::ContactId{id}, "", domain);
    REQUIRE(address.has_value());
    CHECK(read(*address).value() == contact_address(base::ContactId{id}, ""));
  }
  CHECK_FALSE(write(base::ContactId{""}, "", domain).has_value());
  CHECK(tidy("  tel:+1 415 555 0132 ") == "+1 415 555 0132");
  CHECK(tidy("tel:+1-415-555-0132;ext=5") == "+1-415-555-0132");
  CHECK(tidy("sms:+14155550132?body=hi") == "+14155550132");
  CHECK(tidy("xmpp:nurse%5c40verona.example@im.test?message;body=x") == "nurse\\40verona.example@im.test");
  CHECK(tidy("XMPP:a%2@im.test%") == "a%2@im.test%");
  CHECK(tidy("50% off") == "50% off");
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
  CHECK(typed("corp\\adam@im.test") == "corp\\adam");
  CHECK(typed("corp\\adam~work@im.test/phone") == "corp\\adam");
  CHECK(spelling_of("nurse\\40verona.example@im.test") == Spelling::own);
  CHECK(spelling_of("nurse@im.test") == Spelling::own);
  CHECK(spelling_of("\\6eurse@im.test") == Spelling::typed);  // an escape that nothing is written with
  CHECK(spelling_of("\\4eurse@im.test") == Spelling::minted);
  CHECK(typed("\\4eurse~work@im.test") == "Nurse");
}

TEST_CASE("An address names the gateway, an account, a contact, a room or somebody in it (address.hpp)") {
  const std::vector<std::pair<const char*, Address>> spelt = {
      {"sms.test", {}},
      {"~gateway@sms.test", face_address("", true)},
      {"~work@sms.test", {AddressForm::account, "work", "", ""}},
      {"+15550100@sms.test", {AddressForm::contact, "", "+15550100", ""}},
      {"+15550100~work-2@sms.test", {AddressForm::contact, "work-2", "+15550100", ""}},
      {"#lobby@sms.test", {AddressForm::room, "", "lobby", ""}},
      {"#\\23lobby~work@sms.test", {AddressForm::room, "work", "#lobby", ""}},
      {"#lobby~work@sms.test/Romeo ~ #1", {AddressForm::occupant, "work", "lobby", "Romeo ~ #1"}},
      {"\\23lobby@sms.test", {AddressForm::contact, "", "#lobby", ""}},
      {"a\\5c7eb\\7ec@sms.test", {AddressForm::contact, "", "a\\7eb~c", ""}},
  };
  for (const auto& [text, address] : spelt) {
    CAPTURE(text);
    CHECK(read(jid(text)).value() == address);
    CHECK(write(address, jid("sms.test")).value().str() == text);
  }
  CHECK(read(jid("~work@sms.test/phone")).value() == face_address("work"));
  CHECK(read(jid("sms.test/phone")).value() == face_address(""));
}

TEST_CASE("The gateway's address with a local part is the gateway, and nobody's alias") {
  const auto named = read(jid("~gateway@sms.test/phone"));
  REQUIRE(named.has_value());
  CHECK(named->form == AddressForm::gateway);
  CHECK(named->alias.empty());
  CHECK(named->is_named);
  CHECK_FALSE(read(jid("sms.test"))->is_named);
  CHECK_FALSE(is_alias("gateway"));
  for (const char* text : {"a~gateway@sms.test", "#a~gateway@sms.test", "#a~gateway@sms.test/nick"})
    CHECK(read(jid(text)).error().text.find("No account has the alias “gateway”") == 0);
  CHECK_FALSE(write(base::ContactId{"a"}, "gateway", jid("sms.test")).has_value());
  CHECK(write(base::ContactId{"~gateway"}, "", jid("sms.test")).value().str() == "\\7egateway@sms.test");
  CHECK(read(jid("~gateway-2@sms.test")).value() == face_address("gateway-2"));
}

TEST_CASE("What follows a ~ is an alias of at most 32 letters, digits and hyphens, and a room has a name") {
  for (const char* text : {"~@sms.test", "a~@sms.test", "a~b_c@sms.test", "a~é@sms.test", "#@sms.test",
                           "#~work@sms.test", "a~123456789012345678901234567890123@sms.test"}) {
    CAPTURE(text);
    CHECK(read(jid(text)).error().code == base::Errc::not_found);
  }
  CHECK(read(jid("a~12345678901234567890123456789012@sms.test")).has_value());
  CHECK_FALSE(write(base::ContactId{"a"}, "Work", jid("sms.test")).has_value());
  CHECK_FALSE(write(face_address("a_b"), jid("sms.test")).has_value());
}

TEST_CASE("An id that no address can hold is refused, and never cut") {
  const std::string nul("a\0b", 3);
  for (const std::string& id :
       {std::string(), nul, std::string("a\xFF"), std::string(2000, 'a'), std::string(700, '~')}) {
    for (const char* alias : {"", "work"}) {
      for (const Address& address : addresses_of(id, alias)) CHECK_FALSE(write(address, jid("im.test")).has_value());
    }
  }
  const base::ContactId longest{std::string(1023, 'a')};
  CHECK(read(write(longest, "", jid("im.test")).value()).value().contact() == longest);
  CHECK_FALSE(write(longest, "work", jid("im.test")).has_value());
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
  std::map<std::string, Address> ids;  // by address
  for (int i = 0; i < 20000; ++i) {
    std::string id;
    for (auto length = random() % 6 + 1; length > 0; --length) id += pieces[random() % pieces.size()];
    CAPTURE(id);
    for (const Address& address : addresses_of(id, random() % 2 ? "work" : "")) {
      const auto written = write(address, jid("im.test"));
      REQUIRE(written.has_value());
      const auto found = read(xmpp::Jid::parse(written->str()).value());
      REQUIRE(found.has_value());
      CHECK(*found == address);
      CHECK(found->spelling != Spelling::typed);
      CHECK(ids.emplace(written->str(), address).first->second == address);
    }
  }
}

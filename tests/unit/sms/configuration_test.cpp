#include "connectors/sms/configuration.hpp"
#include "connectors/sms/routes.hpp"
#include "connectors/sms/smpp/settings.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

using namespace wherry;
using namespace wherry::sms;
using nlohmann::json;

namespace {

json good() {
  return json::parse(R"({"region":"US",
    "numbers":[{"number":"+15550001","carrier":"main","users":["romeo@x.test","@y.test"]},{"number":"+15550002","carrier":"main","pool":true},
               {"number":"72404","carrier":"main"}],
    "carriers":[{"name":"main","type":"smpp","host":"127.0.0.1","system_id":"w","password":"secret"}]})");
}

std::string problem(const json& configuration) {
  const auto parsed = parse_configuration(configuration);
  return parsed ? "" : parsed.error().text;
}

std::string smpp_problem(json settings) {
  const json least = json::parse(R"({"host":"h","system_id":"w"})");
  for (const auto& [key, value] : least.items()) {
    if (!settings.contains(key)) settings[key] = value;
  }
  if (!settings.contains("password") && !settings.contains("password_file")) settings["password"] = "secret";
  const auto parsed = smpp::parse_setting({"main", settings, "carriers[0]", "US", {}});
  return parsed ? "" : parsed.error().text;
}

}  // namespace

TEST_CASE("A configuration's errors begin with the key's path (connector::Plugin::make)") {
  CHECK(problem(good()) == "");
  json c = good();
  c["regoin"] = "US";
  CHECK(problem(c) == "regoin: there is no such key; did you mean region?");
  c = good();
  c["region"] = "USA";
  CHECK(problem(c) == "region: must be a country's two letters, like \"US\"");
  c = good();
  c["numbers"][1]["carrier"] = "other";
  CHECK(problem(c) == "numbers[1].carrier: there is no carrier named other");
  c = good();
  c["numbers"][1]["number"] = "555-0100";
  CHECK(problem(c).starts_with("numbers[1].number: must be a number like"));
  c = good();
  c["numbers"][1]["number"] = "+15550001";
  CHECK(problem(c) == "numbers[1].number: is listed twice");
  c = good();
  c["numbers"][0]["users"] = "romeo@x.test";
  CHECK(problem(c) == "numbers[0].users: must be a list of texts, like [\"a\", \"b\"]");
  c = good();
  c["carriers"] = json::array();
  CHECK(problem(c).starts_with("carriers: must have at least one entry"));
  c = good();
  c["carriers"][0]["name"] = "Main/1";
  CHECK(problem(c) == "carriers[0].name: must be at most 32 of a-z, 0-9, - and _");
  c = good();
  c["carriers"].push_back(c["carriers"][0]);
  CHECK(problem(c) == "carriers[1].name: another carrier has this name");
  CHECK(problem(json::array()) == "configuration: must be a table");
  c = good();
  c["carriers"][0] = 5;
  CHECK(problem(c) == "carriers: must be written as [[carriers]]");
}

TEST_CASE("All mistakes are told at once, a line for each (connector::Plugin::make)") {
  json c = good();
  c["region"] = "USA";
  c["numbers"][0]["carrier"] = "other";
  c["numbers"][1]["pol"] = true;
  c["numbers"][2]["number"] = 72404;
  CHECK(problem(c) ==
        "numbers[0].carrier: there is no carrier named other\n"
        "numbers[1].pol: there is no such key; did you mean pool?\n"
        "numbers[2].number: must be a text in quotes, like \"72404\"\n"
        "region: must be a country's two letters, like \"US\"");
}

TEST_CASE("Users are prepared as all addresses are, and what is none is an error (RFC 7622 §3.2, §3.3)") {
  json c = good();
  c["numbers"][0]["users"] = json::array({"Romeo@X.Test", "@Y.Test.", "J\u00C9R\u00D4ME@x.test"});
  CHECK(parse_configuration(c)->numbers[0].users ==
        std::vector<std::string>{"romeo@x.test", "@y.test", "j\u00E9r\u00F4me@x.test"});
  for (const char* user : {"romeo", "romeo@", "@", "romeo@x.test/desk", "romeo montague@x.test", "a@b@c"}) {
    CAPTURE(user);
    c["numbers"][0]["users"] = json::array({user});
    CHECK(problem(c) == "numbers[0].users: “" + std::string(user) +
                            "” must be an address like romeo@example.org, or @example.org for everybody there");
  }
}

TEST_CASE("An account of an SMS centre has one carrier: receipts come over any of its links (SMPP 3.4 §2.2)") {
  json c = good();
  c["carriers"].push_back(c["carriers"][0]);
  c["carriers"][1]["name"] = "second";
  CHECK(problem(c).starts_with("carriers[1].system_id: carriers[0] has this account already"));
  const json others = {{"host", "127.0.0.2"}, {"port", 2776}, {"system_id", "other"}};
  for (const auto& [key, value] : others.items()) {
    json different = c;
    different["carriers"][1][key] = value;
    CHECK(problem(different) == "");
  }
}

TEST_CASE("An SMPP link's settings are checked one by one") {
  CHECK(smpp_problem(json::object()) == "");
  CHECK(smpp_problem({{"port", 0}}) == "carriers[0].port: must be a whole number from 1 to 65535");
  CHECK(smpp_problem({{"port", "2775"}}) == "carriers[0].port: must be a whole number from 1 to 65535");
  CHECK(smpp_problem({{"bind", "both"}}) == "carriers[0].bind: must be one of transceiver, transmitter_receiver");
  CHECK(smpp_problem({{"alphabet", "GSM"}}) ==
        "carriers[0].alphabet: must be one of gsm7, gsm7_packed, latin1, ascii, utf8");
  CHECK(smpp_problem({{"window", 0}}).starts_with("carriers[0].window: "));
  CHECK(smpp_problem({{"tls", 5}}) == "carriers[0].tls: must be a table");
  CHECK(smpp_problem({{"tls", {{"ca", "x"}}}}) == "carriers[0].tls.ca: there is no such key");
  CHECK(smpp_problem({{"tls", {{"ca_file", "/nowhere/ca.pem"}}}}) ==
        "carriers[0].tls.ca_file: there is no such file: /nowhere/ca.pem");
  CHECK(smpp_problem({{"tls", false}}) == "");
  CHECK(smpp_problem({{"local_address", "localhost"}}).starts_with("carriers[0].local_address: "));
  CHECK(smpp_problem({{"service_type", "CMTXXX"}}) ==
        "carriers[0].service_type: must have at most 5 characters of ASCII (SMPP 3.4 §5.2)");
  CHECK(smpp_problem({{"service_type", "CMTXX"}}) == "");
  CHECK(smpp_problem({{"service_type", std::string("A\0", 2)}}).starts_with("carriers[0].service_type: must have"));
  CHECK(smpp_problem({{"system_type", std::string(13, 'x')}}) ==
        "carriers[0].system_type: must have at most 12 characters of ASCII (SMPP 3.4 §5.2)");
  CHECK(smpp_problem({{"address_range", std::string(41, '1')}}) ==
        "carriers[0].address_range: must have at most 40 characters of ASCII (SMPP 3.4 §5.2)");
  CHECK(smpp_problem({{"host", ""}}).starts_with("carriers[0].host: is missing"));
  CHECK(smpp_problem({{"password", ""}}).starts_with("carriers[0].password: is missing"));
  CHECK(smpp_problem({{"password_file", "/nowhere/password"}}) ==
        "carriers[0].password_file: /nowhere/password cannot be read: there is no such file");
}

namespace {

base::Result<smpp::Setting> with_password_file(std::string_view octets) {
  std::string path = (std::filesystem::temp_directory_path() / "wherry-password-XXXXXX").string();
  const int file = ::mkstemp(path.data());
  REQUIRE(file >= 0);
  ::close(file);
  std::ofstream(path) << octets;
  auto parsed = smpp::parse_setting(
      {"main", {{"host", "h"}, {"system_id", "w"}, {"password_file", path}}, "carriers[0]", "US", {}});
  std::remove(path.c_str());
  return parsed;
}

}  // namespace

TEST_CASE("A secret's file may begin with a byte order mark; one in UTF-16 is refused with its name") {
  using namespace std::string_view_literals;
  CHECK(with_password_file("\xEF\xBB\xBFsecret\r\n").value().bind.password == "secret");
  for (const std::string_view octets : {"\xFF\xFEs\0e\0"sv, "\xFE\xFF\0s\0e"sv, "sec\0ret"sv}) {
    const auto parsed = with_password_file(octets);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().text.find("carriers[0].password_file: ") == 0);
    CHECK(parsed.error().text.find("wherry-password-") != std::string::npos);
    CHECK(parsed.error().text.find("is no text in UTF-8") != std::string::npos);
  }
}

TEST_CASE("A password comes from a file where one is named") {
  const auto parsed = with_password_file("from file\n");
  REQUIRE(parsed.has_value());
  CHECK(parsed->bind.password == "from file");
  CHECK(parsed->endpoint.port == 2775);
  CHECK_FALSE(parsed->endpoint.tls);
}

TEST_CASE("A number is had by who is listed, by name or domain, or by one account out of the pool") {
  const auto now = base::Time();
  Routes routes(parse_configuration(good())->numbers);
  CHECK(routes.choices("romeo@x.test", now) == std::vector<std::string>{"+15550001", "+15550002"});
  CHECK(routes.choices("any@y.test", now) == std::vector<std::string>{"+15550001", "+15550002"});
  CHECK(routes.choices("any@sub.y.test", now) == std::vector<std::string>{"+15550002"});
  CHECK(*routes.carrier_of("72404") == "main");
  CHECK_FALSE(routes.carrier_of("+15550009"));

  // Two ask for the pool's number at once: one gets it, for good once the account exists, else for two minutes.
  CHECK(routes.reserve("juliet@x.test", "+15550002", now));
  CHECK_FALSE(routes.reserve("romeo@x.test", "+15550002", now));
  CHECK(routes.reserve("juliet@x.test", "+15550002", now));
  CHECK(routes.reserve("romeo@x.test", "+15550002", now + std::chrono::minutes(3)));
  routes.own({7}, "juliet@x.test", "+15550002");
  CHECK_FALSE(routes.reserve("romeo@x.test", "+15550002", now + std::chrono::minutes(9)));
  CHECK(routes.choices("romeo@x.test", now) == std::vector<std::string>{"+15550001"});
  CHECK(routes.choices("juliet@x.test", now, {7}) == std::vector<std::string>{"+15550002"});
  routes.disown({7});
  CHECK(routes.choices("romeo@x.test", now).size() == 2);

  // A listed number is shared.
  routes.own({1}, "romeo@x.test", "+15550001");
  routes.own({2}, "any@y.test", "+15550001");
  CHECK(routes.owners("+15550001") == std::vector<base::AccountId>{{1}, {2}});
  CHECK(routes.reserve("other@y.test", "+15550001", now));
  CHECK_FALSE(routes.reserve("romeo@x.test", "+15550077", now));
}

TEST_CASE("Every kind of carrier has its keys in the tables, and no secret has a default") {
  std::set<std::string_view> kinds;
  for (const connector::Section& section : sections()) {
    if (section.name == "carriers") kinds.insert(section.of);
    for (const connector::Key& key : section.keys) {
      CAPTURE(key.name);
      const bool is_secret = key.type.kind == connector::Type::Kind::secret;
      if (is_secret) CHECK((key.standard.empty() || key.standard == connector::required));
    }
  }
  for (const char* kind : {"smpp", "http", "jasmin", "kannel", "signalwire", "telnyx", "twilio"}) {
    CAPTURE(kind);
    CHECK(kinds.contains(kind));
  }
}

#include "connectors/msn/login/passport.hpp"
#include "connectors/msn/refusals.hpp"
#include "connectors/msn/settings.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace wherry;
using namespace wherry::msn;
using base::Errc;
using namespace std::chrono_literals;

namespace {

std::string mistakes_in(const char* json) {
  const auto settings = parse_settings(nlohmann::json::parse(json));
  return settings ? std::string() : settings.error().text;
}

constexpr const char* least = R"({"host": "h.test", "nexus_url": "https://h.test/n"})";

}  // namespace

TEST_CASE("The nexus names the login page in any of its spellings, and never one without TLS") {
  CHECK(parse_login_url("DARealm=Passport.Net,DALogin=login.test/login2.srf,DAReg=https://x") ==
        "https://login.test/login2.srf");
  CHECK(parse_login_url("DALogin=https://localhost:8443/login") == "https://localhost:8443/login");
  CHECK_FALSE(parse_login_url("DALogin=http://login.test/login"));
  CHECK_FALSE(parse_login_url("DALogin="));
  CHECK_FALSE(parse_login_url("nothing"));
}

TEST_CASE("A ticket is what stands between the quotes") {
  CHECK(parse_ticket("Passport1.4 da-status=success,from-PP='t=ab,c&p='") == "t=ab,c&p=");
  CHECK_FALSE(parse_ticket("Passport1.4 da-status=success,from-PP='unfinished"));
  CHECK_FALSE(parse_ticket("Passport1.4 da-status=success,from-PP=''"));
  CHECK_FALSE(parse_ticket("from-PP='" + std::string(5000, 'a') + "'"));
  CHECK_FALSE(parse_ticket(""));
}

TEST_CASE("No password breaks out of its place in the header") {
  const std::string header = to_authorization("a@x.test", "p,w=d %\r\nX: é", "ct=1,id=1");
  CHECK(header ==
        "Authorization: Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in=a%40x.test,"
        "pwd=p%2Cw%3Dd%20%25%0D%0AX%3A%20%C3%A9,ct=1,id=1");
}

TEST_CASE("Errors are what they mean for whoever asked") {
  CHECK(to_error(217, "juliet@x.test").code == Errc::offline);
  CHECK(to_error(217, "juliet@x.test").text.find("juliet@x.test") != std::string::npos);
  CHECK(to_error(208, "").code == Errc::not_found);
  CHECK(to_error(911, "").code == Errc::not_authorized);
  CHECK(to_error(913, "").code == Errc::rejected);
  CHECK(to_error(500, "").code == Errc::unavailable);
  CHECK(to_error(713, "").retry_after >= 60s);
  CHECK(to_error(210, "").code == Errc::rejected);
  CHECK(to_error(299, "").code == Errc::rejected);
  CHECK(is_about_password(911));
  CHECK(is_about_password(511));
  CHECK_FALSE(is_about_password(500));
}

TEST_CASE("The least configuration has the standards") {
  const auto settings = parse_settings(nlohmann::json::parse(least));
  REQUIRE(settings.has_value());
  CHECK(settings->port == 1863);
  CHECK(settings->logins_per_minute == 10);
  CHECK_FALSE(settings->acknowledged_is_delivered);
}

TEST_CASE("Offline messages are kept where the login page is, elsewhere, or nowhere") {
  const auto url = [](const char* json) { return parse_settings(nlohmann::json::parse(json)).value().oim_url; };
  CHECK(url(least) == "https://h.test");
  CHECK(url(R"({"host": "h", "login_url": "https://l.test:8443/login"})") == "https://l.test:8443");
  CHECK(url(R"({"host": "h", "nexus_url": "https://n", "oim_url": "https://o.test/"})") == "https://o.test");
  CHECK(url(R"({"host": "h", "nexus_url": "https://n", "oim_url": "none"})").empty());
  CHECK(mistakes_in(R"({"host": "h", "nexus_url": "https://n", "oim_url": "http://o.test"})").starts_with("oim_url: "));
}

TEST_CASE("No public network is asked unless one is named, and a preset gives way to what is written") {
  CHECK(mistakes_in("{}").find("host: is missing") != std::string::npos);
  CHECK(mistakes_in("{}").find("nexus_url: is missing") != std::string::npos);
  const auto preset = parse_settings(nlohmann::json::parse(R"({"preset": "crosstalk", "host": "mine.test"})"));
  REQUIRE(preset.has_value());
  CHECK(preset->host == "mine.test");
  CHECK(preset->nexus_url.starts_with("https://"));
}

TEST_CASE("All mistakes are told at once, each with its key") {
  const std::string told = mistakes_in(
      R"({"host": "h.test", "port": 70000, "nexus_url": "http://h.test/n", "ca_file": "/no/such", "logins_per_minute": 0, "hots": 1})");
  for (const char* part : {"port: ", "nexus_url: must begin with https://", "ca_file: there is no such file",
                           "logins_per_minute: ", "hots"})
    CHECK(told.find(part) != std::string::npos);
  CHECK(mistakes_in(R"({"host": "h", "nexus_url": "https://n", "login_url": "https://l"})").find("keep one") !=
        std::string::npos);
}

TEST_CASE("A server is a host and a port, or a host") {
  using Server = std::pair<std::string, std::uint16_t>;
  CHECK(split_server("ns.x.test:1864", 1863) == Server("ns.x.test", 1864));
  CHECK(split_server("ns.x.test", 1863) == Server("ns.x.test", 1863));
  CHECK(split_server("[::1]:1864", 1863) == Server("::1", 1864));
  CHECK(split_server("[::1]", 1863) == Server("::1", 1863));
  CHECK(split_server("ns.x.test:0", 1863) == Server("ns.x.test", 1863));
  CHECK(split_server("", 1863) == Server("", 1863));
}

// A Twilio carrier's settings.
#include "connectors/sms/carriers/twilio_configuration.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::sms;
using namespace wherry::sms::twilio;
using nlohmann::json;

namespace {

base::Result<Setting> parse(json settings, const std::string& public_url = "https://sms.example.org/") {
  const CarrierSetting source{"tw", std::move(settings), "carriers[0]", "US", {"+15550001"}};
  return parse_setting(source, public_url);
}
json least() { return {{"account_sid", "AC1"}, {"auth_token", "t"}}; }
json with(const std::string& key, json value) {
  json settings = least();
  settings[key] = std::move(value);
  return settings;
}

}  // namespace

TEST_CASE("A Twilio carrier needs its account and its token, and has a default for the rest") {
  const auto s = parse(least());
  REQUIRE(s.has_value());
  CHECK(s->user == "AC1");
  CHECK(s->password.reveal() == "t");
  CHECK(s->signing_key.reveal() == "t");
  CHECK(s->base_url == "https://api.twilio.com");
  CHECK(s->webhook_url() == "https://sms.example.org/twilio/tw");
  CHECK(s->rate == 1);
  CHECK(s->poll == std::chrono::seconds(300));
  CHECK(s->signature_header == "x-twilio-signature");
}

TEST_CASE("A Twilio carrier's API key signs in, and the account's token still checks webhooks") {
  json settings = with("api_key", "SK1");
  settings["api_key_secret"] = "s";
  const auto s = parse(settings);
  REQUIRE(s.has_value());
  CHECK(s->user == "SK1");
  CHECK(s->password.reveal() == "s");
  CHECK(s->signing_key.reveal() == "t");
}

TEST_CASE("A compatible service's address, header and signing key can be named") {
  json settings = with("base_url", "https://space.signalwire.com/api/laml/");
  settings["signature_header"] = "X-SignalWire-Signature";
  settings["signing_key"] = "k";
  const auto s = parse(settings);
  REQUIRE(s.has_value());
  CHECK(s->base_url == "https://space.signalwire.com/api/laml");
  CHECK(s->signature_header == "x-signalwire-signature");
  CHECK(s->signing_key.reveal() == "k");
}

TEST_CASE("Errors in a Twilio carrier's settings begin with the key's path") {
  const auto path = [](const json& settings) {
    const auto s = parse(settings);
    return s.has_value() ? std::string("(none)") : s.error().text.substr(0, s.error().text.find(':'));
  };
  CHECK(path(json::object()) == "carriers[0].account_sid");
  json without_token = least();
  without_token.erase("auth_token");
  CHECK(path(without_token) == "carriers[0].auth_token");
  CHECK(path(with("account_sid", "AC/../x")) == "carriers[0].account_sid");
  CHECK(path(with("api_key", "SK1")) == "carriers[0].api_key_secret");
  CHECK(path(with("api_key_secret", "s")) == "carriers[0].api_key");
  CHECK(path(with("base_url", "ftp://x")) == "carriers[0].base_url");
  CHECK(path(with("base_url", "https://user@x")) == "carriers[0].base_url");
  CHECK(path(with("webhook_path", "twilio")) == "carriers[0].webhook_path");
  CHECK(path(with("webhook_path", "/twilio/")) == "carriers[0].webhook_path");
  CHECK(path(with("webhook_path", "/a?b")) == "carriers[0].webhook_path");
  CHECK(path(with("signature_header", "X: y")) == "carriers[0].signature_header");
  CHECK(path(with("rate", -1)) == "carriers[0].rate");
  CHECK(path(with("poll_seconds", 0)) == "carriers[0].poll_seconds");
  CHECK(path(with("colour", "red")) == "carriers[0].colour");
}

TEST_CASE("A Twilio carrier without a public address is refused with the key that is missing") {
  const auto s = parse(least(), "");
  REQUIRE(s.has_error());
  CHECK(s.error().text.find("http.public_url") != std::string::npos);
}

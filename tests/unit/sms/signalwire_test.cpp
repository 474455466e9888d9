// What SignalWire's Compatibility API has other than Twilio's: names, addresses, the signature of webhooks with JSON.
// The signatures are OpenSSL's: printf '%s' URL BODY | openssl dgst -sha1 -hmac KEY
#include "connectors/sms/carriers/signalwire.hpp"

#include "tests/unit/sms/provider_tests.hpp"

namespace {

json least() {
  return {{"space", "example"}, {"project_id", "8b1c3d2e-aaaa"}, {"api_token", "PT"}, {"signing_key", "PSK_key"}};
}
connector::Result<std::unique_ptr<Provider>> parse(json settings, std::string public_url = "https://sms.example.org") {
  return make_signalwire_provider({"sw", std::move(settings), "carriers[0]", "US", {"+15550001"}},
                                  std::move(public_url));
}
std::unique_ptr<Provider> signalwire(json settings = least()) { return parse(std::move(settings)).value(); }

}  // namespace

TEST_CASE("SignalWire's requests go to the space, signed in as the project") {
  const auto request = signalwire()->send_request(outgoing("hi"), "abc", present);
  CHECK(request.url == "https://example.signalwire.com/api/laml/2010-04-01/Accounts/8b1c3d2e-aaaa/Messages.json");
  CHECK(request.user == "8b1c3d2e-aaaa");
  CHECK(request.password == "PT");
  CHECK(value_of(net::parse_form(request.body).value(), "StatusCallback") ==
        "https://sms.example.org/signalwire/sw?key=abc");
  json settings = least();
  settings["space"] = "sms.example.com";
  CHECK(signalwire(settings)->message_url("1").starts_with("https://sms.example.com/api/laml/"));
}

TEST_CASE("SignalWire's lists go on at its own addresses") {
  const auto page = signalwire()->read_page(
      R"({"messages":[{"sid":"1","body":"hi"}],"next_page_uri":"/api/laml/2010-04-01/Accounts/8b1c3d2e-aaaa/Messages.json?Page=1"})",
      {});
  REQUIRE(page);
  CHECK(page->next == "https://example.signalwire.com/api/laml/2010-04-01/Accounts/8b1c3d2e-aaaa/Messages.json?Page=1");
}

TEST_CASE("SignalWire's webhooks are signed with the signing key, forms and JSON each in their way") {
  const auto provider = signalwire();
  auto form = form_request("/signalwire/sw?key=abc",
                           {{"Body", "hi"}, {"From", "+15550100"}, {"MessageSid", "SM1"}, {"To", "+15550001"}});
  form.headers.emplace_back("x-signalwire-signature", "PZ/pwP9re49Ic62LWULIfrXEWZY=");
  CHECK(provider->is_genuine(form, present));
  form.body += "!";
  CHECK_FALSE(provider->is_genuine(form, present));
  net::ServerRequest body{
      "POST",
      "/signalwire/sw?key=abc",
      {{"content-type", "application/json"}, {"x-signalwire-signature", "05a5865844dca6bdd3cc6f0a9982b407e08b9929"}},
      R"({"a":1})"};
  CHECK(provider->is_genuine(body, present));
  body.headers[1].first = "x-twilio-signature";
  CHECK_FALSE(provider->is_genuine(body, present));
}

TEST_CASE("Without webhooks no report is asked for, and no public address is needed") {
  json settings = least();
  settings["webhooks"] = false;
  const auto provider = parse(settings, "").value();
  CHECK_FALSE(provider->needs_webhooks());
  CHECK(provider->send_request(outgoing("hi"), "abc", present).body.find("StatusCallback") == std::string::npos);
}

TEST_CASE("Errors in a SignalWire carrier's settings begin with the key's path") {
  const auto without = [](const char* key) {
    json settings = least();
    settings.erase(key);
    return parse(settings).error().text;
  };
  for (const char* key : {"space", "project_id", "api_token", "signing_key"}) {
    CAPTURE(key);
    CHECK(without(key).starts_with(std::string("carriers[0].") + key + ": is missing"));
  }
  json settings = least();
  settings["space"] = "https://example.signalwire.com";
  CHECK(parse(settings).error().text.starts_with("carriers[0].space: must be the space's name"));
  CHECK(parse(least(), "").error().text.starts_with("carriers[0].type: signalwire brings texts"));
}

// Signatures over URL and form, against vectors of Twilio's documentation and of its npm library (twilio 6.2.0).
#include "connectors/sms/http/api/form_signature.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::sms::http;

namespace {

constexpr const char* token_text = "12345";
constexpr const char* webhook_url = "https://mycompany.com/myapp.php?foo=1&bar=2";
const net::FormFields form_fields = {{"To", "+18005551212"},
                                     {"Digits", "1234"},
                                     {"CallSid", "CA1234567890ABCDE"},
                                     {"From", "+14158675309"},
                                     {"Caller", "+14158675309"}};
constexpr const char* right_signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

}  // namespace

TEST_CASE("sign makes the signature of the documentation's example (Twilio, Webhooks Security)") {
  CHECK(sign(token_text, webhook_url, form_fields) == right_signature);
  CHECK(is_signed(token_text, webhook_url, form_fields, right_signature));
}

TEST_CASE("is_signed refuses another key, URL, field, value, and no signature at all") {
  CHECK_FALSE(is_signed("12346", webhook_url, form_fields, right_signature));
  CHECK_FALSE(is_signed(token_text, "https://mycompany.com/myapp.php?foo=1&bar=3", form_fields, right_signature));
  auto more = form_fields;
  more.emplace_back("Extra", "1");
  CHECK_FALSE(is_signed(token_text, webhook_url, more, right_signature));
  auto other = form_fields;
  other[1].second = "1235";
  CHECK_FALSE(is_signed(token_text, webhook_url, other, right_signature));
  CHECK_FALSE(is_signed(token_text, webhook_url, form_fields, ""));
}

TEST_CASE("sign counts every different value of a repeated field once, in order (twilio-node, webhooks.ts)") {
  const std::string url = "https://example.org/a";
  const std::string once = sign(token_text, url, {{"MediaUrl", "a"}, {"MediaUrl", "b"}});
  CHECK(sign(token_text, url, {{"MediaUrl", "b"}, {"MediaUrl", "a"}, {"MediaUrl", "b"}}) == once);
  CHECK(sign(token_text, url, {{"MediaUrl", "a"}}) != once);
}

TEST_CASE("spellings names the URL with and without its port") {
  using Urls = std::vector<std::string>;
  CHECK(spellings("https://a.org/x?y=1") == Urls{"https://a.org/x?y=1", "https://a.org:443/x?y=1"});
  CHECK(spellings("http://a.org/x") == Urls{"http://a.org/x", "http://a.org:80/x"});
  CHECK(spellings("https://a.org:443/x") == Urls{"https://a.org:443/x", "https://a.org/x"});
  CHECK(spellings("http://a.org:8080?y") == Urls{"http://a.org:8080?y", "http://a.org?y"});
  CHECK(spellings("http://[::1]/x") == Urls{"http://[::1]/x", "http://[::1]:80/x"});
  CHECK(spellings("http://[::1]:99/x") == Urls{"http://[::1]:99/x", "http://[::1]/x"});
  CHECK(spellings("nonsense") == Urls{"nonsense"});
}

TEST_CASE("is_signed takes a signature over the URL with the standard port") {
  const net::FormFields fields = {{"Body", "h\xC3\xA9 \xF0\x9F\x98\x80"}};
  CHECK(is_signed(token_text, "https://a.org/x", fields, sign(token_text, "https://a.org:443/x", fields)));
  CHECK(is_signed(token_text, "https://a.org:443/x", fields, sign(token_text, "https://a.org/x", fields)));
  CHECK_FALSE(is_signed(token_text, "https://a.org/x", fields, sign(token_text, "https://a.org:444/x", fields)));
}

TEST_CASE("is_signed_body checks the body's hash in the URL and the signature over the URL (Twilio, bodySHA256)") {
  // printf '{"a":1}' | sha256sum
  const std::string url = "https://a.org/x?bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
  const std::string signature = sign(token_text, url, {});
  CHECK(is_signed_body(token_text, url, "{\"a\":1}", signature));
  CHECK_FALSE(is_signed_body(token_text, url, "{\"a\":2}", signature));
  CHECK_FALSE(is_signed_body(token_text, "https://a.org/x", "{\"a\":1}", sign(token_text, "https://a.org/x", {})));
  CHECK_FALSE(is_signed_body("other", url, "{\"a\":1}", signature));
}

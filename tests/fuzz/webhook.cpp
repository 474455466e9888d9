// A webhook's URL, headers and body, as anybody on the Internet may send them, to every provider.
#include "connectors/sms/carriers/generic_http.hpp"
#include "connectors/sms/carriers/jasmin.hpp"
#include "connectors/sms/carriers/kannel.hpp"
#include "connectors/sms/carriers/telnyx.hpp"
#include "connectors/sms/carriers/twilio.hpp"
#include "connectors/sms/http/api/form_signature.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <array>

using namespace wherry::sms;

namespace {

constexpr const char* public_url = "https://sms.example.org";
constexpr const char* secret = "a-secret-of-20-signs";

// Which header each signs in is beside it; Telnyx's key is 32 octets of which nobody has the secret half.
struct Signed {
  std::unique_ptr<http::Provider> provider;
  const char* header;
};
const std::array<Signed, 5>& providers() {
  static const std::array<Signed, 5> all = {
      Signed{make_twilio_provider({"t", {{"account_sid", "AC1"}, {"auth_token", "key"}}, "carriers[0]", "US", {}},
                                  public_url)
                 .value(),
             "x-twilio-signature"},
      Signed{make_telnyx_provider({"x",
                                   {{"api_key", "key"}, {"public_key", "7JL4TmSzfsT4h47GGhHVpG4lCOoBqQ/zW+uGXer0W2k="}},
                                   "carriers[1]",
                                   "US",
                                   {}},
                                  public_url)
                 .value(),
             "telnyx-signature-ed25519"},
      Signed{
          make_kannel_provider(
              {"k", {{"user", "u"}, {"password", "p"}, {"webhook_secret", secret}}, "carriers[2]", "US", {"+15550001"}},
              public_url)
              .value(),
          "x-kannel"},
      Signed{
          make_jasmin_provider(
              {"j", {{"user", "u"}, {"password", "p"}, {"webhook_secret", secret}}, "carriers[3]", "US", {"+15550001"}},
              public_url)
              .value(),
          "x-jasmin"},
      Signed{make_generic_http_provider({"g",
                                         {{"base_url", "https://api.example.org"},
                                          {"webhook_secret", secret},
                                          {"send", {{"path", "/"}}},
                                          {"answer", {{"id", "/data/0/id"}, {"accepted", "*id*{id}\"*"}}},
                                          {"text", {{"id", "/id"}}},
                                          {"report", {{"id", "id"}, {"status", "/data/0/status"}}}},
                                         "carriers[4]",
                                         "US",
                                         {"+15550001"}},
                                        public_url)
                 .value(),
             "x-any"}};
  return all;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  const Signed& by = providers()[input.byte() % providers().size()];
  wherry::net::ServerRequest request;
  request.method = input.byte() % 4 == 0 ? "GET" : "POST";
  request.target = input.take(input.byte());
  request.headers = {
      {by.header, std::string(input.take(input.byte()))},
      {"telnyx-timestamp", std::string(input.take(input.byte() % 16))},
      {"content-type", input.byte() % 2 == 0 ? "application/x-www-form-urlencoded" : "application/json"}};
  request.body = input.rest();
  (void)by.provider->is_genuine(request, wherry::base::from_milliseconds(0));
  (void)by.provider->read_webhook(request);
  wherry::net::HttpResponse answer;
  answer.status = 200;
  answer.body = request.body;
  (void)by.provider->judge(answer, wherry::base::from_milliseconds(0));
  (void)by.provider->read_message(request.body);
  (void)by.provider->read_page(request.body, {});
  (void)by.provider->read_links(request.body);
  if (const auto fields = wherry::net::parse_form(request.body)) {
    const std::string url = public_url + request.target;
    HOLDS(http::is_signed("key", url, *fields, http::sign("key", url, *fields)));
  }
  return 0;
}

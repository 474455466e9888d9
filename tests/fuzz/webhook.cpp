// A webhook's body and signature, as anybody on the Internet may send them.
#include "connectors/sms/carriers/twilio_api.hpp"
#include "connectors/sms/carriers/twilio_signature.hpp"
#include "gateway/base/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace wherry::sms::twilio;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  const std::string_view target = input.take(input.byte()), signature = input.take(input.byte()), body = input.rest();
  const std::string url = "https://sms.example.org" + std::string(target);
  (void)is_signed_body("key", url, body, signature);
  const auto fields = wherry::net::parse_form(body);
  if (!fields) return 0;
  (void)is_signed("key", url, *fields, signature);
  HOLDS(is_signed("key", url, *fields, sign("key", url, *fields)));
  (void)read_webhook(target, *fields, wherry::base::from_milliseconds(0));
  (void)parse_date(body);
  return 0;
}

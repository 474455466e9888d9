#include "connectors/sms/carriers/signalwire.hpp"

#include "connectors/sms/carriers/twilio.hpp"
#include "connectors/sms/http/api/keys.hpp"
#include "connectors/sms/http/http_carrier.hpp"

#include <fmt/format.h>

namespace wherry::sms {

namespace {

using connector::Key;
using connector::required;
using connector::Type;

constexpr Key signalwire_keys[] = {
    {"base_url", Type::text(), "", "of the API; otherwise the space's"},
    {"space", Type::text(), required, "the space's name, or its host"},
    {"project_id", Type::text(), required, "of the account"},
    {"api_token", Type::secret(), required, "of the account"},
    {"signature_header", Type::text(), "X-SignalWire-Signature", "where a webhook's signature is"},
    {"signing_key", Type::secret(), required, "checks webhooks"},
};

constexpr connector::Section signalwire_all_sections[] = {
    {"carriers", "signalwire", true, "SignalWire", signalwire_keys}};

// "example" or "example.signalwire.com"
std::string host_of(connector::Fields& in) {
  const std::string space = in.text("space");
  if (!http::consists_of(space, "-."))
    in.wrong("space", "must be the space's name, like \"example\" or \"example.signalwire.com\"");
  return space.find('.') == space.npos ? space + ".signalwire.com" : space;
}

}  // namespace

std::span<const connector::Section> signalwire_sections() { return signalwire_all_sections; }

connector::Result<std::unique_ptr<http::Provider>> make_signalwire_provider(const CarrierSetting& source,
                                                                            std::string public_url) {
  static const std::vector<Key> keys = http::with_common_keys({signalwire_keys, twilio_like_keys()});
  connector::Fields in(source.settings, source.path, keys);
  TwilioLike signalwire;
  signalwire.type = "signalwire";
  signalwire.base_url = fmt::format("https://{}/api/laml", host_of(in));
  signalwire.account_key = "project_id";
  signalwire.token_key = "api_token";
  signalwire.has_signing_key = true;
  return make_twilio_like(in, signalwire, source, std::move(public_url));
}

connector::Result<std::unique_ptr<Carrier>> make_signalwire(CarrierSetting source, connector::Services services,
                                                            CarrierEvents& events) {
  auto provider = make_signalwire_provider(source, services.webhooks.public_url);
  if (!provider) return provider.error();
  return http::make_http_carrier(std::move(*provider), services, events);
}

}  // namespace wherry::sms

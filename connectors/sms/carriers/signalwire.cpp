#include "connectors/sms/carriers/signalwire.hpp"

#include "connectors/sms/carriers/twilio.hpp"
#include "connectors/sms/http/http_carrier.hpp"

#include <fmt/format.h>

namespace wherry::sms {

namespace {

// "example" or "example.signalwire.com"
std::string host_of(connector::Fields& in) {
  const std::string space = in.required_text("space");
  if (!http::consists_of(space, "-."))
    in.wrong("space", "must be the space's name, like \"example\" or \"example.signalwire.com\"");
  return space.find('.') == space.npos ? space + ".signalwire.com" : space;
}

}  // namespace

connector::Result<std::unique_ptr<http::Provider>> make_signalwire_provider(const CarrierSetting& source,
                                                                            std::string public_url) {
  connector::Fields in(source.settings, source.path);
  TwilioLike signalwire;
  signalwire.type = "signalwire";
  signalwire.base_url = fmt::format("https://{}/api/laml", host_of(in));
  signalwire.account_key = "project_id";
  signalwire.token_key = "api_token";
  signalwire.signature_header = "X-SignalWire-Signature";
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

// Twilio's Programmable Messaging (2010-04-01), or a service with the same API, as a carrier.
#pragma once

#include "connectors/sms/http/api/provider.hpp"

namespace wherry::sms {

connector::Result<std::unique_ptr<Carrier>> make_twilio(CarrierSetting setting, connector::Services services,
                                                        CarrierEvents& events);

std::span<const connector::Section> twilio_sections();

// What make_twilio gives the engine.
connector::Result<std::unique_ptr<http::Provider>> make_twilio_provider(const CarrierSetting& setting,
                                                                        std::string public_url);

inline constexpr std::string_view twilio_url = "https://api.twilio.com";

// What services with the same API call things.
struct TwilioLike {
  std::string_view type = "twilio";
  std::string base_url{twilio_url};
  std::string_view account_key = "account_sid", token_key = "auth_token";  // of the configuration
  bool has_signing_key = false;  // webhooks are signed with a key of their own, never with the token
};
// Their keys, but for those of the account, the base URL and signatures.
std::span<const connector::Key> twilio_like_keys();
// Reads the rest of the settings, and ends the reading.
connector::Result<std::unique_ptr<http::Provider>> make_twilio_like(connector::Fields& in, const TwilioLike& service,
                                                                    const CarrierSetting& setting,
                                                                    std::string public_url);

}  // namespace wherry::sms

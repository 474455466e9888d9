// Any HTTP API as a carrier ("type": "http"): its requests, answers and webhooks are described in the configuration.
#pragma once

#include "connectors/sms/http/api/provider.hpp"

namespace wherry::sms {

connector::Result<std::unique_ptr<Carrier>> make_generic_http(CarrierSetting setting, connector::Services services,
                                                              CarrierEvents& events);

std::span<const connector::Section> generic_http_sections();

// What make_generic_http gives the engine.
connector::Result<std::unique_ptr<http::Provider>> make_generic_http_provider(const CarrierSetting& setting,
                                                                              std::string public_url);

}  // namespace wherry::sms

// Jasmin's HTTP API (0.10 and later) as a carrier.
#pragma once

#include "connectors/sms/http/api/provider.hpp"

namespace wherry::sms {

connector::Result<std::unique_ptr<Carrier>> make_jasmin(CarrierSetting setting, connector::Services services,
                                                        CarrierEvents& events);

std::span<const connector::Section> jasmin_sections();

// What make_jasmin gives the engine.
connector::Result<std::unique_ptr<http::Provider>> make_jasmin_provider(const CarrierSetting& setting,
                                                                        std::string public_url);

}  // namespace wherry::sms

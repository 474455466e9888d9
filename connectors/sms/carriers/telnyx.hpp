// Telnyx's Messaging API (v2) as a carrier.
#pragma once

#include "connectors/sms/http/api/provider.hpp"

namespace wherry::sms {

connector::Result<std::unique_ptr<Carrier>> make_telnyx(CarrierSetting setting, connector::Services services,
                                                        CarrierEvents& events);

std::span<const connector::Section> telnyx_sections();

// What make_telnyx gives the engine.
connector::Result<std::unique_ptr<http::Provider>> make_telnyx_provider(const CarrierSetting& setting,
                                                                        std::string public_url);

}  // namespace wherry::sms

// SignalWire's Compatibility API as a carrier: Twilio's, under other names.
#pragma once

#include "connectors/sms/http/api/provider.hpp"

namespace wherry::sms {

connector::Result<std::unique_ptr<Carrier>> make_signalwire(CarrierSetting setting, connector::Services services,
                                                            CarrierEvents& events);

std::span<const connector::Section> signalwire_sections();

// What make_signalwire gives the engine.
connector::Result<std::unique_ptr<http::Provider>> make_signalwire_provider(const CarrierSetting& setting,
                                                                            std::string public_url);

}  // namespace wherry::sms

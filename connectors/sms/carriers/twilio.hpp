// Twilio's Programmable Messaging (2010-04-01), or a service with the same API, as a carrier.
#pragma once

#include "connectors/sms/http/api/provider.hpp"

namespace wherry::sms {

connector::Result<std::unique_ptr<Carrier>> make_twilio(CarrierSetting setting, connector::Services services,
                                                        CarrierEvents& events);

// What make_twilio gives the engine.
connector::Result<std::unique_ptr<http::Provider>> make_twilio_provider(const CarrierSetting& setting,
                                                                        std::string public_url);

}  // namespace wherry::sms

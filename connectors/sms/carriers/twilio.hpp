// Twilio's Programmable Messaging, or a service with the same API, as a carrier.
#pragma once

#include "connectors/sms/carriers/make.hpp"

namespace wherry::sms {

connector::Result<std::unique_ptr<Carrier>> make_twilio(CarrierSetting setting, connector::Services services, CarrierEvents& events);

}  // namespace wherry::sms

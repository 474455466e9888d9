// An SMPP 3.4 link to an SMS centre as a carrier.
#pragma once

#include "connectors/sms/carriers/make.hpp"

namespace wherry::sms {

connector::Result<std::unique_ptr<Carrier>> make_smpp(CarrierSetting setting, connector::Services services,
                                                      CarrierEvents& events);

}  // namespace wherry::sms

// Kannel's smsbox (1.4.5) as a carrier: texts by its sendsms page, reports and incoming texts by URLs that it fetches.
#pragma once

#include "connectors/sms/http/api/provider.hpp"

namespace wherry::sms {

connector::Result<std::unique_ptr<Carrier>> make_kannel(CarrierSetting setting, connector::Services services,
                                                        CarrierEvents& events);

std::span<const connector::Section> kannel_sections();

// What make_kannel gives the engine.
connector::Result<std::unique_ptr<http::Provider>> make_kannel_provider(const CarrierSetting& setting,
                                                                        std::string public_url);

}  // namespace wherry::sms

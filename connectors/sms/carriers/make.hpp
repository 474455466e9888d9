// The kinds of carrier. A new one is one line in make.cpp and its own files.
#pragma once

#include "connectors/sms/carrier.hpp"
#include "gateway/connector/keys.hpp"

#include <memory>
#include <string>
#include <vector>

namespace wherry::sms {

// bad_input for an unknown type, with the types there are.
connector::Result<std::unique_ptr<Carrier>> make_carrier(const std::string& type, CarrierSetting setting,
                                                         connector::Services services, CarrierEvents& events);

// The keys of all kinds. The first are SMPP's, which the example goes on with.
std::vector<connector::Section> carrier_sections();

}  // namespace wherry::sms

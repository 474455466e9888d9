// What a telephone number says of whoever has it: how it is written, and its country.
#pragma once

#include "connectors/sms/text/numbering.hpp"
#include "gateway/connector/contract.hpp"

namespace wherry::sms {

// The number as it is written internationally ("+1 415-555-0132"), and its country in English; of short codes and names
// what stands there.
connector::Profile profile_of(const Address& address);

}  // namespace wherry::sms

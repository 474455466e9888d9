// Addresses between SMPP's (type of number, digits) and the one true form. Pure.
#pragma once

#include "connectors/sms/smpp/configuration.hpp"

namespace wherry::sms::smpp {

// E.164 goes as digits without '+', ton 1 npi 1; a short code as the link wants it; an alphanumeric sender
// with ton 5 npi 0. bad_input where an alphanumeric one cannot be written.
base::Result<NetworkAddress> to_network(const Address& address, const AddressRules& rules);

// Never fails: what is no number is an alphanumeric sender.
Address from_network(const NetworkAddress& address, const AddressRules& rules);

// Whether `address`, as a receipt has it, may be the number we sent to: equal, or one the other's end (national forms).
bool may_be_same(const Address& ours, const NetworkAddress& theirs);

}  // namespace wherry::sms::smpp

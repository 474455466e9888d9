// Addresses between SMPP's (type of number, digits) and the one true form. Pure.
#pragma once

#include "connectors/sms/smpp/settings.hpp"

namespace wherry::sms::smpp {

// Our numbers in the order in which the two below find them, however many there are: by their digits, from the last one
// on. AddressRules::numbers must be in it.
std::vector<std::string> by_ending(std::vector<std::string> numbers);

// E.164 and short codes go as the link wants them; an alphanumeric sender with ton 5 npi 0. bad_input where an
// alphanumeric one cannot be written.
base::Result<NetworkAddress> source_to_network(const Address& address, const AddressRules& rules);
base::Result<NetworkAddress> destination_to_network(const Address& address, const AddressRules& rules);

// The sender of a text. Never fails and never drops a digit: what is no number stays as it was written, and what is no
// digits is an alphanumeric sender. Where the type of number leaves it open, in this order: a number of ours, valid at
// home as it is dialled there, valid abroad, possible at home, possible abroad.
Address from_network(const NetworkAddress& address, const AddressRules& rules);

// The receiver of a text: a number of ours, which may lack its beginning where no other of ours ends so.
Address destination_from_network(const NetworkAddress& address, const AddressRules& rules);

// Whether `address`, as a receipt has it, may be the number we sent to: equal, or one the other's end (national forms).
bool may_be_same(const Address& ours, const NetworkAddress& theirs);
// What two that may be the same have in common: the last digits, or all of few. To find them by.
std::string tail_of(std::string_view digits);

}  // namespace wherry::sms::smpp

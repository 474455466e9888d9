// Telephone numbers as people type them, as the network writes them, and as contacts' ids:
//   "+15550100"    a number in E.164
//   "72404"        a short code (3 to 8 digits; it means what it means in the country of the account's own number)
//   "alpha.acme"   an alphanumeric sender, in lower case, so that the same sender is the same contact; nobody can answer it
#pragma once

#include "connectors/sms/carrier.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/ids.hpp"

#include <string>
#include <string_view>
#include <unordered_set>

namespace wherry::sms {

// What a person typed, or a contact's id, in `region` (ISO 3166-1, as "US"; empty: only numbers with their country
// code are understood). bad_input where it cannot be a number, or is one for emergencies.
base::Result<Address> parse_number(std::string_view typed, std::string_view region);

// The same for contacts' ids: those that were found to be whole numbers in E.164 are not parsed again. They are so in every
// region; ids of other kinds are not remembered.
class ContactNumbers {
 public:
  base::Result<Address> parse(const std::string& id, std::string_view region);

 private:
  std::unordered_set<std::string> whole_;  // begun anew when it has become large
};

// A number whose international form must be right already: "+15550100" in configuration, or what a provider gave.
base::Result<Address> parse_e164(std::string_view text);

base::ContactId to_contact(const Address& address);

// What a network calls an alphanumeric sender, with its spelling kept. At most 64 octets count.
Address alphanumeric(std::string_view name);

// The region of an international number ("+15550100" → "US"; of shared codes the main one), or "".
std::string region_of(const Address& address);

bool is_region(std::string_view region);  // known to libphonenumber

}  // namespace wherry::sms

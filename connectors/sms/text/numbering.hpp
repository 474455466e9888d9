// Telephone numbers as people type them, as the network writes them, and as contacts' ids:
//   "+15550100"    a number in E.164
//   "72404"        a short code (3 to 8 digits; it means what it means in the country of the account's own number)
//   "code.4123"    digits as the network wrote them, where alone they would be read as something else, or as nothing
//   "alpha.acme"   an alphanumeric sender, in lower case, so that the same sender is the same contact; nobody can
//   answer it
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/ids.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace wherry::sms {

// An address as the telephone network has it, in its one true form: "+<E.164 digits>", a short code ("72404"), or an
// alphanumeric sender ("ACME").
struct Address {
  enum class Type { international, short_code, alphanumeric };
  Type type = Type::international;
  std::string text;
  bool operator==(const Address&) const = default;
};

// What a person typed or pasted, or a contact's id, in `region` (ISO 3166-1, as "US"; empty: only numbers with their
// country code are understood). '+' and 8 to 15 digits are a number, whatever the library's tables say: numbering plans
// change after it was made. bad_input where it cannot be a number, or is one for emergencies.
base::Result<Address> parse_number(std::string_view typed, std::string_view region);

// How sure the library must be. Its tables are of the day it was made.
enum class Likelihood {
  local,     // its length fits, though an area code may be missing
  possible,  // its length fits
  valid,     // somebody can have it
};
// What `digits` are when they are dialled in `region`: a national number, or one with the country's code or its prefix
// for calls abroad. Nothing: no number, or no region.
std::optional<Address> number_in(std::string_view digits, std::string_view region, Likelihood likelihood);
// What `digits` are behind a '+'.
std::optional<Address> number_abroad(std::string_view digits, Likelihood likelihood);
// The one true form of "+<digits>": as the library writes it ("+52 1 55…" is "+52 55…"), or as it is where the library
// does not know it. Nothing where it cannot be E.164.
std::optional<Address> international_number(std::string_view digits);

// Whether mobile numbers are dialled with a zero in front of them there, so that digits without it are hardly national.
bool has_trunk_zero(const std::string& region);

// Digits that nothing more is known of. They are answered as they are. Too many of them are a name.
Address as_written(std::string_view digits);

// The same for contacts' ids: those that were found to be whole numbers in E.164 are not parsed again. They are so in
// every region; ids of other kinds are not remembered.
class ContactNumbers {
 public:
  base::Result<Address> parse(const std::string& id, std::string_view region);

 private:
  std::unordered_set<std::string> whole_;  // begun anew when it has become large
};

// A number whose international form must be right already: "+15550100" in configuration, or what a provider gave.
base::Result<Address> parse_e164(std::string_view text);

// The id under which `address` is a contact of an account in `region`. There parse_number() gives the address back, but
// for emergency numbers, which are never called.
base::ContactId to_contact(const Address& address, std::string_view region);

// What a network calls an alphanumeric sender, with its spelling kept. At most 128 octets count: twice SMPP's field.
Address alphanumeric(std::string_view name);

// The region of an international number ("+15550100" → "US"; of shared codes the main one), or "".
std::string region_of(const Address& address);

bool is_region(std::string_view region);  // known to libphonenumber

}  // namespace wherry::sms

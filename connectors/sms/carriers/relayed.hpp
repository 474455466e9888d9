// What programs between us and an SMS centre pass on of SMPP: numbers without their type, statuses, receipts. Pure.
#pragma once

#include "connectors/sms/http/api/provider.hpp"
#include "connectors/sms/smpp/address.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace wherry::sms {

// Numbers as the SMS centre wrote them, perhaps with a '+' in front; read as those of an SMPP link (see README).
class RelayedNumbers {
 public:
  explicit RelayedNumbers(const CarrierSetting& source);
  void serve(std::vector<std::string> numbers);  // they are ours from now on
  std::string sender(std::string_view written) const;
  std::string receiver(std::string_view written) const;

 private:
  smpp::AddressRules rules_;
};

// The most that so many segments of GSM 7 can hold.
constexpr std::size_t most_units_of(int segments) {
  return segments == 1 ? 160 : static_cast<std::size_t>(segments) * 153;
}
// Of a text that programs cut into segments: how many these are. `whole` units fit where it is one, else `part` in
// each.
std::size_t segments_of(std::size_t units, std::size_t whole, std::size_t part);
// For the sender of a text that takes more than `most` segments; empty where it does not.
std::string why_too_many(std::size_t segments, int most);

// What a receipt's text says: "id:… stat:DELIVRD err:000 …".
http::Status status_of_receipt(std::string_view text);

// A submit_sm was refused with this status: what its sender is told.
http::Status refused_with(smpp::Status status);

// "0B" → 11; nothing where it is no hexadecimal number.
std::optional<std::uint32_t> from_hex_number(std::string_view text);

}  // namespace wherry::sms

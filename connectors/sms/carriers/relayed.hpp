// What programs between us and an SMS centre pass on of SMPP: numbers without their type, statuses, receipts. Pure.
#pragma once

#include "connectors/sms/http/api/provider.hpp"
#include "connectors/sms/smpp/address.hpp"

#include <string>
#include <string_view>

namespace wherry::sms {

// Numbers as the SMS centre wrote them, perhaps with a '+' in front; read as those of an SMPP link (see README).
class RelayedNumbers {
 public:
  explicit RelayedNumbers(const CarrierSetting& source);
  std::string sender(std::string_view written) const;
  std::string receiver(std::string_view written) const;

 private:
  smpp::AddressRules rules_;
};

// What a receipt's text says: "id:… stat:DELIVRD err:000 …".
http::Status status_of_receipt(std::string_view text);

// A submit_sm was refused with this status: what its sender is told.
http::Status refused_with(smpp::Status status);

// "0B" → 11; nothing where it is no hexadecimal number.
std::optional<std::uint32_t> from_hex_number(std::string_view text);

}  // namespace wherry::sms

// Delivery receipts (SMPP 3.4 Appendix B, §5.3.2.12, §5.3.2.35) in the many forms the field has. Pure.
#pragma once

#include "connectors/sms/smpp/wire/pdu.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::sms::smpp {

// §5.2.28, and 5.0's additions.
enum class MessageState : std::uint8_t {
  scheduled = 0,
  enroute = 1,
  delivered = 2,
  expired = 3,
  deleted = 4,
  undeliverable = 5,
  accepted = 6,
  unknown = 7,
  rejected = 8,
  skipped = 9,
};

std::string_view to_string(MessageState state);

struct Receipt {
  std::string id;
  MessageState state = MessageState::unknown;
  std::string error;          // the network's code as it came: "err:" or network_error_code
  std::string text;           // the start of the text, where it is there; in an unknown alphabet
  std::string other_id = {};  // where parameter and text name different ones: the text's
};

// esm_class §5.2.12: a delivery receipt; or an intermediate notification, which is never final.
constexpr bool is_receipt(std::uint8_t esm_class) { return (esm_class & 0x3C) == 0x04; }
constexpr bool is_intermediate(std::uint8_t esm_class) { return (esm_class & 0x3C) == 0x20; }

// What the parameters and the text say. Parameters win, but for a state that is not final beside one that is. Nothing
// where neither has an id and a state.
std::optional<Receipt> parse_receipt(const std::vector<Tlv>& tlvs, std::string_view text);

// Where that is nothing: what the receipt would be if one of its words were the id; its state, where one can be read.
std::vector<Receipt> guess_receipts(const std::vector<Tlv>& tlvs, std::string_view text);

bool is_final_failure(MessageState state);

// Why it was not delivered, for the sender.
std::string explain(const Receipt& receipt);

}  // namespace wherry::sms::smpp

// What a deliver_sm or data_sm is: a text, a segment of one, or a delivery receipt. Pure.
#pragma once

#include "connectors/sms/smpp/receipt.hpp"
#include "connectors/sms/smpp/settings.hpp"
#include "connectors/sms/text/reassembly.hpp"

#include <variant>

namespace wherry::sms::smpp {

struct SeenText {
  std::string text;
};
struct SeenPiece {
  Piece piece;  // `arrived` is the caller's to set
};
// `certain`: esm_class says so; otherwise it only looks like one, and is the text where the id is none of ours.
struct SeenReceipt {
  Receipt receipt;
  bool certain = true;
  std::string text;
};
struct SeenNothing {  // to be answered and forgotten
  std::string why;
  bool unread = false;                // a receipt that is not understood: somebody will miss it
  std::vector<Receipt> guesses = {};  // what it would be, if a word of it is an id
};
using Seen = std::variant<SeenText, SeenPiece, SeenReceipt, SeenNothing>;

Seen read_message(const ShortMessage& message, const Setting& setting);

// Sender and receiver of a Piece::group.
Address group_sender(std::string_view group);
Address group_receiver(std::string_view group);

// `octets` without what is personal in them: letters become x, digits 9, but for the words that receipts have.
std::string shape_of(std::string_view octets);

// The same for the same content from the same sender to the same receiver.
std::string content_digest(const ShortMessage& message);

}  // namespace wherry::sms::smpp

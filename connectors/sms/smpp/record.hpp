// What is remembered of a text that was handed to an SMS centre, until its receipts have come: pure values and the
// folding of the segments' states into one.
#pragma once

#include "connectors/sms/carrier.hpp"
#include "connectors/sms/smpp/receipt.hpp"

#include <optional>
#include <string>
#include <vector>

namespace wherry::sms::smpp {

enum class SegmentState {
  unsent,   // provably: may be sent
  written,  // perhaps sent: never sent again
  sent,     // the SMS centre has it
  delivered,
  failed,
};

struct SegmentRecord {
  SegmentState state = SegmentState::unsent;
  std::string id;    // the SMS centre's, where state is sent or later; as it wrote it
  std::string head;  // how its text begins, while the outcome is unknown: by it a receipt without a known id is placed
};

struct Record {
  std::string key;
  Address from, to;
  unsigned reference = 0;  // of the concatenation: the same after an interruption
  base::Time begun, expires;
  // of the link, as far as they were known when a segment was last answered: see message_id.hpp
  std::string notations;
  std::vector<SegmentRecord> segments;
  bool told_delivered = false, told_failed = false;
  // Segments are being submitted: what is stored meanwhile calls the unsent ones "written", so that none is sent a
  // second time after a crash.
  bool in_progress = false;

  bool has(SegmentState state) const;
  bool all(SegmentState state) const;
};

std::string to_text(const Record& record);
std::optional<Record> parse_record(std::string_view text);  // also one of JSON, as they were written before

// A receipt for segment `index`. Delivered after failed counts, failed after delivered does not.
void apply(Record& record, std::size_t index, MessageState state);

// What the sender must hear now, if anything: all delivered, or the first failure. Told once each; `untold` takes that
// back.
std::optional<connector::Stage> tell(Record& record);
void untold(Record& record, connector::Stage stage);

// The letters and digits at the start of a text: what two alphabets and a cut leave comparable.
std::string head_of(std::string_view utf8);
bool heads_agree(std::string_view ours, std::string_view theirs);  // an empty one agrees with all

}  // namespace wherry::sms::smpp

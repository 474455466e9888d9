// Long texts: how they are cut into segments and how the cuts are described (3GPP TS 23.040 §9.2.3.24). Pure functions.
#pragma once

#include "connectors/sms/text/encoding.hpp"
#include "gateway/base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::sms {

// How a long text travels: with a header in each segment (8 or 16 bits of reference), with SMPP's sar_* parameters, or
// whole in message_payload (the SMS centre cuts).
enum class Concatenation { udh, udh16, sar, payload };

struct SplitOptions {
  Alphabet link = Alphabet::gsm7;  // what data_coding 0 means there
  Concatenation concatenation = Concatenation::udh;
  bool simplify = false;        // typographic marks become plain ones where that takes fewer segments
  std::size_t most_parts = 10;  // at most 255
};

// `parts` are the texts' octets in `alphabet`: the link's own (data_coding 0) or ucs2. gsm7_packed is not packed yet.
struct Split {
  Alphabet alphabet = Alphabet::gsm7;
  std::vector<std::string> parts;
};

// Greedy: as much as fits, but never half a surrogate pair or half an ESC sequence, and where it fits not through what
// a reader takes for one character (UAX #29). bad_input where it takes more than most_parts.
base::Result<Split> split(std::string_view utf8, const SplitOptions& options);

// One of several: TS 23.040 §9.2.3.24.1 and .8, or sar_msg_ref_num and its companions.
struct Position {
  enum class Kind { udh, udh16, sar };
  Kind kind = Kind::udh;
  unsigned reference = 0;
  unsigned total = 1;
  unsigned part = 1;  // from 1
  bool operator==(const Position&) const = default;
};

// The header with its length octet: 6 octets, or 7 for udh16; of sar none.
std::string make_header(const Position& position);

struct UserDataHeader {
  std::size_t octets = 0;  // with the length octet
  std::optional<Position> position;
  Shifts shifts;
  std::optional<unsigned> port;  // application port addressing: destination
};

// The header at the start of `user_data`. Nothing where its length reaches beyond the data; an information element that
// is malformed or unknown is passed over (§9.2.3.24), but for a long header that its elements do not fill: a text.
std::optional<UserDataHeader> parse_header(std::string_view user_data);

}  // namespace wherry::sms

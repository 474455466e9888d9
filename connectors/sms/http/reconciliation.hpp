// Whether a text whose answer was lost was sent: decided from what the service lists. Pure.
//
// A list that has our reference of a message says which is ours. Others know no key of ours: what can be compared is
// who wrote to whom, the text, and the time; and a message that is known to be another text's is not this one. Services
// rewrite texts (encodings, links) and hide them (redaction): so any other message between the two, from that time and
// nobody's, makes the outcome unknown. Absent is a text only where there is no such message, in a list that was read
// after `patience` since its request had ended: before that the service may still be at work on it.
#pragma once

#include "connectors/sms/http/api/values.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace wherry::sms::http {

// How far the service's clock may be from ours, beyond what was measured.
inline constexpr std::chrono::minutes clock_skew{2};
// How late after its request's beginning the service may have made a message. One that is younger is another text.
inline constexpr std::chrono::hours longest_request{1};
// How far back before that a message with the same text is not passed over: our clock may have been set since.
inline constexpr std::chrono::hours doubt{1};

// What a lost text looked like. No contents are kept.
struct Sought {
  std::string from, to;
  std::string digest;  // digest_of the text
  base::Time begun;    // before its request
  std::string ref;     // ours, for lists that have it; not stored
};

// A text's digest, without spaces around it.
std::string digest_of(std::string_view text);

enum class Found { here, absent, unsure };
struct Pick {
  Found found = Found::absent;
  std::string id;  // where it is here
};
// The earliest message that is the sought text and of which `taken` (is it another text's?) is false. `ahead`: how far
// the service's clock is ahead of ours.
Pick pick(const Sought& sought, const std::vector<Message>& messages,
          const std::function<bool(const std::string&)>& taken, std::chrono::seconds ahead = std::chrono::seconds(0));

// After a look that found nothing, begun at `looked`: how long until the next one, or zero where it proves that the
// text was not sent. `ended`: when its request had come to its end, one way or the other.
std::chrono::milliseconds until_next_look(base::Time ended, base::Time looked, std::chrono::seconds patience);

// Without any message the cursor follows the clock at this distance, so that a quiet number's list stays short.
inline constexpr std::chrono::hours looked_behind{1};
// Where a cursor belongs that is ahead of the service's clock, as after a first start with a clock that was: `ahead`,
// its clock is ahead of ours. Else it stays.
base::Time rightful(base::Time cursor, base::Time now, std::chrono::seconds ahead);
// From which time on messages must be listed: the saved cursor, less what may have been listed late.
base::Time listing_start(base::Time cursor);
// The cursor after a listing in which `newest` was the latest message: never back, and never ahead of the clock.
base::Time advance(base::Time cursor, std::optional<base::Time> newest, base::Time now);

}  // namespace wherry::sms::http

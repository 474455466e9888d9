// Whether a text whose answer was lost was sent: decided from what the service lists. Pure.
//
// The list knows no key of ours for a message. What can be compared is who wrote to whom, the text, and the time; and a
// message that is known to be another text's is not this one. A text that is not listed counts as not sent only when the
// list was read after `patience` since its request had ended: before that the service may still be at work on it.
#pragma once

#include "connectors/sms/http/reading.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace wherry::sms::http {

// How far the service's clock may be from ours.
inline constexpr std::chrono::minutes clock_skew{2};

// What a lost text looked like. No contents are kept.
struct Sought {
  std::string from, to;
  std::string digest;  // digest_of the text
  base::Time begun;    // before its request
};

// A text's digest, without spaces around it.
std::string digest_of(std::string_view text);

bool fits(const Sought& sought, const Message& message);

// The id of the text that was sought: the earliest that fits and of which `taken` (is it another text's?) is false.
std::optional<std::string> pick(const Sought& sought, const std::vector<Message>& messages, const std::function<bool(const std::string&)>& taken);

// After a look that found nothing, begun at `looked`: how long until the next one, or zero where it proves that the text
// was not sent. `ended`: when its request had come to its end, one way or the other.
std::chrono::milliseconds until_next_look(base::Time ended, base::Time looked, std::chrono::seconds patience);

// From which time on messages must be listed: the saved cursor, less what may have been listed late.
base::Time listing_start(base::Time cursor);
// The cursor after a listing in which `newest` was the latest message: never back, and never ahead of the clock.
base::Time advance(base::Time cursor, std::optional<base::Time> newest, base::Time now);

}  // namespace wherry::sms::http

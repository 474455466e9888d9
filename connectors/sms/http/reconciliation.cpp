#include "connectors/sms/http/reconciliation.hpp"

#include "connectors/sms/keys.hpp"
#include "gateway/base/text.hpp"

#include <algorithm>

namespace wherry::sms::http {

namespace {

constexpr std::chrono::minutes listed_late{10};
// Without any message the cursor follows the clock at this distance, so that a quiet number's list stays short.
constexpr std::chrono::hours looked_behind{1};

}  // namespace

std::string digest_of(std::string_view text) { return digest(base::trim(text)); }

bool fits(const Sought& sought, const Message& message) {
  if (message.is_inbound || message.to != sought.to) return false;
  // The provider may choose the sender, and may not have done so yet.
  if (!message.from.empty() && message.from != sought.from) return false;
  if (message.created && *message.created < sought.begun - clock_skew) return false;
  return digest_of(message.text) == sought.digest;
}

std::optional<std::string> pick(const Sought& sought, const std::vector<Message>& messages, const std::function<bool(const std::string&)>& taken) {
  const Message* best = nullptr;
  for (const Message& m : messages) {
    if (!fits(sought, m) || taken(m.id)) continue;
    if (!best || m.created.value_or(base::Time::max()) < best->created.value_or(base::Time::max())) best = &m;
  }
  if (!best) return std::nullopt;
  return best->id;
}

std::chrono::milliseconds until_next_look(base::Time ended, base::Time looked, std::chrono::seconds patience) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(ended + patience - looked);
  return std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds(0), patience);
}

base::Time listing_start(base::Time cursor) { return cursor - listed_late; }

base::Time advance(base::Time cursor, std::optional<base::Time> newest, base::Time now) {
  const base::Time seen = std::min(newest.value_or(cursor), now);
  return std::max({cursor, seen, now - looked_behind});
}

}  // namespace wherry::sms::http

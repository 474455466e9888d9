#include "connectors/sms/http/reconciliation.hpp"

#include "connectors/sms/text/storage_key.hpp"
#include "gateway/base/text.hpp"

#include <algorithm>

namespace wherry::sms::http {

namespace {

constexpr std::chrono::minutes listed_late{10};

// A service that redacts shows a number's beginning, and X for the digits that it hides: "+1415555XXXX".
bool may_be(std::string_view listed, std::string_view number) {
  if (listed == number) return true;
  return is_redacted(listed) && listed.size() == number.size() &&
         std::equal(listed.begin(), listed.end(), number.begin(),
                    [](char l, char n) { return l == n || l == 'X' || l == 'x'; });
}

enum class Likeness {
  other,   // surely not the text
  unsure,  // perhaps the text
  same,    // to the letter
};

Likeness compare(const Sought& sought, const Message& message, std::chrono::seconds ahead) {
  if (!message.ref.empty()) return message.ref == sought.ref ? Likeness::same : Likeness::other;
  if (message.is_inbound || !may_be(message.to, sought.to)) return Likeness::other;
  // The provider may choose the sender, and may not have done so yet.
  if (!message.from.empty() && !may_be(message.from, sought.from)) return Likeness::other;
  const base::Time begun = sought.begun + ahead;
  const bool in_time =
      !message.created || (*message.created >= begun - clock_skew && *message.created <= begun + longest_request);
  const bool whole = message.to == sought.to && !message.text.empty();
  if (whole && digest_of(message.text) == sought.digest) return in_time ? Likeness::same : Likeness::unsure;
  // Another text at another time is another text. At that time it is ours rewritten: no other of ours was under way.
  return in_time ? Likeness::unsure : Likeness::other;
}

}  // namespace

std::string digest_of(std::string_view text) { return digest(base::trim(text)); }

Pick pick(const Sought& sought, const std::vector<Message>& messages,
          const std::function<bool(const std::string&)>& taken, std::chrono::seconds ahead) {
  const Message* best = nullptr;
  bool unsure = false;
  for (const Message& m : messages) {
    const Likeness likeness = compare(sought, m, ahead);
    if (likeness == Likeness::other || taken(m.id)) continue;
    unsure = unsure || likeness == Likeness::unsure;
    if (likeness != Likeness::same) continue;
    if (!best || m.created.value_or(base::Time::max()) < best->created.value_or(base::Time::max())) best = &m;
  }
  if (best) return {Found::here, best->id};
  return {unsure ? Found::unsure : Found::absent, {}};
}

std::chrono::milliseconds until_next_look(base::Time ended, base::Time looked, std::chrono::seconds patience) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(ended + patience - looked);
  return std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds(0), patience);
}

base::Time listing_start(base::Time cursor) { return cursor - listed_late; }

// It was set by our clock. Where that is ahead still, it is known by how much; else all that is known is that what came
// lately was not listed.
base::Time rightful(base::Time cursor, base::Time now, std::chrono::seconds ahead) {
  if (cursor <= now + clock_skew) return cursor;
  const base::Time begun = cursor + std::min(ahead, std::chrono::seconds(0));
  return begun <= now + clock_skew ? std::min(begun, now) : now - looked_behind;
}

base::Time advance(base::Time cursor, std::optional<base::Time> newest, base::Time now) {
  const base::Time seen = std::min(newest.value_or(cursor), now);
  return std::max({cursor, seen, now - looked_behind});
}

}  // namespace wherry::sms::http

#include "connectors/sms/parts/redelivery.hpp"

#include "gateway/base/text.hpp"

#include <algorithm>
#include <utility>

namespace wherry::sms {

namespace {

constexpr std::chrono::seconds settled_after{60};  // peers give up waiting for a deliver_sm_resp after 5 to 30 s
constexpr std::chrono::seconds settled_after_proof{5};
constexpr std::chrono::seconds late{5};

}  // namespace

// It will not come again, whatever happens to the session.
bool Redeliveries::is_settled(const Entry& entry, base::Time now) const {
  if (!entry.answered || entry.refused) return false;
  const bool proved = entry.proved && *entry.answered - entry.arrived < late;
  return now >= *entry.answered + (proved ? settled_after_proof : settled_after);
}

bool Redeliveries::may_come_again(const Entry& entry, base::Time now) const {
  if (entry.refused) return true;
  if (now >= entry.arrived + window_) return false;
  if (entry.session < session_) return true;  // session_ended() kept only what may be unanswered
  if (!entry.answered) return now - entry.arrived >= late;
  return *entry.answered - entry.arrived >= late && !(entry.proved && is_settled(entry, now));
}

// When it need not be remembered any more, as far as is known by now.
base::Time Redeliveries::forgotten_at(const Entry& entry) const {
  const base::Time at_last = entry.arrived + window_ + settled_after;
  if (!entry.answered || entry.refused || entry.session != session_) return at_last;
  const bool is_late = *entry.answered - entry.arrived >= late;
  if (is_late && !entry.proved) return at_last;
  return std::min(at_last, *entry.answered + (entry.proved && !is_late ? settled_after_proof : settled_after));
}

void Redeliveries::set_due(Entries::iterator entry) {
  auto place = due_.extract(entry->second.due);
  place.key() = forgotten_at(entry->second);
  entry->second.due = due_.insert(std::move(place));
}

void Redeliveries::expect(Entries::iterator entry) {
  expected_.insert_or_assign({entry->second.digest, entry->second.number}, entry);
}

Redeliveries::Entries::iterator Redeliveries::begin(const std::string& id, const std::string& digest,
                                                    base::Time arrived, std::uint64_t session) {
  const auto [entry, is_new] = entries_.try_emplace(id);
  if (!is_new) return entry;
  entry->second.digest = digest;
  entry->second.arrived = arrived;
  entry->second.session = session;
  entry->second.number = ++numbers_;
  entry->second.due = due_.emplace(forgotten_at(entry->second), entry);
  expect(entry);
  return entry;
}

Redeliveries::Arrival Redeliveries::arrived(const std::string& digest, base::Time now) {
  for (auto candidate = expected_.lower_bound({digest, 0});
       candidate != expected_.end() && candidate->first.first == digest; ++candidate) {
    ++steps_;
    Entry& entry = candidate->second->second;
    if (!may_come_again(entry, now)) continue;
    entry.session = session_;
    entry.arrived = now;
    entry.answered.reset();
    entry.refused = entry.proved = false;
    set_due(candidate->second);
    return {candidate->second->first, true};
  }
  return {begin(base::random_hex(12), digest, now, session_)->first, false};
}

// Answered in time, it does not come again while this session goes on.
void Redeliveries::answered(const std::string& id, base::Time now) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.answered = now;
  if (!entry.refused && entry.session == session_ && now - entry.arrived < late)
    expected_.erase({entry.digest, entry.number});
  set_due(found);
}

void Redeliveries::proved(const std::string& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  found->second.proved = true;
  set_due(found);
}

void Redeliveries::refused(const std::string& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  found->second.refused = true;
  expect(found);
  set_due(found);
}

void Redeliveries::withdrawn(const std::string& id) {
  const auto found = entries_.find(id);
  if (found != entries_.end()) forget(found);
}

void Redeliveries::forget(Entries::iterator entry) {
  ++steps_;
  expected_.erase({entry->second.digest, entry->second.number});
  due_.erase(entry->second.due);
  forgotten_.push_back(entry->first);
  entries_.erase(entry);
}

// Whatever is not settled may come in the next one.
void Redeliveries::session_ended(base::Time now, bool confirmed) {
  ++session_;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto here = entry++;
    const Entry& e = here->second;
    if (is_settled(e, now) || (confirmed && e.answered && !e.refused)) {
      forget(here);
    } else {
      expect(here);
      set_due(here);
    }
  }
}

std::vector<std::string> Redeliveries::take_forgotten(base::Time now) {
  while (!due_.empty() && due_.begin()->first <= now) forget(due_.begin()->second);
  return std::exchange(forgotten_, {});
}

void Redeliveries::restore(const std::string& id, const std::string& digest, base::Time at) {
  begin(id, digest, at, 0);
}

}  // namespace wherry::sms

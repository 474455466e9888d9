#include "connectors/sms/parts/redelivery.hpp"

#include "gateway/base/text.hpp"

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
  return entry.answered.value_or(now) - entry.arrived >= late;
}

Redeliveries::Arrival Redeliveries::arrived(const std::string& digest, base::Time now) {
  const auto [first, last] = ids_.equal_range(digest);
  for (auto candidate = first; candidate != last; ++candidate) {
    Entry& entry = entries_.at(candidate->second);
    if (!may_come_again(entry, now)) continue;
    entry.session = session_;
    entry.arrived = now;
    entry.answered.reset();
    entry.refused = entry.proved = false;
    return {candidate->second, true};
  }
  std::string id = base::random_hex(12);
  entries_[id] = {digest, now, std::nullopt, session_, false, false};
  ids_.emplace(digest, id);
  return {std::move(id), false};
}

void Redeliveries::answered(const std::string& id, base::Time now) {
  const auto found = entries_.find(id);
  if (found != entries_.end()) found->second.answered = now;
}

void Redeliveries::proved(const std::string& id) {
  const auto found = entries_.find(id);
  if (found != entries_.end()) found->second.proved = true;
}

void Redeliveries::refused(const std::string& id) {
  const auto found = entries_.find(id);
  if (found != entries_.end()) found->second.refused = true;
}

void Redeliveries::withdrawn(const std::string& id) {
  const auto found = entries_.find(id);
  if (found != entries_.end()) forget(found);
}

void Redeliveries::forget(std::map<std::string, Entry>::iterator entry) {
  const auto [first, last] = ids_.equal_range(entry->second.digest);
  for (auto id = first; id != last; ++id) {
    if (id->second != entry->first) continue;
    ids_.erase(id);
    break;
  }
  forgotten_.push_back(entry->first);
  entries_.erase(entry);
}

void Redeliveries::session_ended(base::Time now, bool confirmed) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto here = entry++;
    const Entry& e = here->second;
    if (is_settled(e, now) || (confirmed && e.answered && !e.refused)) forget(here);
  }
  ++session_;
}

std::vector<std::string> Redeliveries::take_forgotten(base::Time now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto here = entry++;
    const Entry& e = here->second;
    const bool was_late = e.answered && *e.answered - e.arrived >= late;
    const bool settled = e.session == session_ && !was_late && is_settled(e, now);
    if (settled || now >= e.arrived + window_ + settled_after) forget(here);
  }
  return std::exchange(forgotten_, {});
}

void Redeliveries::restore(const std::string& id, const std::string& digest, base::Time at) {
  if (!entries_.emplace(id, Entry{digest, at, std::nullopt, 0, false, false}).second) return;
  ids_.emplace(digest, id);
}

}  // namespace wherry::sms

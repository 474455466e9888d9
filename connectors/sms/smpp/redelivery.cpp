#include "connectors/sms/smpp/redelivery.hpp"

#include "gateway/base/text.hpp"

#include <utility>

namespace wherry::sms::smpp {

namespace {

constexpr std::chrono::seconds kSettled{60};  // peers give up waiting for a deliver_sm_resp after 5 to 30 s
constexpr std::chrono::seconds kLate{5};

}  // namespace

bool Redeliveries::may_come_again(const Entry& entry, base::Time now) const {
  if (entry.refused) return true;
  if (now >= entry.arrived + window_) return false;
  if (entry.session < session_) return true;  // session_ended() kept only what may be unanswered
  return entry.answered.value_or(now) - entry.arrived >= kLate;
}

Redeliveries::Arrival Redeliveries::arrived(const std::string& digest, base::Time now) {
  const auto [first, last] = ids_.equal_range(digest);
  for (auto candidate = first; candidate != last; ++candidate) {
    Entry& entry = entries_.at(candidate->second);
    if (!may_come_again(entry, now)) continue;
    entry.session = session_;
    entry.arrived = now;
    entry.answered.reset();
    entry.refused = false;
    return {candidate->second, true};
  }
  std::string id = base::random_hex(12);
  entries_[id] = {digest, now, std::nullopt, session_, false};
  ids_.emplace(digest, id);
  return {std::move(id), false};
}

void Redeliveries::answered(const std::string& id, base::Time now) {
  const auto found = entries_.find(id);
  if (found != entries_.end()) found->second.answered = now;
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
    const auto& answered = here->second.answered;
    if (answered && !here->second.refused && (confirmed || now >= *answered + kSettled)) forget(here);
  }
  ++session_;
}

std::vector<std::string> Redeliveries::take_forgotten(base::Time now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto here = entry++;
    const Entry& e = here->second;
    const bool late = e.answered && *e.answered - e.arrived >= kLate;
    const bool settled = e.session == session_ && e.answered && !late && !e.refused && now >= *e.answered + kSettled;
    if (settled || now >= e.arrived + window_ + kSettled) forget(here);
  }
  return std::exchange(forgotten_, {});
}

void Redeliveries::restore(const std::string& id, const std::string& digest, base::Time at) {
  if (!entries_.emplace(id, Entry{digest, at, std::nullopt, 0, false}).second) return;
  ids_.emplace(digest, id);
}

}  // namespace wherry::sms::smpp

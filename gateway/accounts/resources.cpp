#include "gateway/accounts/resources.hpp"

#include <algorithm>
#include <tuple>

namespace wherry::accounts {

namespace {

// RFC 6121 §4.7.2.1: who is interested in chatting, is there, is busy there, is away, is away for long.
int rank(connector::Availability availability) {
  using connector::Availability;
  switch (availability) {
    case Availability::chat: return 5;
    case Availability::online: return 4;
    case Availability::do_not_disturb: return 3;
    case Availability::away: return 2;
    case Availability::extended_away: return 1;
    case Availability::offline: break;
  }
  return 0;
}

auto order_of(const UserPresence& presence) {
  return std::tuple(presence.takes_messages(), rank(presence.availability), presence.priority);
}

}  // namespace

bool Resources::put(const std::string& full, UserPresence presence, const std::vector<base::ContactId>& contacts) {
  const bool is_new = !by_jid_.contains(full);
  if (is_new && by_jid_.size() >= most) return false;
  Device& device = by_jid_[full];
  device.presence = std::move(presence);
  device.is_doubted = false;
  if (contacts.empty()) device.contacts.clear();
  if (is_new && !contacts.empty()) device.contacts.insert(contacts.front());
  for (const base::ContactId& contact : contacts) show(full, contact);
  return true;
}

void Resources::erase(const xmpp::Jid& user) {
  if (user.is_bare()) by_jid_.clear();
  else by_jid_.erase(user.str());
}

void Resources::show(const std::string& full, const base::ContactId& contact) {
  const auto found = by_jid_.find(full);
  if (found == by_jid_.end()) return;
  found->second.is_doubted = false;
  std::set<base::ContactId>& contacts = found->second.contacts;
  if (!contacts.empty() && contacts.size() < most_contacts) contacts.insert(contact);
}

void Resources::show_at_domain(const std::string& full) {
  if (const auto found = by_jid_.find(full); found != by_jid_.end()) found->second.is_at_domain = true;
}

bool Resources::is_at_domain(const xmpp::Jid& user) const {
  return std::ranges::any_of(by_jid_, [&](const auto& entry) {
    return entry.second.is_at_domain && (user.is_bare() || entry.first == user.str());
  });
}

std::vector<std::string> Resources::hide(const xmpp::Jid& user, const base::ContactId& contact) {
  std::vector<std::string> gone;
  for (auto& [full, device] : by_jid_) {
    if (!user.is_bare() && full != user.str()) continue;
    if (device.contacts.erase(contact) > 0 && device.contacts.empty()) gone.push_back(full);
  }
  return gone;
}

void Resources::doubt() {
  for (auto& [full, device] : by_jid_) {
    device.is_doubted = true;
    device.is_at_domain = false;
  }
}

std::vector<std::string> Resources::doubted() const {
  std::vector<std::string> doubted;
  for (const auto& [full, device] : by_jid_) {
    if (device.is_doubted) doubted.push_back(full);
  }
  return doubted;
}

const UserPresence* Resources::find(const std::string& full) const {
  const auto found = by_jid_.find(full);
  return found == by_jid_.end() ? nullptr : &found->second.presence;
}

std::vector<std::string> Resources::some(std::size_t most_of_them) const {
  std::vector<std::string> some;
  for (const auto& [full, device] : by_jid_) {
    if (some.size() < most_of_them) some.push_back(full);
  }
  return some;
}

bool Resources::takes_messages() const {
  return std::any_of(by_jid_.begin(), by_jid_.end(),
                     [](const auto& entry) { return entry.second.presence.takes_messages(); });
}

UserPresence Resources::shown() const {
  const auto first = std::max_element(by_jid_.begin(), by_jid_.end(), [](const auto& a, const auto& b) {
    return order_of(a.second.presence) < order_of(b.second.presence);
  });
  if (first != by_jid_.end()) return first->second.presence;
  UserPresence nobody;
  nobody.availability = connector::Availability::offline;
  return nobody;
}

}  // namespace wherry::accounts

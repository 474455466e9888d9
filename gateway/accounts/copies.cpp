#include "gateway/accounts/copies.hpp"

#include <algorithm>
#include <utility>

namespace wherry::accounts {

namespace {

constexpr std::size_t most_groups = 20;  // more than that is no change of presence, and is dropped

}  // namespace

void Copies::hold(const std::string& device, const UserPresence& presence, const base::ContactId& contact) {
  for (Group& group : groups_) {
    if (group.device == device && !(group.presence == presence)) std::erase(group.contacts, contact);
  }
  std::erase_if(groups_, [](const Group& group) { return group.contacts.empty(); });
  const auto same = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) {
    return group.device == device && group.presence == presence;
  });
  if (same != groups_.end()) {
    same->contacts.push_back(contact);
  } else if (groups_.size() < most_groups) {
    groups_.push_back({device, presence, {contact}});
  }
}

void Copies::forget(const std::string& device) {
  std::erase_if(groups_, [&](const Group& group) { return group.device == device; });
}

std::vector<Copies::Group> Copies::take(std::size_t seeing) {
  for (Group& group : groups_) {
    std::sort(group.contacts.begin(), group.contacts.end());
    group.contacts.erase(std::unique(group.contacts.begin(), group.contacts.end()), group.contacts.end());
    group.is_for_everybody = group.contacts.size() > 1 && group.contacts.size() * 2 > seeing;
  }
  return std::exchange(groups_, {});
}

}  // namespace wherry::accounts

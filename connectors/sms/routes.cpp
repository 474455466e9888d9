#include "connectors/sms/routes.hpp"

#include <algorithm>

namespace wherry::sms {

namespace {

constexpr std::chrono::minutes reserved_for{2};

}  // namespace

bool is_listed(const std::vector<std::string>& users, std::string_view user) {
  const auto at = user.find('@');
  const std::string_view domain = at == std::string_view::npos ? std::string_view() : user.substr(at);
  return std::any_of(users.begin(), users.end(), [&](const std::string& listed) {
    return listed == user || (listed.starts_with('@') && listed == domain);
  });
}

std::optional<std::string> Routes::carrier_of(std::string_view number) const {
  for (const auto& n : numbers_) {
    if (n.number == number) return n.carrier;
  }
  return std::nullopt;
}

std::vector<std::string> Routes::numbers_of(std::string_view carrier) const {
  std::vector<std::string> numbers;
  for (const auto& n : numbers_) {
    if (n.carrier == carrier) numbers.push_back(n.number);
  }
  return numbers;
}

void Routes::own(base::AccountId account, std::string user, std::string number) {
  reservations_.erase(number);
  owners_[account] = {std::move(user), std::move(number)};
}

void Routes::disown(base::AccountId account) { owners_.erase(account); }

std::vector<base::AccountId> Routes::owners(std::string_view number) const {
  std::vector<base::AccountId> accounts;
  for (const auto& [account, owner] : owners_) {
    if (owner.number == number) accounts.push_back(account);
  }
  return accounts;
}

bool Routes::may_have(const NumberConfiguration& number, std::string_view user, base::Time now) const {
  if (is_listed(number.users, user)) return true;
  if (!number.pool) return false;
  const auto reserved = reservations_.find(number.number);
  if (reserved != reservations_.end() && reserved->second.user != user && now < reserved->second.until) return false;
  return std::none_of(owners_.begin(), owners_.end(), [&](const auto& entry) {
    return entry.second.number == number.number && entry.second.user != user;
  });
}

std::vector<std::string> Routes::choices(std::string_view user, base::Time now) const {
  std::vector<std::string> numbers;
  for (const auto& n : numbers_) {
    if (may_have(n, user, now)) numbers.push_back(n.number);
  }
  return numbers;
}

bool Routes::reserve(std::string_view user, std::string_view number, base::Time now) {
  for (const auto& n : numbers_) {
    if (n.number != number || !may_have(n, user, now)) continue;
    if (!is_listed(n.users, user)) reservations_[n.number] = {std::string(user), now + reserved_for};
    return true;
  }
  return false;
}

}  // namespace wherry::sms

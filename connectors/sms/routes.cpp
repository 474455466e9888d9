#include "connectors/sms/routes.hpp"

#include <algorithm>
#include <utility>

namespace wherry::sms {

namespace {

constexpr std::chrono::minutes reserved_for{2};
constexpr std::size_t most_offered = 100;  // free numbers in one form

// "@x.test" of "romeo@x.test".
std::string_view domain_of(std::string_view user) {
  const auto at = user.find('@');
  return at == user.npos ? std::string_view() : user.substr(at);
}

template <class Map>
void erase_from(Map& map, const std::string& key, base::AccountId account) {
  const auto found = map.find(key);
  if (found == map.end()) return;
  found->second.erase(account);
  if (found->second.empty()) map.erase(found);
}

}  // namespace

bool is_listed(const std::vector<std::string>& users, std::string_view user) {
  const std::string_view domain = domain_of(user);
  return std::any_of(users.begin(), users.end(), [&](const std::string& listed) {
    return listed == user || (listed.starts_with('@') && listed == domain);
  });
}

Routes::Routes(std::vector<NumberConfiguration> numbers) : numbers_(std::move(numbers)) {
  for (Index i = 0; i < numbers_.size(); ++i) {
    const NumberConfiguration& n = numbers_[i];
    by_number_.emplace(n.number, i);
    by_carrier_[n.carrier].push_back(i);
    for (const std::string& user : n.users) by_user_[user].push_back(i);
    if (n.pool) free_.insert(i);
  }
}

void Routes::replace_numbers(std::vector<NumberConfiguration> numbers) {
  auto reserved = std::move(reservations_);
  *this = Routes(std::move(numbers));
  reservations_ = std::move(reserved);
}

const NumberConfiguration* Routes::find(std::string_view number) const {
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : &numbers_[found->second];
}

std::optional<std::string> Routes::carrier_of(std::string_view number) const {
  const NumberConfiguration* found = find(number);
  return found ? std::optional(found->carrier) : std::nullopt;
}

std::vector<std::string> Routes::numbers_of(std::string_view carrier) const {
  std::vector<std::string> numbers;
  const auto found = by_carrier_.find(carrier);
  if (found == by_carrier_.end()) return numbers;
  for (const Index i : found->second) numbers.push_back(numbers_[i].number);
  return numbers;
}

bool Routes::own(base::AccountId account, std::string user, std::string number) {
  disown(account);
  const NumberConfiguration* configured = find(number);
  if (configured && !configured->users.empty() && !configured->pool && !is_listed(configured->users, user))
    return false;
  reservations_.erase(number);
  owners_of_[number].insert(account);
  accounts_of_[user].insert(account);
  owners_[account] = {std::move(user), number};
  note_free(number);
  return true;
}

void Routes::disown(base::AccountId account) {
  const auto found = owners_.find(account);
  if (found == owners_.end()) return;
  const Owner owner = std::move(found->second);
  owners_.erase(found);
  erase_from(owners_of_, owner.number, account);
  erase_from(accounts_of_, owner.user, account);
  note_free(owner.number);
}

// Keeps free_ true after the number's owners have changed.
void Routes::note_free(const std::string& number) {
  const auto found = by_number_.find(number);
  if (found == by_number_.end() || !numbers_[found->second].pool) return;
  if (owners_of_.contains(number)) free_.erase(found->second);
  else free_.insert(found->second);
}

std::vector<base::AccountId> Routes::owners(std::string_view number) const {
  const auto found = owners_of_.find(number);
  if (found == owners_of_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

bool Routes::may_have(const NumberConfiguration& number, std::string_view user, base::Time now) const {
  ++steps_;
  if (is_listed(number.users, user)) return true;
  if (!number.pool) return false;
  const auto reserved = reservations_.find(number.number);
  if (reserved != reservations_.end() && reserved->second.user != user && now < reserved->second.until) return false;
  const std::vector<base::AccountId> accounts = owners(number.number);
  return std::all_of(accounts.begin(), accounts.end(),
                     [&](base::AccountId account) { return owners_.at(account).user == user; });
}

void Routes::add_listed(std::set<Index>& found, std::string_view listed) const {
  const auto numbers = by_user_.find(listed);
  if (numbers != by_user_.end()) found.insert(numbers->second.begin(), numbers->second.end());
}

std::vector<std::string> Routes::choices(std::string_view user, base::Time now, base::AccountId changed) const {
  std::set<Index> found;  // in the order of the configuration
  add_listed(found, user);
  add_listed(found, domain_of(user));
  if (const auto accounts = accounts_of_.find(user); accounts != accounts_of_.end()) {
    for (const base::AccountId account : accounts->second) {
      const auto own = by_number_.find(owners_.at(account).number);
      if (own == by_number_.end()) continue;
      if (account != changed) found.erase(own->second);
      else if (may_have(numbers_[own->second], user, now)) found.insert(own->second);
    }
  }
  std::size_t offered = 0;
  for (auto i = free_.begin(); i != free_.end() && offered < most_offered; ++i) {
    if (may_have(numbers_[*i], user, now)) offered += found.insert(*i).second ? 1 : 0;
  }
  std::vector<std::string> numbers;
  for (const Index i : found) numbers.push_back(numbers_[i].number);
  return numbers;
}

bool Routes::reserve(std::string_view user, std::string_view number, base::Time now) {
  end_reservations(now);
  const NumberConfiguration* wanted = find(number);
  if (!wanted || !may_have(*wanted, user, now)) return false;
  if (is_listed(wanted->users, user)) return true;
  reservations_[wanted->number] = {std::string(user), now + reserved_for};
  reservations_end_.emplace(now + reserved_for, wanted->number);
  return true;
}

void Routes::end_reservations(base::Time now) {
  while (!reservations_end_.empty() && reservations_end_.begin()->first <= now) {
    ++steps_;
    const auto over = reservations_.find(reservations_end_.begin()->second);
    if (over != reservations_.end() && over->second.until <= now) reservations_.erase(over);
    reservations_end_.erase(reservations_end_.begin());
  }
}

}  // namespace wherry::sms

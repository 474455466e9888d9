#include "gateway/accounts/quota.hpp"

#include <unordered_map>
#include <utility>

namespace wherry::accounts {

struct Quota::Taken {
  std::unordered_map<std::string, std::size_t> of_person;
  std::size_t of_strangers = 0;
};

Quota::Quota(QuotaLimits limits) : limits_(limits), taken_(std::make_shared<Taken>()) {}

std::optional<Quota::Place> Quota::take(const std::string& person, bool is_registered) {
  if (!is_registered && taken_->of_strangers >= limits_.of_all_strangers) return std::nullopt;
  const auto found = taken_->of_person.find(person);
  const std::size_t present = found == taken_->of_person.end() ? 0 : found->second;
  if (present >= (is_registered ? limits_.of_user : limits_.of_stranger)) return std::nullopt;
  return std::optional<Place>(std::in_place, taken_, person, is_registered);
}

Quota::Place::Place(std::shared_ptr<Taken> taken, std::string person, bool is_registered)
    : taken_(std::move(taken)), person_(std::move(person)), is_registered_(is_registered) {
  ++taken_->of_person[person_];
  if (!is_registered_) ++taken_->of_strangers;
}

Quota::Place::~Place() {
  if (!taken_) return;
  const auto found = taken_->of_person.find(person_);
  if (--found->second == 0) taken_->of_person.erase(found);
  if (!is_registered_) --taken_->of_strangers;
}

}  // namespace wherry::accounts

#include "tests/simulation/addresses.hpp"

#include "tests/simulation/sms_text.hpp"

#include <algorithm>

namespace wherry::simulation {

namespace {

constexpr int most_contacts = 8, most_users = 4, most_accounts = 3, first_number = 100'101;

// Whoever has an account at an OSCAR server.
const std::vector<std::string>& people() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> made;
    for (int user = 0; user < most_users; ++user) {
      for (int account = 0; account < most_accounts; ++account) made.push_back(account_name(user, account));
    }
    for (int contact = 0; contact < most_contacts; ++contact) made.push_back(contact_name(contact));
    return made;
  }();
  return all;
}

// On ICQ a number, on AIM a screen name.
std::string at_oscar(const Plan& plan, const std::string& person) {
  const auto found = std::find(people().begin(), people().end(), person);
  if (found == people().end()) return person;
  if (!plan.oscar->is_aim) return std::to_string(first_number + (found - people().begin()));
  std::string name = person;
  std::erase(name, '~');
  return name;
}

}  // namespace

std::string address_of(const Plan& plan, const std::string& person) {
  if (plan.oscar) return at_oscar(plan, person);
  for (int i = 0; plan.is_over_sms() && i < most_users; ++i) {
    if (person == contact_name(i)) return contact_number(i);
  }
  return person;
}

std::string contact_at(const Plan& plan, const std::string& address) {
  if (plan.is_over_sms()) return name_of_number(address);
  if (!plan.oscar) return address;
  for (const std::string& person : people()) {
    if (at_oscar(plan, person) == address) return person;
  }
  return address;
}

}  // namespace wherry::simulation

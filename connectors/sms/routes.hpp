// Which carrier serves a number, who may have it, and which accounts have it. Pure but for the clock that it is told.
// What is asked for each text costs the same for ten numbers and for ten thousand.
#pragma once

#include "connectors/sms/configuration.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/base/ids.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace wherry::sms {

class Routes {
 public:
  explicit Routes(std::vector<NumberConfiguration> numbers);
  // Other numbers, for the same users: who is about to register keeps what was reserved. The owners own() anew.
  void replace_numbers(std::vector<NumberConfiguration> numbers);

  std::optional<std::string> carrier_of(std::string_view number) const;  // nothing: not one of ours
  std::vector<std::string> numbers_of(std::string_view carrier) const;

  // An account is registered with a number. A number that lists users is theirs alone, unless it is the pool's, too:
  // false where it lists others, and the account does not have it. One without users is whoever's the operator
  // registers with it.
  bool own(base::AccountId account, std::string user, std::string number);
  void disown(base::AccountId account);
  std::vector<base::AccountId> owners(std::string_view number) const;

  // The numbers that `user` may register with: those listed for the user, and of the pool the user's own and the first
  // hundred that are free. Nobody chooses from more. `changed`: the account that gets the number; 0: a new one. What
  // the user has with another account is not offered again: each text to it would come twice.
  std::vector<std::string> choices(std::string_view user, base::Time now, base::AccountId changed = {}) const;

  // Takes a number of the pool for a user who is about to register, for two minutes: two who ask at once do not both
  // get it. False where somebody was faster. A number listed for the user is shared and needs no reservation.
  bool reserve(std::string_view user, std::string_view number, base::Time now);

  // Numbers and reservations looked at so far. For tests.
  std::uint64_t steps() const { return steps_; }

 private:
  using Index = std::size_t;  // in numbers_
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <class Value>
  using ByText = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  struct Owner {
    std::string user;
    std::string number;
  };
  struct Reservation {
    std::string user;
    base::Time until;
  };
  const NumberConfiguration* find(std::string_view number) const;
  bool may_have(const NumberConfiguration& number, std::string_view user, base::Time now) const;
  void add_listed(std::set<Index>& found, std::string_view listed) const;
  void end_reservations(base::Time now);
  void note_free(const std::string& number);

  std::vector<NumberConfiguration> numbers_;
  ByText<Index> by_number_;
  ByText<std::vector<Index>> by_carrier_, by_user_;               // users as they are listed: a bare JID, or "@domain"
  std::set<Index> free_;                                          // of the pool, those that nobody has
  std::map<base::AccountId, Owner> owners_;                       // that have their number
  ByText<std::set<base::AccountId>> owners_of_;                   // by number
  ByText<std::set<base::AccountId>> accounts_of_;                 // by user
  std::map<std::string, Reservation, std::less<>> reservations_;  // by number
  std::multimap<base::Time, std::string> reservations_end_;       // which; it may have been made anew, or be over
  mutable std::uint64_t steps_ = 0;
};

// Whether `user` is listed: by the bare JID, or as "@domain".
bool is_listed(const std::vector<std::string>& users, std::string_view user);

}  // namespace wherry::sms

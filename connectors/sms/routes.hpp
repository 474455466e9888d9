// Which carrier serves a number, who may have it, and which accounts have it. Pure but for the clock that it is told.
#pragma once

#include "connectors/sms/configuration.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/base/ids.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::sms {

class Routes {
 public:
  explicit Routes(std::vector<NumberConfiguration> numbers) : numbers_(std::move(numbers)) {}

  std::optional<std::string> carrier_of(std::string_view number) const;  // nothing: not one of ours
  std::vector<std::string> numbers_of(std::string_view carrier) const;

  // An account has its number by being registered with it, whether the configuration still lists its user or not.
  void own(base::AccountId account, std::string user, std::string number);
  void disown(base::AccountId account);
  std::vector<base::AccountId> owners(std::string_view number) const;

  // The numbers that `user` may register with: those listed for the user, and those of the pool that are free or the
  // user's own already.
  std::vector<std::string> choices(std::string_view user, base::Time now) const;

  // Takes a number of the pool for a user who is about to register, for two minutes: two who ask at once do not both get
  // it. False where somebody was faster. A number listed for the user is shared and needs no reservation.
  bool reserve(std::string_view user, std::string_view number, base::Time now);

 private:
  struct Owner {
    std::string user;
    std::string number;
  };
  struct Reservation {
    std::string user;
    base::Time until;
  };
  bool may_have(const NumberConfiguration& number, std::string_view user, base::Time now) const;

  std::vector<NumberConfiguration> numbers_;
  std::map<base::AccountId, Owner> owners_;
  std::map<std::string, Reservation, std::less<>> reservations_;  // by number
};

// Whether `user` is listed: by the bare JID, or as "@domain".
bool is_listed(const std::vector<std::string>& users, std::string_view user);

}  // namespace wherry::sms

// A user's server sends each change of presence to every contact that sees the user, in any order (RFC 6121 §4.4.2),
// and to the gateway. These copies say one thing, once; but what the user sent to one of these contacts only (§4.6)
// looks alike. So what is new in a copy waits a moment for the gateway's own. Pure.
#pragma once

#include "gateway/accounts/resources.hpp"
#include "gateway/base/ids.hpp"

#include <string>
#include <vector>

namespace wherry::accounts {

class Copies {
 public:
  struct Group {  // of one device, saying one thing
    std::string device;
    UserPresence presence;
    std::vector<base::ContactId> contacts;
    bool is_for_everybody = false;
  };

  bool empty() const { return groups_.empty(); }
  void hold(const std::string& device, const UserPresence& presence, const base::ContactId& contact);
  // The gateway's own has come: these were copies of it.
  void forget(const std::string& device);
  // What remains after the moment. Where most of the `seeing` contacts got it, it is for everybody: the gateway is not
  // in that user's roster, so that no copy comes for it.
  std::vector<Group> take(std::size_t seeing);

 private:
  std::vector<Group> groups_;
};

}  // namespace wherry::accounts

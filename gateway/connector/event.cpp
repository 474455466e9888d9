#include "gateway/connector/event.hpp"

namespace wherry::connector {

bool is_durable(const Event& event) {
  return !std::holds_alternative<ContactsListed>(event) && !std::holds_alternative<PresenceChanged>(event) &&
         !std::holds_alternative<AccountChanged>(event);
}

}  // namespace wherry::connector

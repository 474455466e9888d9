// The one subscription table (RFC 6121 §3 and appendix A; XEP-0100 §4.6, 4.7): what becomes of a contact's row by what
// happens, and what is said of it to the user and to the network. Every door to the list of contacts asks it for room.
// Pure.
#pragma once

#include "gateway/connector/action.hpp"
#include "gateway/store/contacts.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace wherry::accounts {

inline constexpr std::size_t most_contacts = 5000;  // of one account
inline constexpr std::size_t kept_for_the_user =
    500;  // of these: what strangers on the network ask for does not take them

enum class ContactEvent {
  user_subscribes,
  user_unsubscribes,
  user_approves,
  user_declines,
  network_accepts,  // the user's request
  network_refuses,
  network_asks,  // on its own
  network_removes,
  network_hides_user,  // from the contact, whom the user goes on seeing
  request_failed,      // the user's request did not come through
};

struct ContactStep {
  enum class Row {
    as_it_is,
    put,
    remove,
  };
  enum class Say {  // to the user, at once; what the network says goes through the inbox
    nothing,
    approved,  // again (RFC 6121 §3.1.3): subscribed, and the contact's presence
    ended,     // unsubscribed, unavailable
    full,      // there is no room
  };
  Row change = Row::as_it_is;
  store::ContactRow row;  // with Row::put
  Say say = Say::nothing;
  std::optional<connector::Action> action;  // for the network, durably
  bool answers_offer = false;               // the next of the network's list may ask
  bool is_dropped = false;                  // the network's event goes no further: there is no room for it
};

// `present`: null where the contact is not in the list, which has `contacts` entries. `words`: what a contact that asks
// calls itself; why a user asks.
ContactStep next_step(const store::ContactRow* present, const base::ContactId& contact, ContactEvent event,
                      std::size_t contacts, std::string_view words = {});

// Whether the user may have one more.
inline bool has_room(std::size_t contacts) { return contacts < most_contacts; }

}  // namespace wherry::accounts

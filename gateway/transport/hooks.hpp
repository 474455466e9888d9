// What several features may hear, so that none of them needs to know another: transport and dispatcher tell, and
// features tell each other. Listeners are called in the order in which they were added.
#pragma once

#include "gateway/accounts/live_account.hpp"
#include "gateway/convert/address.hpp"
#include "gateway/xmpp/stanza.hpp"

#include <functional>
#include <utility>
#include <vector>

namespace wherry::transport {

template <class... Told>
class Hook {
 public:
  using Listener = std::function<void(Told...)>;
  void add(Listener listener) { listeners_.push_back(std::move(listener)); }
  void operator()(Told... told) const {
    for (const Listener& listener : listeners_) listener(told...);
  }

 private:
  std::vector<Listener> listeners_;
};

// An account that is no more. Its user may have another one of that alias at any time, with another id.
struct FormerAccount {
  base::AccountId id;
  xmpp::Jid user;
  std::string alias;
  std::vector<base::ContactId> contacts;
  std::vector<xmpp::Jid> faces;  // where the gateway showed itself to its user
};

struct Hooks {
  Hook<accounts::LiveAccount&> registered;  // a new one
  Hook<const FormerAccount&> unregistered;
  Hook<base::AccountId> account_removed;                         // nothing is kept for it any more
  Hook<accounts::LiveAccount&> account_changed;                  // its session's state
  Hook<accounts::LiveAccount&> device_came;                      // one more of the user's
  Hook<accounts::LiveAccount&, const xmpp::Stanza&> user_shown;  // available presence of one of these
  Hook<accounts::LiveAccount&> contacts_listed;                  // account.listed is new
  Hook<accounts::LiveAccount&> offer_answered;                   // by the user, to a contact of the network's list
  // A user's, to that contact: it will be sent, or its sender hears why not.
  Hook<accounts::LiveAccount&, const base::ContactId&, const xmpp::Stanza&> message_taken;
  // A message, not an error, to such a face.
  Hook<const xmpp::Stanza&, const convert::Address&> face_message;
  // A user's login goes on where there is room for more than one question, in talk with that face: who listens becomes
  // its presenter.
  Hook<const xmpp::Jid&, const xmpp::Jid&> question_left;
  Hook<> link_up;
};

}  // namespace wherry::transport

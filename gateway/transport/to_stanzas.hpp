// Deliveries as stanzas: pure. What the user's client shows of the network is decided here.
#pragma once

#include "gateway/transport/accounts.hpp"
#include "gateway/transport/delivery.hpp"

#include <string>
#include <vector>

namespace wherry::transport {

struct StanzaContext {
  const xmpp::Jid& domain;  // the transport's
  const xmpp::Jid& user;    // bare
  std::string id;           // of the delivery, for ever: the stanza's id and origin-id
  base::Time now;           // an event that is older gets its own time (XEP-0203)
  bool has_sender = true;   // of a failed send: the resource that sent it is still there to be told
};

// At least one, unless an address in the delivery cannot be a JID (then none: there is nobody to send it from); a message comes even
// then, from the gateway.
std::vector<xmpp::Element> to_stanzas(const Delivery& delivery, const StanzaContext& context);

// A contact's presence towards a user, or the gateway's.
xmpp::Element to_presence(const xmpp::Jid& from, const xmpp::Jid& to, connector::Availability availability, std::string_view status);

}  // namespace wherry::transport

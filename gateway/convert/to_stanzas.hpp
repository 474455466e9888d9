// Deliveries as stanzas: pure. What the user's client shows of the network is decided here.
#pragma once

#include "gateway/convert/delivery.hpp"
#include "gateway/xmpp/element.hpp"
#include "gateway/xmpp/jid.hpp"

#include <optional>
#include <string>
#include <vector>

namespace wherry::convert {

struct StanzaContext {
  const xmpp::Jid& domain;                          // the transport's
  const xmpp::Jid& user;                            // bare
  std::string id;                                   // of the delivery, for ever: the stanza's id and origin-id
  base::Time now;                                   // an event that is older gets its own time (XEP-0203)
  std::optional<xmpp::Element> contact_presence{};  // of a contact that has answered: what it shows now
  bool has_sender = true;         // of a failed send: the resource that sent it is still there to be told
  std::string alias{};            // of the user's account
  bool is_named = false;          // the user has the gateway in the roster by its name
  bool takes_read_marks = false;  // the network is told what the user has read
};

// At least one, unless an address in the delivery cannot be a JID (then none: there is nobody to send it from); a
// message comes even then, from the gateway.
std::vector<xmpp::Element> to_stanzas(const Delivery& delivery, const StanzaContext& context);

}  // namespace wherry::convert

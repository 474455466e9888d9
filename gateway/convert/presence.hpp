// Presence values as presence stanzas (RFC 6121 §4.7): pure.
//
// Presence comes from a resource (RFC 6121 §4.2, §4.5), the same for every contact and for the gateway: programs keep
// what they know of somebody by resource, and some show nobody who has none. All else comes from the bare address, so
// that no program binds a conversation to the resource (§5.1).
#pragma once

#include "gateway/connector/action.hpp"
#include "gateway/xmpp/element.hpp"
#include "gateway/xmpp/jid.hpp"

#include <string>
#include <string_view>

namespace wherry::convert {

inline constexpr std::string_view presence_resource = "wherry";

// The address from which somebody shows their presence.
std::string shown_from(const xmpp::Jid& bare);

// A contact's presence towards a user, or the gateway's. `from`: their bare address.
xmpp::Element to_presence(const xmpp::Jid& from, const xmpp::Jid& to, connector::Availability availability,
                          std::string_view status);

}  // namespace wherry::convert

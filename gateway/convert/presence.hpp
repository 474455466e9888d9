// Presence values as presence stanzas (RFC 6121 §4.7): pure.
#pragma once

#include "gateway/connector/action.hpp"
#include "gateway/xmpp/element.hpp"
#include "gateway/xmpp/jid.hpp"

#include <string_view>

namespace wherry::convert {

// A contact's presence towards a user, or the gateway's.
xmpp::Element to_presence(const xmpp::Jid& from, const xmpp::Jid& to, connector::Availability availability,
                          std::string_view status);

}  // namespace wherry::convert

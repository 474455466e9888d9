// What other features need of the presence feature.
#pragma once

#include "gateway/transport/transport.hpp"

namespace wherry::features {

// The contact's presence as it is now, to the user's bare or full JID: available while the session is up where the
// network knows no presence.
void send_contact_presence(transport::Transport& transport, const accounts::LiveAccount& account,
                           const accounts::LiveContact& contact, const xmpp::Jid& to);

}  // namespace wherry::features

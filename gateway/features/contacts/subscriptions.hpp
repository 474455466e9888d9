// Contact lists (RFC 6121 §3): what the presence feature hands over.
#pragma once

#include "gateway/transport/transport.hpp"

namespace wherry::features {

bool is_subscription(std::string_view presence_type);  // subscribe, subscribed, unsubscribe, unsubscribed
void on_gateway_subscription(transport::Transport& transport, const xmpp::Stanza& stanza);
void on_contact_subscription(transport::Transport& transport, xmpp::Stanza stanza);

// The gateway in the user's roster, after registration: by its own request (XEP-0100 §4.1.1 step 8), or without a question
// where the server lets us.
asio::awaitable<void> enter_roster(transport::Transport& transport, xmpp::Jid user);
// After the registration is gone: gateway and contacts end every subscription and go offline (rule B1.17).
void end_subscriptions(transport::Transport& transport, const xmpp::Jid& user, const std::vector<base::ContactId>& contacts);

}  // namespace wherry::features

// What is asked of a contact's address is answered in its name only where there can be such a contact (DECISIONS 84).
#pragma once

#include "gateway/transport/transport.hpp"

#include <functional>

namespace wherry::transport {

// `account`: of who asks, or null.
using ContactAnswer =
    std::function<void(const xmpp::Stanza& iq, const accounts::LiveAccount* account, const base::ContactId& contact)>;

// Calls `answer` with the contact that the request is to, once that is known; else the request is refused.
void for_contact(Transport& transport, xmpp::Stanza iq, const Party& party, ContactAnswer answer);

}  // namespace wherry::transport

// Who may register, and how a registration ends: the same for every face of it.
#pragma once

#include "gateway/transport/transport.hpp"

#include <functional>
#include <optional>
#include <string>

namespace wherry::transport {

inline constexpr std::size_t most_accounts = 16;  // of one user

// Nothing: this person may register an account, or change `account`, which may be null.
std::optional<xmpp::StanzaError> refusal_to_register(Transport& transport, const xmpp::Jid& user,
                                                     const accounts::LiveAccount* account);

// The faces of the user's accounts but for the one of that alias: "~work@sms.test, ~home@sms.test".
std::string other_faces(Transport& transport, const xmpp::Jid& user, const std::string& alias);

// Removes the account; `removed` is called when it is gone, before its contacts say farewell. False: it stays, since
// the store does not take it.
asio::awaitable<bool> unregister(Transport& transport, base::AccountId id, std::function<void()> removed);

}  // namespace wherry::transport

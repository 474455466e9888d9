// What other features need of the contact list feature.
#pragma once

#include "gateway/transport/transport.hpp"

#include <cstddef>

namespace wherry::features {

inline constexpr std::size_t most_contacts = 5000;  // of one account

// Offers the user who is on the network's contact list and not among their contacts here; when a list came, and when the
// user did.
void offer_contacts(transport::Transport& transport, accounts::LiveAccount& account);

// The user has answered one who asked: the next of them may.
void ask_next(transport::Transport& transport, accounts::LiveAccount& account);

}  // namespace wherry::features

// A user's message as what the network is to do: pure, the twin of to_stanzas. Nobody's wish is dropped in silence, and
// no placeholder goes out as a text.
#pragma once

#include "gateway/connector/action.hpp"
#include "gateway/xmpp/stanza.hpp"

#include <optional>
#include <variant>

namespace wherry::convert {

// Of a message's id: it is kept for as long as somebody may be told how the message went.
inline constexpr std::size_t most_id_bytes = 1024;

struct NothingToSend {};  // receipts, hints: what its sender expects no answer to

using ActionOrRefusal = std::variant<NothingToSend, connector::Action, xmpp::StanzaError>;

// What a message (not an error) to a contact asks for, or with what it is answered. Its chat and key are left empty.
// The messages that it refers to are called as the user's client calls them: by stanza ids.
ActionOrRefusal to_action(const xmpp::Element& message);

// With what a message is answered that only its receiver's own program could decrypt; nothing: it can be read here.
std::optional<xmpp::StanzaError> refusal_of_encrypted(const xmpp::Element& message);

}  // namespace wherry::convert

// A user's message as what the network is to carry: pure. Nobody's wish is dropped in silence, and no placeholder goes
// out as a text.
#pragma once

#include "gateway/connector/action.hpp"
#include "gateway/xmpp/stanza.hpp"

#include <variant>

namespace wherry::convert {

// Of a message's id: it is kept for as long as somebody may be told how the message went.
inline constexpr std::size_t most_id_bytes = 1024;

struct NothingToSend {};  // typing, receipts, markers: what its sender expects no answer to

using ContentOrRefusal = std::variant<NothingToSend, connector::Content, xmpp::StanzaError>;

// What a message (not an error) to a contact says, or with what it is answered.
ContentOrRefusal to_content(const xmpp::Element& message);

}  // namespace wherry::convert

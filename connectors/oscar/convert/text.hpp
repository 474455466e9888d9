// Messages as people see them.
#pragma once

#include "connectors/oscar/client/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace wherry::oscar {

// What the message says. Of an old client's other kinds (a link, a mail, contacts): in words.
std::string text_of(const IncomingMessage& message, const std::string& code_page);
// The reason of an old client's authorisation request or refusal.
std::string reason_of(const IncomingMessage& message, const std::string& code_page);
// The id of the event: the same for the same message.
std::string id_of(const IncomingMessage& message);

inline constexpr std::size_t most_piece = 1000;  // characters of one message; servers and clients cut longer ones
inline constexpr std::size_t most_pieces = 10;
// In the form that the recipient's kind of client reads; a long text in several messages.
std::vector<TextPiece> to_pieces(std::string_view text, bool to_icq);

}  // namespace wherry::oscar

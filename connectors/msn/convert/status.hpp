// Statuses and personal messages, between MSN's and the contract's. Pure.
#pragma once

#include "gateway/connector/action.hpp"

#include <string>
#include <string_view>

namespace wherry::msn {

// "BSY" → do_not_disturb. A code that nobody knows is `online`: the contact is there.
connector::Availability to_availability(std::string_view code);

// What contacts are shown. A user who is away from XMPP while the account stays is AWY, and not HDN: who is hidden
// cannot be written to.
std::string to_status_code(connector::Availability availability);

// The payload of UUX, and what it says: <Data><PSM>…</PSM>…</Data>. Cut at `most_personal_message_bytes`.
inline constexpr std::size_t most_personal_message_bytes = 400;
std::string to_personal_message(std::string_view text);
// Lenient; empty where there is none. What somebody hears or plays counts where they say nothing themselves.
std::string parse_personal_message(std::string_view xml);

// The name of the picture that a contact shows, in the object of its status (SHA1D of an msnobj of type 3); "": none.
std::string parse_picture_name(std::string_view object);

}  // namespace wherry::msn

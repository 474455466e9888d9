// Presence: the bits of ICQ's statuses, AIM's two, and the contract's.
#pragma once

#include "connectors/oscar/client/user_info.hpp"
#include "gateway/connector/action.hpp"

#include <cstdint>

namespace wherry::oscar {

// What ICQ calls it. Who is to be seen offline while the session goes on is invisible.
std::uint32_t to_status(connector::Availability availability);
connector::Availability to_availability(const UserInfo& user);
// Whether there is a text that tells why.
bool has_away_text(connector::Availability availability);

}  // namespace wherry::oscar

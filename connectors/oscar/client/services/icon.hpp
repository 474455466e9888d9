// Buddy icons (family 10): pictures that people show, kept by a service of its own.
#pragma once

#include "connectors/oscar/client/user_info.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wherry::oscar {

// The bodies of 10/04 and 10/02.
std::string ask_icon(std::string_view name, const IconId& icon);
std::string give_icon(std::string_view picture);
// Of 10/05. Nothing where it cannot be read, or there is no picture.
std::optional<std::string> read_icon(std::string_view body);
// Of 10/03.
bool is_icon_taken(std::string_view body);

// What kind of picture that is, among those that clients show; empty: none of them.
std::string media_type_of(std::string_view picture);

inline constexpr std::size_t most_icon = 60'000;  // octets: one frame carries it

}  // namespace wherry::oscar

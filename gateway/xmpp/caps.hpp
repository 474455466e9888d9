// Entity capabilities (XEP-0115 v1.6.0): what somebody can do, as a hash that travels in their presence, so that
// programs ask once for all who can do the same. Pure.
#pragma once

#include "gateway/xmpp/element.hpp"

#include <string>
#include <string_view>

namespace wherry::xmpp {

inline constexpr std::string_view caps_uri = "urn:wherry";

// The hash of an answer to disco#info (§5.1); `query`: its payload.
std::string caps_hash(const Element& query);

// The node by which that answer is asked for (§6.2).
std::string caps_node(std::string_view hash);

// Into an available presence.
void add_caps(Element& presence, std::string_view hash);

}  // namespace wherry::xmpp

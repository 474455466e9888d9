// TCP connections to a network, in memory: net::dial is defined here, in place of gateway/net/dial.cpp, which the
// simulation does not link. What a connector gets is one end of a socket pair, so that no source of it knows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace wherry::simulation {

// Where connectors find their servers: the connector's end of a new connection, or -1 where nobody listens.
using Answer = std::function<int(const std::string& host, std::uint16_t port)>;
void listen_for_dials(Answer answer);

}  // namespace wherry::simulation

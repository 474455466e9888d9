// Tells systemd how the gateway is (sd_notify(3)): a datagram to $NOTIFY_SOCKET, which is all there is to it.
#pragma once

#include <string_view>

namespace wherry::net {

// "READY=1", "STOPPING=1", "STATUS=…". Does nothing where nobody listens.
void notify_systemd(std::string_view state);

}  // namespace wherry::net

// Looks up the addresses of hosts on the loop (c-ares): a look-up can be cancelled, and none waits for another.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace wherry::net {

namespace asio = boost::asio;

// The endpoints of `host` at `port`, in the order to try them (RFC 6724); at least one. A numeric address is its own
// answer, and nobody is asked. Names come from the system's hosts file and name servers, or from `servers`
// ("127.0.0.1:53,…") where that is not empty. Throws boost::system::system_error.
asio::awaitable<std::vector<asio::ip::tcp::endpoint>> resolve(std::string host, std::uint16_t port,
                                                              std::string servers = {});

}  // namespace wherry::net

// Opens a TCP connection to a named host: resolves, then tries one address after the other. And: sockets that children
// do not inherit.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace wherry::net {

namespace asio = boost::asio;

// Throws boost::system::system_error when no address of the host takes the connection.
asio::awaitable<asio::ip::tcp::socket> dial(std::string host, std::uint16_t port);
// From that address of ours; "": any. The host's addresses are tried as in_turn() has them.
asio::awaitable<asio::ip::tcp::socket> dial_from(std::string local_address, std::string host, std::uint16_t port,
                                                 unsigned attempt = 0);

// The order of a host's addresses in an attempt: each begins with another one, so that one that takes connections and
// then serves nobody, or one that never answers, does not keep the others from being tried. Pure.
std::vector<asio::ip::tcp::endpoint> in_turn(std::vector<asio::ip::tcp::endpoint> addresses, unsigned attempt);

// Asio opens its sockets without SOCK_CLOEXEC. To be called in the turn of the loop that opened `socket`: no child is
// started between.
void close_on_exec(int socket);

}  // namespace wherry::net

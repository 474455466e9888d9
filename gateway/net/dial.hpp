// Opens a TCP connection to a named host: resolves, then tries one address after the other. And: sockets that children
// do not inherit.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>

namespace wherry::net {

namespace asio = boost::asio;

// Throws boost::system::system_error when no address of the host takes the connection.
asio::awaitable<asio::ip::tcp::socket> dial(std::string host, std::uint16_t port);
// From that address of ours; "": any.
asio::awaitable<asio::ip::tcp::socket> dial_from(std::string local_address, std::string host, std::uint16_t port);

// Asio opens its sockets without SOCK_CLOEXEC. To be called in the turn of the loop that opened `socket`: no child is
// started between.
void close_on_exec(int socket);

}  // namespace wherry::net

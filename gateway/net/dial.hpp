// Opens a TCP connection to a named host: resolves, then tries one address after the other.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>

namespace wherry::net {

namespace asio = boost::asio;

// Throws boost::system::system_error when no address of the host takes the connection.
asio::awaitable<asio::ip::tcp::socket> dial(std::string host, std::uint16_t port);

}  // namespace wherry::net

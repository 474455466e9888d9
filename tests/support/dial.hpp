// How a link under test reaches the server that is played on a loopback port: a numeric address, no resolver.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <string>

namespace wherry::tests {

inline boost::asio::awaitable<boost::asio::ip::tcp::socket> dial(std::string address, std::uint16_t port) {
  boost::asio::ip::tcp::socket socket(co_await boost::asio::this_coro::executor);
  const boost::asio::ip::tcp::endpoint server(boost::asio::ip::make_address(address), port);
  co_await socket.async_connect(server, boost::asio::use_awaitable);
  co_return socket;
}

}  // namespace wherry::tests

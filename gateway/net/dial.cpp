#include "gateway/net/dial.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace wherry::net {

asio::awaitable<asio::ip::tcp::socket> dial(std::string host, std::uint16_t port) {
  const auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver(executor);
  const auto addresses = co_await resolver.async_resolve(host, std::to_string(port), asio::use_awaitable);
  asio::ip::tcp::socket socket(executor);
  co_await asio::async_connect(socket, addresses, asio::use_awaitable);
  co_return socket;
}

}  // namespace wherry::net

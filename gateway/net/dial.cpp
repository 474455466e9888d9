#include "gateway/net/dial.hpp"

#include "gateway/net/resolver.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <fcntl.h>

namespace wherry::net {

using asio::ip::tcp;

void close_on_exec(int socket) { ::fcntl(socket, F_SETFD, FD_CLOEXEC); }

asio::awaitable<tcp::socket> dial(std::string host, std::uint16_t port) {
  auto dialled = dial_from({}, std::move(host), port);
  co_return co_await std::move(dialled);
}

std::vector<tcp::endpoint> in_turn(std::vector<tcp::endpoint> addresses, unsigned attempt) {
  const auto first = addresses.empty() ? 0 : static_cast<std::ptrdiff_t>(attempt % addresses.size());
  std::rotate(addresses.begin(), addresses.begin() + first, addresses.end());
  return addresses;
}

asio::awaitable<tcp::socket> dial_from(std::string local_address, std::string host, std::uint16_t port,
                                       unsigned attempt) {
  const auto executor = co_await asio::this_coro::executor;
  const std::vector<tcp::endpoint> peers = in_turn(co_await resolve(host, port), attempt);
  boost::system::error_code error = asio::error::host_not_found;
  for (const tcp::endpoint& peer : peers) {
    tcp::socket socket(executor);
    socket.open(peer.protocol(), error);
    if (error) continue;
    close_on_exec(socket.native_handle());
    if (!local_address.empty()) socket.bind(tcp::endpoint(asio::ip::make_address(local_address), 0), error);
    if (error) continue;
    co_await socket.async_connect(peer, asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_return socket;
    if (error == asio::error::operation_aborted) break;
  }
  throw boost::system::system_error(error, "connect");
}

}  // namespace wherry::net

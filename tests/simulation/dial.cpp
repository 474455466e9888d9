#include "tests/simulation/dial.hpp"

#include "gateway/base/within.hpp"
#include "gateway/net/dial.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace wherry::simulation {

namespace {

Answer& dialled() {
  static Answer answer;
  return answer;
}

}  // namespace

void listen_for_dials(Answer answer) { dialled() = std::move(answer); }

}  // namespace wherry::simulation

// A socket pair knows nothing of TCP, and needs none of its options.
extern "C" int setsockopt(int socket, int level, int name, const void* value, socklen_t size) noexcept {
  if (level == IPPROTO_TCP) return 0;
  return static_cast<int>(::syscall(SYS_setsockopt, socket, level, name, value, size));
}

namespace wherry::net {

asio::awaitable<asio::ip::tcp::socket> dial(std::string host, std::uint16_t port) {
  const auto executor = co_await asio::this_coro::executor;
  co_await base::sleep(std::chrono::milliseconds(1));
  const int end = simulation::dialled()(host, port);
  if (end < 0) throw boost::system::system_error(asio::error::connection_refused);
  asio::ip::tcp::socket socket(executor);
  socket.assign(asio::ip::tcp::v4(), end);
  co_return socket;
}

}  // namespace wherry::net

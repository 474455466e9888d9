// A TCP connection that drives a Machine.
#pragma once

#include "connectors/oscar/client/machine.hpp"
#include "gateway/base/signal.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>

namespace wherry::oscar {

namespace asio = boost::asio;

class Link {
 public:
  // Throws boost::system::system_error or base::TimedOut.
  static asio::awaitable<std::unique_ptr<Link>> connect(std::string host, std::uint16_t port,
                                                        std::chrono::seconds limit);

  // Until the machine has ended and its last words are out, or until cancelled (which throws). `after` is called
  // whenever the machine may have something to tell; it never throws. While `is_full` nothing is read.
  asio::awaitable<void> run(Machine& machine, std::function<void()> after, std::function<bool()> is_full);

  // The machine has been told something, or there is room again.
  void wake();
  asio::any_io_executor executor() { return socket_.get_executor(); }

 private:
  explicit Link(asio::ip::tcp::socket socket);
  asio::awaitable<void> read(Machine& machine, const std::function<void()>& after,
                             const std::function<bool()>& is_full);
  asio::awaitable<void> write(Machine& machine);
  asio::awaitable<void> keep_time(Machine& machine, const std::function<void()>& after);

  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  base::Signal woken_;
};

}  // namespace wherry::oscar

// The socket under a state machine: reads, writes and keeps time until the machine's connection ends.
#pragma once

#include "connectors/msn/client/protocol.hpp"
#include "gateway/base/signal.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>

namespace wherry::msn {

namespace asio = boost::asio;

inline constexpr std::chrono::seconds dial_limit{15};

// A state machine and what its owner does about its events.
class Speaker {
 public:
  explicit Speaker(const asio::any_io_executor& executor)
      : output_(executor), timer_(executor, asio::steady_timer::time_point::max()) {}
  virtual ~Speaker() = default;
  Speaker(const Speaker&) = delete;
  Speaker& operator=(const Speaker&) = delete;

  // Until the machine's connection has ended; it is ended where the socket breaks or this is cancelled. What is left to
  // write is written within two seconds.
  static asio::awaitable<void> converse(std::shared_ptr<Speaker> speaker, asio::ip::tcp::socket socket);

 protected:
  virtual void hear(std::string_view bytes, Time now) = 0;
  virtual void pass_time(Time now) = 0;
  virtual Time next_time() const = 0;
  virtual Protocol& protocol() = 0;
  // Waits while more is heard than is worked off.
  virtual asio::awaitable<void> await_room() { co_return; }

  // To be called whenever the machine was made to say something, or was ended.
  void wake();

 private:
  asio::awaitable<void> read(asio::ip::tcp::socket* socket);
  asio::awaitable<void> write(asio::ip::tcp::socket* socket);
  asio::awaitable<void> keep_time();

  base::Signal output_;
  asio::steady_timer timer_;
};

}  // namespace wherry::msn

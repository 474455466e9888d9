#include "connectors/msn/link/speaker.hpp"

#include "gateway/base/within.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include <array>

namespace wherry::msn {

using asio::ip::tcp;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds last_words_limit{2}, write_limit{30};

asio::awaitable<void> write_bytes(tcp::socket* socket, std::string bytes) {
  co_await asio::async_write(*socket, asio::buffer(bytes), asio::use_awaitable);
}

}  // namespace

void Speaker::wake() {
  output_.notify();
  if (protocol().ended() || next_time() < timer_.expiry()) timer_.cancel();
}

asio::awaitable<void> Speaker::converse(std::shared_ptr<Speaker> speaker, tcp::socket socket) {
  std::string why = "stopped";
  End how = End::closed;
  try {
    auto reading = speaker->read(&socket), writing = speaker->write(&socket), timing = speaker->keep_time();
    auto moving = base::together(std::move(writing), std::move(timing));
    co_await base::together(std::move(reading), std::move(moving));
  } catch (const boost::system::system_error& e) {
    if (e.code() != asio::error::operation_aborted) {
      how = End::lost;
      why = e.code() == asio::error::eof ? "the server closed the connection" : e.code().message();
    }
  } catch (const base::TimedOut&) {
    how = End::lost;
    why = "the server reads nothing";
  }
  speaker->protocol().end(how, std::move(why));
  speaker->pass_time(steady_clock::now());  // whoever waits for an answer is told that none will come
  boost::system::error_code ignored;
  socket.close(ignored);
}

// Once the machine has ended, write() flushes and throws, which ends the other two.
asio::awaitable<void> Speaker::read(tcp::socket* socket) {
  std::array<char, 8192> buffer;
  for (;;) {
    co_await await_room();
    const auto space = asio::buffer(buffer);
    const std::size_t count = co_await socket->async_read_some(space, asio::use_awaitable);
    hear(std::string_view(buffer.data(), count), steady_clock::now());
    wake();
  }
}

asio::awaitable<void> Speaker::write(tcp::socket* socket) {
  for (;;) {
    if (protocol().has_output()) {
      const auto limit = protocol().ended() ? last_words_limit : write_limit;
      auto writing = write_bytes(socket, protocol().take_output());
      co_await base::within(limit, std::move(writing));
    } else if (protocol().ended()) {
      throw boost::system::system_error(asio::error::operation_aborted);
    } else {
      co_await output_.wait();
    }
  }
}

asio::awaitable<void> Speaker::keep_time() {
  while (!protocol().ended()) {
    timer_.expires_at(next_time());
    boost::system::error_code woken;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    pass_time(steady_clock::now());
    output_.notify();
  }
}

}  // namespace wherry::msn

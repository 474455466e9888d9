// The server of one component (XEP-0114), sms.test on x.test, played byte by byte: each of its answers comes when the
// test says.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace wherry::tests {

namespace asio = boost::asio;

class ComponentServer {
 public:
  explicit ComponentServer(asio::io_context& loop, std::uint16_t port = 0)
      : acceptor_(loop, {asio::ip::address_v4::loopback(), port}), socket_(loop) {
    // what it does not read, soon waits on the other side
    acceptor_.set_option(asio::socket_base::receive_buffer_size(64 << 10));
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  // XEP-0114 §3.
  asio::awaitable<void> accept() {
    text_.clear();
    socket_ = co_await acceptor_.async_accept(asio::use_awaitable);
    co_await read_until("to='sms.test'>");
    co_await write(
        "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='s1' "
        "from='sms.test'>");
    co_await read_until("</handshake>");
    co_await write("<handshake/>");
  }
  // The id of the next ping.
  asio::awaitable<std::string> ping() {
    before_ping = co_await read_until("<ping xmlns=");
    const auto begin = before_ping.rfind("id=") + 4;
    co_return before_ping.substr(begin, before_ping.find_first_of("'\"", begin) - begin);
  }
  std::string before_ping;  // what came up to it
  asio::awaitable<void> answer(std::string id) {
    co_await write("<iq type='result' from='x.test' to='sms.test' id='" + id + "'/>");
  }
  asio::awaitable<void> write(std::string text) {
    co_await asio::async_write(socket_, asio::buffer(text), asio::use_awaitable);
  }
  // What has come up to and including `end`.
  asio::awaitable<std::string> read_until(std::string end) {
    std::array<char, 16384> buffer;
    const auto space = asio::buffer(buffer);
    std::size_t begin = 0, at = 0;  // not from the start each time: it may be megabytes
    while ((at = text_.find(end, begin)) == std::string::npos) {
      begin = text_.size() - std::min(text_.size(), end.size() - 1);
      text_.append(buffer.data(), co_await socket_.async_read_some(space, asio::use_awaitable));
    }
    const auto size = at + end.size();
    std::string found = text_.substr(0, size);
    text_.erase(0, size);
    co_return found;
  }
  // What comes next, in whatever pieces.
  asio::awaitable<std::string> some() {
    if (!text_.empty()) co_return std::exchange(text_, {});
    std::array<char, 16384> buffer;
    const auto space = asio::buffer(buffer);
    const std::size_t size = co_await socket_.async_read_some(space, asio::use_awaitable);
    co_return std::string(buffer.data(), size);
  }
  void cut() { socket_.close(); }
  // What has come and was not asked for.
  std::string rest() const { return text_; }

 private:
  asio::ip::tcp::acceptor acceptor_;
  asio::ip::tcp::socket socket_;
  std::string text_;
};

}  // namespace wherry::tests

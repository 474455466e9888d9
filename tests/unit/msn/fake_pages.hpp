// Pages over TLS in this process: what each request is answered with is its owner's business.
#pragma once

#include "gateway/base/task_group.hpp"
#include "tests/unit/msn/self_signed.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace wherry::tests {

namespace asio = boost::asio;
namespace http = boost::beast::http;

class FakePages {
 public:
  using Answer = std::function<http::response<http::string_body>(const http::request<http::string_body>&)>;

  FakePages(const asio::any_io_executor& executor, Answer answer)
      : acceptor_(executor, {asio::ip::address_v4::loopback(), 0}), answer_(std::move(answer)), tasks_(executor) {
    tasks_.spawn("fake.pages", accept());
  }
  asio::awaitable<void> stop() { return tasks_.end(); }
  int port() const { return acceptor_.local_endpoint().port(); }
  std::string ca_file() const { return certificate_.path(); }

 private:
  using tcp = asio::ip::tcp;
  using Tls = asio::ssl::stream<tcp::socket>;

  asio::awaitable<void> accept() {
    for (;;) {
      tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
      const auto tls = std::make_shared<Tls>(std::move(socket), certificate_.context());
      tasks_.spawn("fake.page", serve(tls));
    }
  }
  asio::awaitable<void> serve(std::shared_ptr<Tls> tls) {
    try {
      co_await tls->async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
      boost::beast::flat_buffer buffer;
      for (bool goes_on = true; goes_on;) {
        http::request<http::string_body> request;
        co_await http::async_read(*tls, buffer, request, asio::use_awaitable);
        http::response<http::string_body> response = answer_(request);
        response.keep_alive(request.keep_alive());
        response.prepare_payload();
        goes_on = response.keep_alive();
        co_await http::async_write(*tls, response, asio::use_awaitable);
      }
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted) throw;
    }
  }

  SelfSigned certificate_;
  tcp::acceptor acceptor_;
  const Answer answer_;
  base::TaskGroup tasks_;
};

}  // namespace wherry::tests

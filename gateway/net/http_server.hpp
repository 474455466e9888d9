// HTTP server for webhooks, health and metrics (Boost.Beast). Plain HTTP, on loopback by default: TLS is the business
// of the reverse proxy in front.
#pragma once

#include "gateway/base/task_group.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::net {

namespace asio = boost::asio;

struct ServerRequest {
  std::string method;
  std::string target;                                        // as sent: path and query
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, as many as came
  std::string body;                                          // raw: signatures are over it
  // The first header of that name, or "".
  std::string_view header(std::string_view name) const;
};
struct ServerResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::chrono::seconds retry_after{0};                            // RFC 9110 §10.2.3; 0: not said
  std::vector<std::pair<std::string, std::string>> headers = {};  // and these
  // In place of a body in memory: `bytes` octets from `first` on, which `piece` gives, at most so many at a time.
  std::uint64_t first = 0, bytes = 0;
  std::function<asio::awaitable<std::string>(std::uint64_t offset, std::size_t most)> piece = {};
};

inline ServerResponse respond(int status, std::string text, std::chrono::seconds retry_after = {}) {
  ServerResponse response;
  response.status = status;
  response.body = std::move(text);
  response.retry_after = retry_after;
  return response;
}

struct HttpServerLimits {
  std::size_t header_bytes = 16 << 10;
  std::size_t body_bytes = 1 << 20;
  std::chrono::seconds read_limit{15};  // for one whole request; also how long an idle connection is kept
  std::chrono::seconds handle_limit{15};
  std::size_t connections = 256;
  std::size_t connections_per_address = 128;  // a reverse proxy is one address
  std::size_t long_answers = 32;              // in pieces, at once: whoever reads slowly leaves room for webhooks
};

class HttpServer {
 public:
  using Handler = std::function<asio::awaitable<ServerResponse>(ServerRequest)>;

  HttpServer(asio::any_io_executor executor, HttpServerLimits limits = {});

  // Requests whose path equals `path`, or begins with it where it ends in '/', go to `handler`; the longest path wins.
  // The handler may be replaced or removed (an empty function).
  void route(std::string path, Handler handler);
  bool has_route(const std::string& path) const { return routes_.contains(path); }  // somebody's already

  // Binds and serves until stop(). Throws boost::system::system_error when the address cannot be bound.
  void listen(const asio::ip::tcp::endpoint& endpoint);
  // From now on requests go to their handlers. Until then each is answered 503, to be tried again: a network keeps what
  // it has.
  void open() { open_ = true; }
  asio::ip::tcp::endpoint endpoint() const;  // with the port that a port 0 became
  asio::awaitable<void> stop();

  // The address under which the outside reaches this server, without a final '/', e.g. "https://sms.example.org":
  // what a connector gives its network, and what signatures are computed over. Empty where none is configured.
  std::string public_url;

 private:
  asio::awaitable<void> accept();
  struct Connection {
    boost::beast::tcp_stream stream;
    asio::ip::address from;
    std::chrono::steady_clock::time_point since{};  // when the wait for a request began
    bool waits = true;                              // for a whole request
    bool cut = false;
  };
  asio::awaitable<void> serve(asio::ip::tcp::socket socket, asio::ip::address from);
  asio::awaitable<void> refuse(asio::ip::tcp::socket socket);
  asio::awaitable<void> exchange(Connection& connection);
  bool make_room(const asio::ip::address& from);
  asio::awaitable<ServerResponse> answer(ServerRequest request);
  const Handler* find(std::string_view path) const;

  HttpServerLimits limits_;
  std::map<std::string, Handler> routes_;
  asio::ip::tcp::acceptor acceptor_;
  base::TaskGroup tasks_;
  std::list<Connection> connections_;
  std::size_t refusals_ = 0, long_answers_ = 0;
  bool open_ = false;
};

}  // namespace wherry::net

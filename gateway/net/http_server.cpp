#include "gateway/net/http_server.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"
#include "gateway/net/dial.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <optional>

namespace wherry::net {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Parser = http::request_parser<http::string_body>;

constexpr std::size_t most_refusals = 64;  // connections told 503 at once; more are closed without a word
constexpr std::chrono::seconds retry_after{5};
constexpr std::chrono::seconds linger{2};  // for the client to read why it is cut
constexpr std::size_t most_lingering_bytes = 4 << 20;

// RFC 9110 §15, for a request that cannot be served.
std::optional<ServerResponse> refusal(const beast::error_code& error) {
  const auto text = [](int status, std::string body) {
    return ServerResponse{status, "text/plain; charset=utf-8", std::move(body)};
  };
  if (error == http::error::body_limit) return text(413, "The body is too long.\n");
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return text(431, "The headers are too long.\n");
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() == http::make_error_code(http::error::bad_method).category())
    return text(400, "This is not HTTP.\n");
  return std::nullopt;  // the connection broke, or time is up
}

ServerRequest to_request(Parser::value_type message) {
  ServerRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    request.headers.emplace_back(base::to_lower_ascii(field.name_string()), std::string(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

http::response<http::string_body> to_message(ServerResponse response, bool keep_alive) {
  http::response<http::string_body> message(static_cast<http::status>(response.status), 11);
  message.set(http::field::server, "wherry");
  message.set(http::field::content_type, response.content_type);
  if (response.retry_after.count() > 0)
    message.set(http::field::retry_after, std::to_string(response.retry_after.count()));
  for (const auto& [name, value] : response.headers) message.set(name, value);
  message.body() = std::move(response.body);
  message.keep_alive(keep_alive);
  message.prepare_payload();
  if (response.bytes > 0) message.content_length(response.bytes);
  return message;
}

asio::awaitable<void> write(beast::tcp_stream& stream, ServerResponse response, bool keep_alive, bool head = false) {
  const auto message = to_message(std::move(response), keep_alive);
  http::response_serializer<http::string_body> serializer(message);
  serializer.split(head);
  if (head) co_await http::async_write_header(stream, serializer, asio::use_awaitable);
  else co_await http::async_write(stream, serializer, asio::use_awaitable);
}

// The head, and then the octets as they come. A client that takes them more slowly than any line does is cut.
asio::awaitable<void> write_pieces(beast::tcp_stream& stream, ServerResponse response, bool keep_alive,
                                   std::chrono::seconds limit) {
  constexpr std::size_t most = 64 << 10;
  constexpr std::uint64_t slowest = 16 << 10;  // octets a second
  const auto until = std::chrono::steady_clock::now() + limit + std::chrono::seconds(response.bytes / slowest);
  std::uint64_t offset = response.first, left = response.bytes;
  const auto piece_of = std::move(response.piece);
  co_await write(stream, std::move(response), keep_alive, true);
  while (left > 0) {
    const std::string piece = co_await piece_of(offset, static_cast<std::size_t>(std::min<std::uint64_t>(left, most)));
    if (piece.empty() || piece.size() > left) throw boost::system::system_error(asio::error::eof);  // it has shrunk
    stream.expires_at(std::min(until, std::chrono::steady_clock::now() + limit));
    co_await asio::async_write(stream, asio::buffer(piece), asio::use_awaitable);
    offset += piece.size();
    left -= piece.size();
  }
}

// Says why and ends. What the client still sends is read and thrown away for a moment: closing over unread bytes
// resets the connection, and the client would never see the answer (RFC 9112 §9.6).
asio::awaitable<void> write_last(beast::tcp_stream& stream, ServerResponse response) {
  stream.expires_after(linger);
  co_await write(stream, std::move(response), false);
  boost::system::error_code failed;
  stream.socket().shutdown(tcp::socket::shutdown_send, failed);
  std::array<char, 16 << 10> bin;
  for (std::size_t total = 0; !failed && total < most_lingering_bytes;) {
    total += co_await stream.async_read_some(asio::buffer(bin), asio::redirect_error(asio::use_awaitable, failed));
  }
}

ServerResponse to_response(const std::exception& failure) {
  log::error("http.handler_failed", {{"error", failure.what()}});
  return respond(500, "Something failed here; it is in the log.\n");
}

// Counts for as long as it lives.
struct Counted {
  explicit Counted(std::size_t& c) : count(c) { ++count; }
  ~Counted() { --count; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  std::size_t& count;
};

}  // namespace

std::string_view ServerRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

HttpServer::HttpServer(asio::any_io_executor executor, HttpServerLimits limits)
    : limits_(limits), acceptor_(executor), tasks_(executor) {}

void HttpServer::route(std::string path, Handler handler) {
  if (handler) routes_.insert_or_assign(std::move(path), std::move(handler));
  else routes_.erase(path);
}

void HttpServer::listen(const tcp::endpoint& endpoint) {
  acceptor_.open(endpoint.protocol());
  close_on_exec(acceptor_.native_handle());
  acceptor_.set_option(tcp::acceptor::reuse_address(true));
  acceptor_.bind(endpoint);
  acceptor_.listen();
  acceptor_.non_blocking(true);
  tasks_.spawn("http.accept", accept());
}

tcp::endpoint HttpServer::endpoint() const { return acceptor_.local_endpoint(); }

asio::awaitable<void> HttpServer::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  co_await tasks_.end();
}

asio::awaitable<void> HttpServer::accept() {
  while (acceptor_.is_open()) {
    boost::system::error_code failed;
    co_await acceptor_.async_wait(tcp::acceptor::wait_read, asio::redirect_error(asio::use_awaitable, failed));
    if (failed == asio::error::operation_aborted) co_return;
    // Taken and marked in one turn of the loop, so that no child inherits it.
    tcp::socket socket(acceptor_.get_executor());
    tcp::endpoint peer;
    if (!failed) acceptor_.accept(socket, peer, failed);
    if (failed == asio::error::would_block || failed == asio::error::connection_aborted) continue;  // it has gone again
    if (failed) {  // out of descriptors, most likely: some will be closed
      log::warn("http.accept_failed", {{"error", failed.message()}});
      co_await base::sleep(std::chrono::milliseconds(200));
      continue;
    }
    close_on_exec(socket.native_handle());
    if (make_room(peer.address())) tasks_.spawn("http.connection", serve(std::move(socket), peer.address()));
    else if (refusals_ < most_refusals) tasks_.spawn("http.refusal", refuse(std::move(socket)));
  }
}

// Whether one more connection from there may be served. Where there are too many, the one that has waited longest for a
// whole request is cut for it: idle ones, and those of a client that drips, give way to those that ask for something.
bool HttpServer::make_room(const asio::ip::address& from) {
  std::size_t all = 0, of_address = 0;
  for (const Connection& connection : connections_) {
    if (connection.cut) continue;
    ++all;
    if (connection.from == from) ++of_address;
  }
  const bool address_is_full = of_address >= limits_.connections_per_address;
  if (!address_is_full && all < limits_.connections) return true;
  Connection* oldest = nullptr;
  for (Connection& connection : connections_) {
    if (connection.cut || !connection.waits || (address_is_full && connection.from != from)) continue;
    if (!oldest || connection.since < oldest->since) oldest = &connection;
  }
  if (!oldest) return false;
  oldest->cut = true;
  oldest->stream.close();
  return true;
}

asio::awaitable<void> HttpServer::refuse(tcp::socket socket) {
  const Counted counted(refusals_);
  beast::tcp_stream stream(std::move(socket));
  ServerResponse response = respond(503, "Too many connections.\n", retry_after);
  try {
    co_await write_last(stream, std::move(response));
  } catch (const boost::system::system_error& e) {
    log::debug("http.connection_broke", {{"error", e.code().message()}});
  }
}

asio::awaitable<void> HttpServer::serve(tcp::socket socket, asio::ip::address from) {
  const auto connection =
      connections_.emplace(connections_.end(), Connection{beast::tcp_stream(std::move(socket)), std::move(from)});
  try {
    co_await exchange(*connection);
  } catch (const boost::system::system_error& e) {  // a client that goes away is nobody's failure
    log::debug("http.connection_broke", {{"error", e.code().message()}});
  } catch (...) {
    connections_.erase(connection);
    throw;
  }
  connections_.erase(connection);
}

// Requests of one connection, one after the other.
asio::awaitable<void> HttpServer::exchange(Connection& connection) {
  beast::tcp_stream& stream = connection.stream;
  beast::flat_buffer buffer(limits_.header_bytes + (64 << 10));
  for (bool open = true; open;) {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
    parser.body_limit(limits_.body_bytes);
    connection.since = std::chrono::steady_clock::now();
    connection.waits = true;
    // One limit for the whole request: a client that drips a byte a second is cut all the same.
    stream.expires_after(limits_.read_limit);
    boost::system::error_code failed;
    co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, failed));
    if (!failed && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      const http::response<http::empty_body> go_on(http::status::continue_, 11);  // RFC 9110 §10.1.1
      co_await http::async_write(stream, go_on, asio::use_awaitable);
    }
    if (!failed) co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, failed));
    if (failed) {
      auto response = refusal(failed);
      if (response) co_await write_last(stream, std::move(*response));
      co_return;
    }
    connection.waits = false;
    open = parser.keep_alive() && acceptor_.is_open();
    const bool head = parser.get().method() == http::verb::head;
    stream.expires_never();
    auto response = co_await answer(to_request(parser.release()));
    stream.expires_after(limits_.read_limit);
    const bool is_long = response.piece && !head;
    std::optional<Counted> counted;
    if (is_long) counted.emplace(long_answers_);
    if (is_long && long_answers_ > limits_.long_answers)
      co_await write(stream, respond(503, "Too many files are being sent; try again.\n", retry_after), open, head);
    else if (is_long) co_await write_pieces(stream, std::move(response), open, limits_.read_limit);
    else co_await write(stream, std::move(response), open, head);
  }
  boost::system::error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

const HttpServer::Handler* HttpServer::find(std::string_view path) const {
  const Handler* best = nullptr;
  std::size_t length = 0;
  for (const auto& [route, handler] : routes_) {
    const bool fits = path == route || (route.ends_with('/') && path.starts_with(route));
    if (!fits || route.size() < length) continue;
    best = &handler;
    length = route.size();
  }
  return best;
}

asio::awaitable<ServerResponse> HttpServer::answer(ServerRequest request) {
  if (!open_) co_return respond(503, "The gateway is starting; try again.\n", retry_after);
  const auto* found = find(std::string_view(request.target).substr(0, request.target.find('?')));
  if (!found) co_return respond(404, "There is nothing here.\n");
  const Handler handler = *found;  // it may be replaced while it runs
  ServerResponse response;
  try {
    response = co_await base::within(limits_.handle_limit, handler(std::move(request)));
  } catch (const base::TimedOut&) {
    log::warn("http.handler_timed_out");
    response = respond(503, "This took too long; try again.\n");
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;  // stop() was called
    response = to_response(e);
  } catch (const std::exception& e) {  // one request's failure is not the server's
    response = to_response(e);
  }
  co_return response;
}

}  // namespace wherry::net

// HttpServer against the curl command, and against raw sockets for what curl would never send.
#include "gateway/net/http_server.hpp"

#include "gateway/base/within.hpp"
#include "gateway/net/line_process.hpp"
#include "tests/support/run.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>

using namespace wherry;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using net::HttpServer;
using net::HttpServerLimits;
using net::ServerRequest;
using net::ServerResponse;

namespace {

asio::awaitable<ServerResponse> describe(ServerRequest request) {
  ServerResponse response;
  response.body = request.method + " " + request.target + " agent=" + std::string(request.header("x-test")) +
                  " body=" + request.body + "\n";
  co_return response;
}
asio::awaitable<ServerResponse> fail(ServerRequest) { throw std::runtime_error("a bug"); }
asio::awaitable<ServerResponse> hang(ServerRequest) {
  co_await base::sleep(1h);
  co_return ServerResponse();
}
asio::awaitable<ServerResponse> teapot(ServerRequest) {
  ServerResponse response;
  response.status = 418;
  response.content_type = "application/json";
  response.body = "{}";
  co_return response;
}

// A body that is nowhere whole: 200,000 octets, of which the request gets those from the first thousand on.
asio::awaitable<std::string> piece_of(std::uint64_t offset, std::size_t most) {
  co_return std::string(most, static_cast<char>('a' + (offset / 64000) % 26));
}
asio::awaitable<std::string> nothing_of(std::uint64_t, std::size_t) { co_return std::string(); }
asio::awaitable<ServerResponse> in_pieces(ServerRequest) {
  ServerResponse response;
  response.headers.emplace_back("X-More", "yes");
  response.first = 1000;
  response.bytes = 199'000;
  response.piece = piece_of;
  co_return response;
}
asio::awaitable<ServerResponse> shrinking(ServerRequest request) {
  ServerResponse response = co_await in_pieces(std::move(request));
  response.piece = nothing_of;
  co_return response;
}

struct Site {
  explicit Site(HttpServerLimits limits = {}) : server(loop.get_executor(), limits) {
    ::setenv("no_proxy", "127.0.0.1", 1);
    server.route("/hook/", describe);
    server.route("/hook/special", teapot);
    server.route("/fail", fail);
    server.route("/hang", hang);
    server.route("/long", in_pieces);
    server.route("/shrunk", shrinking);
    server.listen(tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    server.open();
  }
  ~Site() { tests::run(loop, server.stop()); }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(server.endpoint().port()) + path;
  }

  // What curl prints, line by line.
  std::vector<std::string> curl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"curl", "-sS", "--max-time", "30", "--noproxy", "*"});
    const auto process = net::LineProcess::start(loop.get_executor(), arguments, {}, 1 << 20).value();
    std::vector<std::string> lines;
    tests::run(loop, read_all(*process, lines));
    return lines;
  }
  std::string status(const std::string& path, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"-o", "/dev/null", "-w", "%{http_code}\\n", url(path)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return curl(arguments).at(0);
  }
  static asio::awaitable<void> read_all(net::LineProcess& process, std::vector<std::string>& lines) {
    for (auto line = co_await process.read_line(); line; line = co_await process.read_line()) {
      lines.push_back(std::move(*line));
    }
  }

  // Sends `text` as it is and returns all that comes back until the server closes.
  std::string raw(std::string text, std::size_t times = 1) {
    std::string answer;
    tests::run(loop, raw_into(std::move(text), times, answer));
    return answer;
  }
  asio::awaitable<void> raw_into(std::string text, std::size_t times, std::string& answer) {
    tcp::socket socket(loop);
    const auto endpoint = server.endpoint();
    co_await socket.async_connect(endpoint, asio::use_awaitable);
    boost::system::error_code failed;
    for (std::size_t i = 0; i < times && !failed; ++i) {
      co_await asio::async_write(socket, asio::buffer(text), asio::redirect_error(asio::use_awaitable, failed));
    }
    failed = {};
    while (!failed) {
      std::array<char, 4096> piece;
      const auto bytes =
          co_await socket.async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, failed));
      answer.append(piece.data(), bytes);
    }
  }

  asio::io_context loop;
  HttpServer server;
};

HttpServerLimits small() {
  HttpServerLimits limits;
  limits.header_bytes = 2000;
  limits.body_bytes = 1000;
  limits.read_limit = 1s;
  limits.handle_limit = 1s;
  limits.connections = 2;
  return limits;
}

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t found = 0;
  for (auto at = text.find(piece); at != text.npos; at = text.find(piece, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("HttpServer hands method, target, headers and the raw body to the handler of the longest path") {
  Site site;
  CHECK(site.curl({"-H", "X-Test: me", "--data-binary", "a=b&c", site.url("/hook/x?q=1")}).at(0) ==
        "POST /hook/x?q=1 agent=me body=a=b&c");
  CHECK(site.status("/hook/special") == "418");
  CHECK(site.status("/hook/special?with=query") == "418");
  CHECK(site.status("/hook/specials") == "200");
  CHECK(site.status("/hook") == "404");
  CHECK(site.status("/") == "404");
}

TEST_CASE("HttpServer answers the next request when a handler throws") {
  Site site;
  CHECK(site.status("/fail") == "500");
  CHECK(site.status("/hook/a") == "200");
}

TEST_CASE("HttpServer cuts a handler that takes too long") {
  Site site(small());
  CHECK(site.status("/hang") == "503");
}

TEST_CASE("HttpServer keeps a connection for the next request") {
  Site site;
  const auto lines = site.curl({"-w", "%{num_connects}\\n", site.url("/hook/1"), site.url("/hook/2")});
  CHECK(lines == std::vector<std::string>{"GET /hook/1 agent= body=", "1", "GET /hook/2 agent= body=", "0"});
}

TEST_CASE("HttpServer serves requests that come in one piece, in order (RFC 9112 §9.3.2)") {
  Site site;
  const auto answer = site.raw(
      "GET /hook/1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /hook/2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET "
      "/hook/3 HTTP/1.1\r\nHost: "
      "a\r\nConnection: close\r\n\r\n");
  CHECK(count(answer, "HTTP/1.1 200 OK") == 3);
  CHECK(answer.find("body=hi") < answer.find("GET /hook/3"));
}

TEST_CASE("HttpServer tells a client that asks first to go on, or not to (RFC 9110 §10.1.1)") {
  Site site(small());
  const auto lines =
      site.curl({"-H", "Expect: 100-continue", "--expect100-timeout", "30", "-d", "abc", site.url("/hook/x")});
  CHECK(lines.at(0) == "POST /hook/x agent= body=abc");
  CHECK(site.raw("POST /hook/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n")
            .starts_with("HTTP/1.1 413"));
}

TEST_CASE("HttpServer reads chunked bodies, within the limit") {
  Site site(small());
  CHECK(site.curl({"-H", "Transfer-Encoding: chunked", "-d", "abc", site.url("/hook/x")}).at(0) ==
        "POST /hook/x agent= body=abc");
  CHECK(site.status("/hook/x", {"-H", "Transfer-Encoding: chunked", "-d", std::string(1001, 'x')}) == "413");
}

TEST_CASE("HttpServer answers HEAD without a body") {
  Site site;
  const auto answer = site.raw("HEAD /hook/special HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 418"));
  CHECK(answer.find("Content-Length: 2\r\n") != answer.npos);
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("HttpServer answers 400 to what is not HTTP, and closes") {
  Site site;
  for (const char* text :
       {"hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET / HTTP/1.1\r\nNo colon here\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    CAPTURE(text);
    CHECK(site.raw(text).starts_with("HTTP/1.1 400"));
  }
  CHECK(site.status("/hook/a") == "200");
}

TEST_CASE("HttpServer answers 413 and 431 to what is too long, and the client gets to read it") {
  Site site(small());
  CHECK(site.status("/hook/x", {"-d", std::string(1000, 'x')}) == "200");
  CHECK(site.status("/hook/x", {"-d", std::string(1001, 'x')}) == "413");
  CHECK(site.status("/hook/x", {"-H", "X: " + std::string(3000, 'x')}) == "431");
  CHECK(site.raw("GET / HTTP/1.1\r\nA: " + std::string(1000, 'a'), 100).starts_with("HTTP/1.1 431"));
}

TEST_CASE("HttpServer cuts a client that sends its request too slowly, and one that says nothing") {
  Site site(small());
  CHECK(site.raw("GET / HTTP/1.1\r\nA: ") == "");
  CHECK(site.raw("") == "");
  CHECK(site.raw("POST /hook/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc") == "");

  struct Drip {  // a byte at a time resets nothing
    static asio::awaitable<void> run(Site& site) {
      tcp::socket socket(site.loop);
      const auto endpoint = site.server.endpoint();
      co_await socket.async_connect(endpoint, asio::use_awaitable);
      const std::string byte = "A";
      boost::system::error_code failed;
      int written = 0;
      while (!failed && written < 1000) {
        co_await base::sleep(50ms);
        co_await asio::async_write(socket, asio::buffer(byte), asio::redirect_error(asio::use_awaitable, failed));
        ++written;
      }
      CHECK(failed);
      CHECK(written < 200);
    }
  };
  tests::run(site.loop, Drip::run(site));
}

namespace {

asio::awaitable<void> connect_and_send(tcp::socket& socket, tcp::endpoint server, std::string text) {
  co_await socket.async_connect(server, asio::use_awaitable);
  co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
}
asio::awaitable<void> read_some(tcp::socket& socket, std::string& text, boost::system::error_code& failed) {
  std::array<char, 1000> piece;
  const auto space = asio::buffer(piece);
  const auto size = co_await socket.async_read_some(space, asio::redirect_error(asio::use_awaitable, failed));
  text.assign(piece.data(), size);
}

}  // namespace

TEST_CASE("HttpServer answers 503 when each of its connections has a request") {
  HttpServerLimits limits = small();
  limits.handle_limit = 60s;
  Site site(limits);
  int handling = 0;
  site.server.route("/busy", [&](ServerRequest request) {
    ++handling;
    return hang(std::move(request));
  });
  tcp::socket first(site.loop), second(site.loop);
  for (tcp::socket* socket : {&first, &second})
    tests::run(site.loop, connect_and_send(*socket, site.server.endpoint(), "GET /busy HTTP/1.1\r\nHost: a\r\n\r\n"));
  for (int i = 0; i < 600 && handling < 2; ++i) site.loop.run_one_for(100ms);
  const auto answer = site.raw("GET /hook/x HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 503"));
  CHECK(answer.find("Retry-After: ") != answer.npos);
}

TEST_CASE(
    "A full HttpServer cuts the connection that has waited longest for a whole request, of the address that has too "
    "many") {
  for (const bool by_address : {false, true}) {
    CAPTURE(by_address);
    HttpServerLimits limits;
    if (by_address) limits.connections_per_address = 2;
    else limits.connections = 2;
    Site site(limits);
    tcp::socket dripping(site.loop), idle(site.loop);
    std::string text;
    boost::system::error_code failed;
    tests::run(site.loop, connect_and_send(dripping, site.server.endpoint(), "GET /hook/x HT"));
    tests::run(site.loop, connect_and_send(idle, site.server.endpoint(), "GET /hook/x HTTP/1.1\r\nHost: a\r\n\r\n"));
    tests::run(site.loop, read_some(idle, text, failed));
    REQUIRE(text.starts_with("HTTP/1.1 200"));
    CHECK(site.status("/hook/x") == "200");
    tests::run(site.loop, read_some(dripping, text, failed));
    CHECK(failed);  // cut, long before its time was up
  }
}

TEST_CASE("HttpServer answers 503 and when to come again until it is opened") {
  Site site;
  HttpServer early(site.loop.get_executor());
  early.route("/hook/", describe);
  early.listen(tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const std::string url = "http://127.0.0.1:" + std::to_string(early.endpoint().port()) + "/hook/x";
  const std::vector<std::string> arguments{"-o", "/dev/null", "-w", "%{http_code} %header{retry-after}\\n", url};
  CHECK(site.curl(arguments).at(0) == "503 5");
  early.open();
  CHECK(site.curl(arguments).at(0) == "200 ");
  tests::run(site.loop, early.stop());
}

TEST_CASE("HttpServer forgets a route that is removed, and replaces one that is given again") {
  Site site;
  site.server.route("/fail", teapot);
  CHECK(site.status("/fail") == "418");
  site.server.route("/fail", nullptr);
  CHECK(site.status("/fail") == "404");
}

TEST_CASE("HttpServer stops while connections are open and handlers run") {
  auto site = std::make_unique<Site>();
  tcp::socket idle(site->loop);
  idle.connect(site->server.endpoint());
  tcp::socket busy(site->loop);
  busy.connect(site->server.endpoint());
  const std::string request = "GET /hang HTTP/1.1\r\nHost: a\r\n\r\n";
  asio::write(busy, asio::buffer(request));
  tests::run(site->loop, base::sleep(50ms));
  const auto started = std::chrono::steady_clock::now();
  tests::run(site->loop, site->server.stop());
  CHECK(std::chrono::steady_clock::now() - started < 5s);
}

TEST_CASE("HttpServer says when its address is taken") {
  Site site;
  HttpServer other(site.loop.get_executor());
  CHECK_THROWS_AS(other.listen(site.server.endpoint()), boost::system::system_error);
}

TEST_CASE(
    "No socket of an HttpServer is inherited by children: neither the one that listens nor those it accepted "
    "(FD_CLOEXEC)") {
  Site site;
  const auto port = site.server.endpoint().port();
  int inherited = 0, closed = 0;
  site.server.route("/sockets", [&](ServerRequest) -> asio::awaitable<ServerResponse> {
    for (int fd = 0; fd < 1000; ++fd) {
      sockaddr_storage address{};
      socklen_t size = sizeof address;
      if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 || address.ss_family != AF_INET)
        continue;
      if (ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port) != port) continue;
      ++((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 ? closed : inherited);
    }
    co_return ServerResponse();
  });
  CHECK(site.status("/sockets") == "200");
  CHECK(closed == 2);
  CHECK(inherited == 0);
}

TEST_CASE("HttpServer sends a long body in pieces, and its head alone to who asks for that") {
  Site site;
  const auto sent = site.curl({"-w", "\n%{http_code} %{size_download}\n", site.url("/long")});
  CHECK(sent.back() == "200 199000");
  CHECK(sent.at(0).size() == 199'000);
  const auto head = site.curl({"-I", site.url("/long")});
  const auto has = [&](const char* line) {
    return std::any_of(head.begin(), head.end(), [&](const std::string& it) { return it.starts_with(line); });
  };
  CHECK(has("Content-Length: 199000"));
  CHECK(has("X-More: yes"));
  // Two on one connection: the first ends where it should.
  const auto both = site.curl({"-o", "/dev/null", "-o", "/dev/null", "-w", "%{size_download} %{num_connects}\n",
                               site.url("/long"), site.url("/long")});
  CHECK(both == std::vector<std::string>{"199000 1", "199000 0"});
}

TEST_CASE("HttpServer cuts an answer that ends before its length") {
  Site site;
  const std::string answer = site.raw("GET /shrunk HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(answer.find("Content-Length: 199000") != answer.npos);
  CHECK(answer.size() < 1000);
}

// HttpClient against Python's http.server (http_peer.py), and against sockets that misbehave.
#include "gateway/net/http_client.hpp"

#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"
#include "gateway/net/line_process.hpp"
#include "tests/support/run.hpp"

#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace wherry;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using base::Errc;
using net::HttpRequest;
using net::HttpResponse;

namespace {

using Answer = base::Result<HttpResponse>;

// The server, and a client on the same loop.
struct Peer {
  explicit Peer(std::vector<std::string> arguments = {}) : client(loop.get_executor()) {
    ::setenv("no_proxy", "127.0.0.1,localhost", 1);
    arguments.insert(arguments.begin(), {"/usr/bin/python3", WHERRY_SOURCE_DIR "/tests/unit/net/http_peer.py"});
    process = net::LineProcess::start(loop.get_executor(), arguments, {}, 1000).value();
    tests::run(loop, read_port());
  }
  asio::awaitable<void> read_port() { port = (co_await process->read_line()).value(); }

  std::string url(const std::string& path, const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + port + path;
  }
  HttpRequest request(const std::string& method, const std::string& path, std::string body = "") const {
    HttpRequest r;
    r.method = method;
    r.url = url(path);
    r.body = std::move(body);
    return r;
  }
  asio::awaitable<void> send_into(HttpRequest r, std::optional<Answer>& answer) {
    answer = co_await client.send(std::move(r));
  }
  Answer send(HttpRequest r) {
    std::optional<Answer> answer;
    tests::run(loop, send_into(std::move(r), answer));
    return *answer;
  }

  asio::io_context loop;
  std::unique_ptr<net::LineProcess> process;
  std::string port;
  net::HttpClient client;
};

nlohmann::json said(const Answer& answer) { return nlohmann::json::parse(answer.value().body); }

// A port where nobody listens.
std::string closed_port(asio::io_context& loop) {
  tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  return std::to_string(acceptor.local_endpoint().port());
}

}  // namespace

TEST_CASE("HttpClient sends method, headers and body, and reads status, headers and body") {
  Peer peer;
  auto request = peer.request("POST", "/echo?a=b", "{\"x\":1}");
  request.headers = {"Content-Type: application/json", "X-Mine: yes"};
  const auto answer = peer.send(request);
  CHECK(answer.value().status == 200);
  CHECK(answer->headers.at("x-two") == "second");
  CHECK(answer->headers.at("content-length") == std::to_string(answer->body.size()));
  const auto json = said(answer);
  CHECK(json["method"] == "POST");
  CHECK(json["target"] == "/echo?a=b");
  CHECK(json["body"] == "{\"x\":1}");
  CHECK(json["headers"]["X-Mine"] == "yes");
  CHECK(json["headers"]["Content-Type"] == "application/json");
  CHECK_FALSE(json["headers"].contains("Expect"));
}

TEST_CASE("HttpClient sends each method as it is, and claims no content type of its own") {
  Peer peer;
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    CAPTURE(method);
    const std::string body = method == std::string("GET") ? "" : "b";
    const auto json = said(peer.send(peer.request(method, "/echo", body)));
    CHECK(json["method"] == method);
    CHECK(json["body"] == body);
    CHECK_FALSE(json["headers"].contains("Content-Type"));
  }
  CHECK(peer.send(peer.request("HEAD", "/echo")).value().body.empty());
  CHECK(said(peer.send(peer.request("POST", "/echo")))["headers"]["Content-Length"] == "0");
}

TEST_CASE("HttpClient authenticates with the first request (RFC 7617)") {
  Peer peer;
  auto request = peer.request("GET", "/echo");
  request.user = "user";
  request.password = "p:w";
  CHECK(said(peer.send(request))["headers"]["Authorization"] == "Basic dXNlcjpwOnc=");
}

TEST_CASE("HttpClient gives any status as a response and follows no redirect") {
  Peer peer;
  CHECK(peer.send(peer.request("GET", "/nowhere")).value().status == 404);
  const auto redirect = peer.send(peer.request("GET", "/redirect"));
  CHECK(redirect.value().status == 302);
  CHECK(redirect->headers.at("location") == "/echo");
}

TEST_CASE("HttpClient bounds the body and the headers of an answer") {
  Peer peer;
  auto request = peer.request("GET", "/long");
  CHECK(peer.send(request).error().code == Errc::uncertain);
  request.most_bytes = 2'000'000;
  CHECK(peer.send(request).value().body.size() == 2'000'000);
  const auto headers = peer.send(peer.request("GET", "/headers"));
  CHECK(headers.error().code == Errc::uncertain);
  CHECK(headers.error().text == "the answer is too long");
}

TEST_CASE("HttpClient calls it uncertain when the server does not answer in time") {
  Peer peer;
  auto request = peer.request("POST", "/never", "x");
  request.limit = 300ms;
  CHECK(peer.send(request).error().code == Errc::uncertain);
}

TEST_CASE("HttpClient calls it unavailable when nothing can have been sent") {
  Peer peer;
  auto request = peer.request("POST", "/", "x");
  request.url = "http://127.0.0.1:" + closed_port(peer.loop) + "/";
  CHECK(peer.send(request).error().code == Errc::unavailable);
  request.url = "http://no-such-host.invalid/";  // RFC 6761 §6.4
  CHECK(peer.send(request).error().code == Errc::unavailable);
  // A listener that never accepts TLS: the limit passes before the request could be sent.
  tcp::acceptor silent(peer.loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  request.url = "https://127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/";
  request.limit = 300ms;
  CHECK(peer.send(request).error().code == Errc::unavailable);
}

TEST_CASE("HttpClient refuses a server whose certificate nobody vouches for, before sending anything") {
  Peer peer({"tls"});
  auto request = peer.request("POST", "/echo", "secret");
  request.url = peer.url("/echo", "https");
  const auto answer = peer.send(request);
  CHECK(answer.error().code == Errc::unavailable);
  CHECK(answer.error().text.find("certificate") != std::string::npos);
}

TEST_CASE("HttpClient speaks http and https only, and lets no header through that is two") {
  Peer peer;
  auto request = peer.request("GET", "/echo");
  for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "not a url", ""}) {
    CAPTURE(url);
    request.url = url;
    CHECK(peer.send(request).error().code == Errc::bad_input);
  }
  request.url = peer.url("/echo");
  request.headers = {"X-A: 1\r\nX-B: 2"};
  CHECK(peer.send(request).error().code == Errc::bad_input);
  request.headers.clear();
  request.method = "GET / HTTP/1.1\r\nX: ";
  CHECK(peer.send(request).error().code == Errc::bad_input);
}

TEST_CASE(
    "HttpClient never repeats a POST by itself, also when a kept connection turns out to be closed (RFC 9110 §9.2.2)") {
  for (const std::string body : {"x", ""}) {
    CAPTURE(body);
    Peer peer;
    CHECK(peer.send(peer.request("POST", "/hang-up", body)).value().body == "hello");
    const auto second = peer.send(peer.request("POST", "/hang-up", body));
    if (!second) CHECK(second.error().code == Errc::uncertain);
    CHECK(said(peer.send(peer.request("GET", "/seen")))["/hang-up"] == 2);
  }
}

TEST_CASE("HttpClient repeats no GET that must not be repeated: some services send texts by GET") {
  Peer peer;
  auto request = peer.request("GET", "/hang-up");
  request.may_repeat = false;
  CHECK(peer.send(request).value().body == "hello");
  CHECK(peer.send(request).value().body == "hello");
  CHECK(said(peer.send(peer.request("GET", "/seen")))["/hang-up"] == 2);
}

TEST_CASE("HttpClient exchanges many requests at once") {
  Peer peer;
  std::vector<std::optional<Answer>> answers(300);
  base::TaskGroup group(peer.loop.get_executor());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    group.spawn("request", peer.send_into(peer.request("POST", "/echo", std::to_string(i)), answers[i]));
  }
  tests::run(peer.loop, group.join());
  for (std::size_t i = 0; i < answers.size(); ++i) CHECK(said(answers[i].value())["body"] == std::to_string(i));
}

TEST_CASE("HttpClient::send can be cancelled") {
  Peer peer;
  base::TaskGroup group(peer.loop.get_executor());
  std::optional<Answer> answer;
  group.spawn("request", peer.send_into(peer.request("GET", "/never"), answer));
  tests::run(peer.loop, base::sleep(50ms));
  group.cancel();
  tests::run(peer.loop, group.join());
  CHECK_FALSE(answer);
  CHECK(peer.send(peer.request("GET", "/echo")).value().status == 200);
}

TEST_CASE("HttpClient may go while its connections are kept") {
  Peer peer;
  CHECK(peer.send(peer.request("GET", "/echo")).value().status == 200);
  {
    net::HttpClient other(peer.loop.get_executor());
    struct Script {
      static asio::awaitable<void> run(net::HttpClient& client, HttpRequest request) {
        CHECK((co_await client.send(std::move(request))).value().status == 200);
      }
    };
    tests::run(peer.loop, Script::run(other, peer.request("GET", "/echo")));
  }
  CHECK(peer.send(peer.request("GET", "/echo")).value().status == 200);
}

// Look-ups against name servers that are played here; and connections by name.
#include "gateway/net/resolver.hpp"
#include "gateway/net/dial.hpp"

#include "gateway/base/within.hpp"
#include "tests/support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <fcntl.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

using namespace wherry;
using namespace std::chrono_literals;
using asio::ip::tcp;
using asio::ip::udp;

namespace {

// A name server on loopback: what is asked comes in, and an answer goes out when the test says.
struct NameServer {
  explicit NameServer(asio::io_context& loop) : socket(loop, udp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
  std::string address() const { return "127.0.0.1:" + std::to_string(socket.local_endpoint().port()); }

  asio::awaitable<void> receive() {
    const auto size = co_await socket.async_receive_from(asio::buffer(space), client, asio::use_awaitable);
    question.assign(space.data(), size);
  }
  // RFC 1035 §4.1: the question again; an A record of 127.0.0.1 where it asks for one.
  asio::awaitable<void> answer(bool is_known = true) {
    const bool wants_ipv4 = question.find(std::string("\0\x01\0\x01", 4)) != std::string::npos;
    const auto end = question.find('\0', 12) + 5;
    std::string text = question.substr(0, end);
    text[2] = '\x81', text[3] = is_known ? '\x80' : '\x83';
    text[6] = '\0', text[7] = is_known && wants_ipv4 ? '\x01' : '\0';
    for (std::size_t i = 8; i < 12; ++i) text[i] = '\0';
    if (is_known && wants_ipv4) text += std::string("\xC0\x0C\0\x01\0\x01\0\0\0\x3C\0\x04\x7F\0\0\x01", 16);
    co_await socket.async_send_to(asio::buffer(text), client, asio::use_awaitable);
  }

  udp::socket socket;
  udp::endpoint client;
  std::array<char, 1500> space{};
  std::string question;
};

asio::awaitable<void> look_up(std::string host, std::string servers, std::vector<tcp::endpoint>& found) {
  found = co_await net::resolve(std::move(host), 5347, std::move(servers));
}
asio::awaitable<void> answer_twice(NameServer& server) {
  for (int i = 0; i < 2; ++i) {
    co_await server.receive();
    co_await server.answer();
  }
}
asio::awaitable<void> know_nothing(NameServer& server) {
  for (;;) {
    co_await server.receive();
    co_await server.answer(false);
  }
}
asio::awaitable<void> give_up(std::string servers, bool& given_up) {
  std::vector<tcp::endpoint> found;
  try {
    co_await base::within(1h, look_up("silent.example", std::move(servers), found));
  } catch (const boost::system::system_error& e) {
    given_up = e.code() == asio::error::operation_aborted;
  }
}

}  // namespace

TEST_CASE("A numeric address is its own answer, and no name server is asked") {
  asio::io_context loop;
  NameServer silent{loop};
  for (const char* text : {"127.0.0.1", "::1"}) {
    std::vector<tcp::endpoint> found;
    tests::run(loop, look_up(text, silent.address(), found));
    REQUIRE(found.size() == 1);
    CHECK(found.front() == tcp::endpoint(asio::ip::make_address(text), 5347));
  }
  CHECK(silent.socket.available() == 0);
}

TEST_CASE("A name is looked up at the name server, with its port") {
  asio::io_context loop;
  NameServer server{loop};
  std::vector<tcp::endpoint> found;
  tests::run(loop, base::together(answer_twice(server), look_up("xmpp.example.", server.address(), found)));
  REQUIRE(found.size() == 1);
  CHECK(found.front() == tcp::endpoint(asio::ip::make_address("127.0.0.1"), 5347));
}

TEST_CASE("Look-ups at a name server that never answers hold up no other one, and end when they are cancelled") {
  asio::io_context loop;
  NameServer silent{loop}, server{loop};
  std::array<bool, 20> given_up{};
  std::vector<std::unique_ptr<asio::cancellation_signal>> stops;
  for (bool& done : given_up) {
    stops.push_back(std::make_unique<asio::cancellation_signal>());
    asio::co_spawn(loop, give_up(silent.address(), done),
                   asio::bind_cancellation_slot(stops.back()->slot(), [](std::exception_ptr) {}));
  }
  tests::run(loop, silent.receive());  // they are asked
  std::vector<tcp::endpoint> found;
  tests::run(loop, base::together(answer_twice(server), look_up("xmpp.example.", server.address(), found)));
  CHECK(found.size() == 1);
  CHECK(given_up == std::array<bool, 20>{});
  for (const auto& stop : stops) stop->emit(asio::cancellation_type::all);
  tests::run(loop, base::sleep(0s));
  while (loop.poll() > 0) {}
  for (const bool done : given_up) CHECK(done);
}

TEST_CASE("A name that a name server does not know is an error, not an empty answer") {
  asio::io_context loop;
  std::vector<tcp::endpoint> found;
  NameServer server{loop};
  CHECK_THROWS_AS(
      tests::run(loop, base::together(know_nothing(server), look_up("unknown.example.", server.address(), found))),
      boost::system::system_error);
}

TEST_CASE("A dialled socket is not inherited by children (FD_CLOEXEC)") {
  asio::io_context loop;
  tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  struct Script {
    static asio::awaitable<void> run(std::uint16_t port) {
      tcp::socket socket = co_await net::dial("127.0.0.1", port);
      tcp::socket bound = co_await net::dial_from("127.0.0.1", "127.0.0.1", port);
      for (const int fd : {socket.native_handle(), bound.native_handle()})
        CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    }
  };
  tests::run(loop, Script::run(acceptor.local_endpoint().port()));
}

TEST_CASE("Each attempt begins with another of a host's addresses") {
  const auto at = [](unsigned short port) { return tcp::endpoint(asio::ip::address_v4::loopback(), port); };
  const std::vector<tcp::endpoint> addresses = {at(1), at(2), at(3)};
  CHECK(net::in_turn(addresses, 0) == addresses);
  CHECK(net::in_turn(addresses, 1) == std::vector{at(2), at(3), at(1)});
  CHECK(net::in_turn(addresses, 5) == std::vector{at(3), at(1), at(2)});
  CHECK(net::in_turn({}, 5).empty());
}

#include "connectors/oscar/client/login.hpp"

#include "tests/unit/oscar/octets.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::oscar;
using std::chrono::seconds;
using tests::snac;

namespace {

struct Authoriser {
  Machine::Time now{seconds(1000)};
  Flap server, client;
  Login login;

  explicit Authoriser(LoginRequest::Method method = LoginRequest::Method::md5, bool replaces_others = false)
      : login(request(method, replaces_others), now) {}

  static LoginRequest request(LoginRequest::Method method, bool replaces_others) {
    LoginRequest request;
    request.name = "100001";
    request.password = base::Secret("secret01");
    request.method = method;
    request.replaces_others = replaces_others;
    return request;
  }

  void say(Channel channel, std::string_view data) { login.feed(server.frame(channel, data), now); }
  void greet() { say(Channel::hello, tests::octets("00000001")); }
  // What it has said since: each frame's data.
  std::vector<std::string> heard() {
    client.feed(login.take_output());
    std::vector<std::string> frames;
    while (auto frame = client.next()) frames.push_back(std::move(frame->data));
    return frames;
  }
  Snac heard_snac() {
    auto frames = heard();
    REQUIRE(!frames.empty());
    return read_snac(frames.back()).value();
  }
  void challenge(std::string_view text) {
    greet();
    heard();
    say(Channel::data, snac(0x17, 0x07, Writer().text16(text).octets(), 1));
  }
  Failed failed() {
    REQUIRE(login.ended());
    REQUIRE(std::holds_alternative<Failed>(login.result()));
    return std::get<Failed>(login.result());
  }
};

}  // namespace

TEST_CASE("The hash and the mask are those that servers make") {
  CHECK(base::to_hex(md5_answer("0123456789", "secret01")) == "9a45b84321a9518d36a44687013d7811");
  CHECK(base::to_hex(roast("secret01")) == "8043e2b65cf2eba3");
  CHECK(roast(roast("a password that is longer than the mask")) == "a password that is longer than the mask");
}

TEST_CASE("A login answers the challenge and brings the ticket") {
  Authoriser a;
  a.greet();
  const auto greeting = a.heard();
  REQUIRE(greeting.size() == 2);
  CHECK(greeting[0] == tests::octets("00000001"));  // no name in it: that would be the other way to log in
  const auto question = read_snac(greeting[1]).value();
  CHECK(question.is(0x17, 0x06));
  Reader asked(question.body);
  CHECK(*find(read_tlvs(asked), 0x01) == "100001");

  a.say(Channel::data, snac(0x17, 0x07, Writer().text16("0123456789").octets(), question.id));
  const Snac answer = a.heard_snac();
  CHECK(answer.is(0x17, 0x02));
  Reader in(answer.body);
  const Tlvs tlvs = read_tlvs(in);
  CHECK(base::to_hex(*find(tlvs, 0x25)) == "9a45b84321a9518d36a44687013d7811");
  CHECK(find(tlvs, 0x4C));
  CHECK(number(tlvs, 0x4A) == 1);  // the user's other programs stay

  const std::string reply = Writer().tlv(0x01, "100001").tlv(0x05, "10.0.0.1:5191").tlv(0x06, "cookie").take();
  a.say(Channel::data, snac(0x17, 0x03, reply, answer.id));
  REQUIRE(a.login.ended());
  const auto& ticket = std::get<Ticket>(a.login.result());
  CHECK(ticket.host == "10.0.0.1");
  CHECK(ticket.port == 5191);
  CHECK(ticket.cookie == "cookie");
}

TEST_CASE("A roasted login says all in its greeting and is answered by a close") {
  Authoriser a(LoginRequest::Method::roasted, true);
  a.greet();
  const auto heard = a.heard();
  REQUIRE(heard.size() == 1);
  Reader in(heard[0]);
  CHECK(in.u32() == 1);
  const Tlvs tlvs = read_tlvs(in);
  CHECK(base::to_hex(*find(tlvs, 0x02)) == "8043e2b65cf2eba3");
  CHECK_FALSE(find(tlvs, 0x4A));
  a.say(Channel::close, Writer().tlv(0x01, "100001").tlv(0x05, "bos").tlv(0x06, "c").octets());
  CHECK(std::get<Ticket>(a.login.result()).port == 5190);
}

TEST_CASE("A refusal says whether its owner, time or the operator can help") {
  const std::pair<int, Refusal> codes[] = {{0x01, Refusal::credentials}, {0x05, Refusal::credentials},
                                           {0x08, Refusal::credentials}, {0x11, Refusal::credentials},
                                           {0x18, Refusal::too_fast},    {0x1D, Refusal::too_fast},
                                           {0x1C, Refusal::client},      {0x14, Refusal::later}};
  for (const auto& [code, kind] : codes) {
    Authoriser a;
    a.challenge("x");
    const auto body = Writer().tlv(0x01, "100001").tlv16(0x08, static_cast<std::uint32_t>(code)).take();
    a.say(Channel::data, snac(0x17, 0x03, body, 2));
    REQUIRE(a.login.ended());
    const auto& refused = std::get<Refused>(a.login.result());
    CHECK(refused.kind == kind);
    CHECK(refused.code == code);
  }
  CHECK(to_sentence({Refusal::credentials, 5}) == "the name or the password is wrong (code 5)");
}

TEST_CASE("A server that ends before its challenge may know no challenges; later it does") {
  Authoriser early;
  early.greet();
  early.login.closed();
  CHECK(early.failed().is_method_unknown);
  Authoriser late;
  late.challenge("x");
  late.login.closed();
  CHECK_FALSE(late.failed().is_method_unknown);
  Authoriser deaf;
  deaf.login.closed();
  CHECK_FALSE(deaf.failed().is_method_unknown);
}

TEST_CASE("Silence, nonsense and endless values end a login") {
  Authoriser silent;
  CHECK(silent.login.next_tick() == silent.now + seconds(20));
  silent.login.tick(silent.now + seconds(20));
  CHECK(silent.failed().reason == "the server did not answer the login in time");

  Authoriser http;
  http.login.feed("HTTP/1.1 400 Bad Request", http.now);
  CHECK(http.failed().reason == "the server's framing is lost");

  Authoriser endless;
  endless.challenge(std::string(513, 'x'));
  CHECK(endless.failed().reason == "the server's challenge cannot be read");

  Authoriser nowhere;
  nowhere.challenge("x");
  nowhere.say(Channel::data, snac(0x17, 0x03, Writer().tlv(0x05, "a b:1").tlv(0x06, "c").octets()));
  CHECK(nowhere.failed().reason == "the server redirects to an address that cannot be read");

  Authoriser no_cookie;
  no_cookie.challenge("x");
  no_cookie.say(Channel::data, snac(0x17, 0x03, Writer().tlv(0x05, "a:1").octets()));
  CHECK_FALSE(no_cookie.failed().is_method_unknown);
}

TEST_CASE("Addresses of servers") {
  const auto address = [](std::string_view text) {
    const auto ticket = parse_address(text, 5190);
    return ticket ? ticket->host + " " + std::to_string(ticket->port) : std::string("none");
  };
  CHECK(address("bos.example.org:5191") == "bos.example.org 5191");
  CHECK(address("bos.example.org") == "bos.example.org 5190");
  CHECK(address("[::1]:5191") == "::1 5191");
  CHECK(address("::1") == "::1 5190");
  for (const char* bad : {"", ":5191", "host:", "host:0", "host:65536", "host:1x", "a/b:1", "a b"})
    CHECK(address(bad) == "none");
  CHECK(address(std::string(256, 'a')) == "none");
}

// xmpp::Component against a server that is played here, byte by byte, so that each of its answers comes when the test says.
#include "gateway/xmpp/component.hpp"

#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"
#include "tests/support/run.hpp"

#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::xmpp;

namespace {

Jid jid(std::string_view text) { return Jid::parse(text).value(); }

class Server {
 public:
  explicit Server(asio::io_context& loop) : acceptor_(loop, {asio::ip::address_v4::loopback(), 0}), socket_(loop) {}

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  // XEP-0114 §3.
  asio::awaitable<void> accept() {
    text_.clear();
    socket_ = co_await acceptor_.async_accept(asio::use_awaitable);
    co_await read_until("to='sms.test'>");
    co_await write("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='sms.test'>");
    co_await read_until("</handshake>");
    co_await write("<handshake/>");
  }
  // The id of the next ping.
  asio::awaitable<std::string> ping() {
    const std::string before = co_await read_until("<ping xmlns=");
    const auto begin = before.rfind("id=") + 4;
    co_return before.substr(begin, before.find_first_of("'\"", begin) - begin);
  }
  asio::awaitable<void> answer(std::string id) {
    co_await write("<iq type='result' from='x.test' to='sms.test' id='" + id + "'/>");
  }
  asio::awaitable<void> write(std::string text) { co_await asio::async_write(socket_, asio::buffer(text), asio::use_awaitable); }
  // What has come up to and including `end`.
  asio::awaitable<std::string> read_until(std::string end) {
    std::array<char, 4096> buffer;
    const auto space = asio::buffer(buffer);
    while (text_.find(end) == std::string::npos) text_.append(buffer.data(), co_await socket_.async_read_some(space, asio::use_awaitable));
    const auto size = text_.find(end) + end.size();
    std::string found = text_.substr(0, size);
    text_.erase(0, size);
    co_return found;
  }
  void cut() { socket_.close(); }

 private:
  asio::ip::tcp::acceptor acceptor_;
  asio::ip::tcp::socket socket_;
  std::string text_;
};

struct Link {
  explicit Link(std::chrono::seconds ping_limit = std::chrono::seconds(20)) {
    ComponentConfig config{.host = "127.0.0.1", .port = server.port(), .domain = jid("sms.test"), .server = jid("x.test"), .secret = base::Secret("secret")};
    config.ping_limit = ping_limit;
    ComponentEvents events;
    events.received = [this](Stanza stanza) { received.push_back(std::string(stanza.id())), changed.notify(); };
    events.connected = [this] { ++connections, changed.notify(); };
    events.disconnected = [this] { ++disconnections, changed.notify(); };
    events.confirmed = [this](Sequence sequence) { confirmed = sequence, changed.notify(); };
    component = std::make_unique<Component>(loop.get_executor(), std::move(config), std::move(events));
    tasks.spawn("link", component->run());
    run(server.accept());
    run(until([this] { return connections == 1; }));
  }
  ~Link() {
    tasks.cancel();
    run(tasks.join());
  }
  template <class Predicate>
  asio::awaitable<void> until(Predicate reached) {
    while (!reached()) co_await changed.wait();
  }
  void run(asio::awaitable<void> work) { tests::run(loop, std::move(work)); }
  std::string ping() {
    std::string id;
    run(store(server.ping(), id));
    return id;
  }
  static asio::awaitable<void> store(asio::awaitable<std::string> work, std::string& text) { text = co_await std::move(work); }
  Sequence send(const char* id) {
    return component->send(make_stanza(Kind::message, jid("a@sms.test"), jid("romeo@x.test"), "chat", id), Component::Track::yes);
  }

  asio::io_context loop;
  Server server{loop};
  base::Signal changed{loop.get_executor()};
  std::vector<std::string> received;
  int connections = 0, disconnections = 0;
  Sequence confirmed = 0;
  std::unique_ptr<Component> component;
  base::TaskGroup tasks{loop.get_executor()};
};

}  // namespace

TEST_CASE("A stanza is confirmed by the answer to a ping that was sent after the answer to its own, and not before (DECISIONS.md 3)") {
  Link link;
  const Sequence first = link.send("m1");
  const std::string one = link.ping();
  const Sequence second = link.send("m2");  // behind the first ping
  link.run(link.server.answer(one));
  const std::string two = link.ping();  // it answers to the first answer, so that has been dealt with
  CHECK(two != one);
  CHECK(link.confirmed == 0);
  link.run(link.server.answer(two));
  link.run(link.until([&] { return link.confirmed >= first; }));
  CHECK(link.confirmed < second);
  const std::string three = link.ping();
  link.run(link.server.answer(three));
  link.run(link.until([&] { return link.confirmed >= second; }));
}

TEST_CASE("What was confirmed by one ping only is not confirmed when the link breaks, and counts start again with the next (component.hpp)") {
  Link link;
  CHECK(link.send("m1") > 0);
  link.run(link.server.answer(link.ping()));
  (void)link.ping();
  link.server.cut();
  link.run(link.until([&] { return link.disconnections == 1; }));
  CHECK(link.confirmed == 0);
  CHECK(link.send("m1") == 0);  // not connected
  link.run(link.server.accept());
  link.run(link.until([&] { return link.connections == 2; }));
  CHECK(link.send("m1") == 1);
}

TEST_CASE("Where a ping went unanswered the next connection pings another address of the server, whose error is an answer (ejabberd, mod_privilege)") {
  Link link(std::chrono::seconds(1));
  const auto address = [&] {
    std::string text;
    link.run(Link::store(link.server.read_until("<ping xmlns="), text));
    const auto begin = text.rfind(" to=") + 5;
    return std::pair(text.substr(begin, text.find_first_of("'\"", begin) - begin), text.substr(text.rfind(" id=") + 5));
  };
  link.send("m1");
  CHECK(address().first == "x.test");
  link.run(link.until([&] { return link.disconnections == 1; }));
  link.run(link.server.accept());
  link.run(link.until([&] { return link.connections == 2; }));
  const Sequence sent = link.send("m1");
  for (int i = 0; i < 2; ++i) {
    const auto [to, rest] = address();
    CHECK(to == "x.test/wherry");
    const std::string id = rest.substr(0, rest.find_first_of("'\""));
    link.run(link.server.write("<iq type='error' from='x.test/wherry' to='sms.test' id='" + id + "'/>"));
  }
  link.run(link.until([&] { return link.confirmed >= sent; }));
}

TEST_CASE("An answer to another ping, or to an old one, confirms nothing") {
  Link link;
  link.send("m1");
  const std::string one = link.ping();
  link.run(link.server.answer("wherry-0-1"));
  link.run(link.server.answer(one));
  const std::string two = link.ping();
  link.run(link.server.answer(one));
  // The stanza behind the old answer is there: that answer has been dealt with.
  link.run(link.server.write("<message from='romeo@x.test/r' to='a@sms.test' id='marker'/>"));
  link.run(link.until([&] { return !link.received.empty() && link.received.back() == "marker"; }));
  CHECK(link.confirmed == 0);
  link.run(link.server.answer(two));
  link.run(link.until([&] { return link.confirmed == 1; }));
}

TEST_CASE("What would end the stream for everybody is withheld: a foreign from, no to (XEP-0114 §3, checklist B2.6, B2.7)") {
  Link link;
  CHECK(link.component->send(make_stanza(Kind::message, jid("a@other.test"), jid("romeo@x.test"), "chat", "m1")) == 0);
  Element lost("message", ns::component);
  lost.set("from", "a@sms.test");
  CHECK(link.component->send(lost) == 0);
  CHECK(link.send("m2") == 1);
  std::string came;
  link.run(Link::store(link.server.read_until("m2"), came));
  CHECK(came.find("m1") == std::string::npos);
  CHECK(came.find("other.test") == std::string::npos);
}

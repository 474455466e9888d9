// xmpp::Component against a server that is played here, byte by byte, so that each of its answers comes when the test
// says.
#include "gateway/xmpp/component.hpp"

#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"
#include "tests/support/component_server.hpp"
#include "tests/support/dial.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/run.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::tests;
using namespace wherry::xmpp;

namespace {

Jid jid(std::string_view text) { return Jid::parse(text).value(); }

struct Link {
  explicit Link(std::chrono::seconds ping_limit = std::chrono::seconds(20), std::size_t most_unconfirmed = 1 << 20,
                std::chrono::milliseconds barrier_delay = std::chrono::milliseconds(20)) {
    ComponentConfig config{.host = "127.0.0.1",
                           .port = server.port(),
                           .domain = jid("sms.test"),
                           .server = jid("x.test"),
                           .secret = base::Secret("secret")};
    config.ping_limit = ping_limit;
    config.most_unconfirmed_bytes = most_unconfirmed;
    config.barrier_delay = barrier_delay;
    ComponentEvents events;
    events.received = [this](Stanza stanza) {
      received.push_back(std::string(stanza.id())), last_from = stanza.from.str(), changed.notify();
    };
    events.connected = [this] { ++connections, changed.notify(); };
    events.disconnected = [this] { ++disconnections, changed.notify(); };
    events.writable = [this] { ++writable, changed.notify(); };
    events.confirmed = [this](Sequence sequence) { confirmed = sequence, changed.notify(); };
    component = std::make_unique<Component>(loop.get_executor(), std::move(config), tests::dial, std::move(events));
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
  static asio::awaitable<void> store(asio::awaitable<std::string> work, std::string& text) {
    text = co_await std::move(work);
  }
  Sequence send(const char* id) {
    return component
        ->send(make_stanza(Kind::message, jid("a@sms.test"), jid("romeo@x.test"), "chat", id), Component::Track::yes)
        .value();
  }

  asio::io_context loop;
  ComponentServer server{loop};
  base::Signal changed{loop.get_executor()};
  std::vector<std::string> received;
  std::string last_from;
  int connections = 0, disconnections = 0, writable = 0;
  Sequence confirmed = 0;
  std::unique_ptr<Component> component;
  base::TaskGroup tasks{loop.get_executor()};
};

}  // namespace

TEST_CASE(
    "A stanza is confirmed by the answer to a ping that was sent after the answer to its own, and not before "
    "(DECISIONS.md 3)") {
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

TEST_CASE(
    "What was confirmed by one ping only is not confirmed when the link breaks, and counts start again with the next "
    "(component.hpp)") {
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

TEST_CASE(
    "Where a ping went unanswered the next connection pings another address of the server, whose error is an answer "
    "(ejabberd, mod_privilege)") {
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

TEST_CASE(
    "What would end the stream for everybody is withheld: a foreign from, no to, too many bytes (XEP-0114 §3, "
    "checklist B2.6, B2.7)") {
  Link link;
  CHECK(link.component->send(make_stanza(Kind::message, jid("a@other.test"), jid("romeo@x.test"), "chat", "m1")) ==
        std::nullopt);
  Element lost("message", ns::component);
  lost.set("from", "a@sms.test");
  CHECK(link.component->send(lost) == std::nullopt);
  Element large = make_stanza(Kind::message, jid("a@sms.test"), jid("romeo@x.test"), "chat", "m1");
  large.add_text_child("body", std::string(600 << 10, 'x'));
  CHECK(link.component->send(large) == std::nullopt);
  CHECK(link.send("m2") == 1);
  std::string came;
  link.run(Link::store(link.server.read_until("m2"), came));
  CHECK(came.find("m1") == std::string::npos);
  CHECK(came.find("other.test") == std::string::npos);
}

TEST_CASE("An answer that is too large to be sent becomes an error, since each iq is answered (RFC 6120 §8.2.3)") {
  Link link;
  Element form = make_stanza(Kind::iq, jid("sms.test"), jid("romeo@x.test/orchard"), "result", "r1");
  form.add("query", ns::registration).add_text_child("instructions", std::string(600 << 10, 'x'));
  CHECK(link.component->send(form) == std::nullopt);
  std::string came;
  link.run(Link::store(link.server.read_until("</iq>"), came));
  const auto at = came.find("<iq");
  REQUIRE(at != std::string::npos);
  const auto answer =
      std::get<Element>(parse_document("<s xmlns='jabber:component:accept'>" + came.substr(at) + "</s>"))
          .children()
          .at(0);
  CHECK(answer.attribute("type") == "error");
  CHECK(answer.attribute("id") == "r1");
  CHECK(answer.attribute("to") == "romeo@x.test/orchard");
  CHECK(answer.child("error", ns::component)->child("resource-constraint", ns::stanza_errors));
}

TEST_CASE(
    "What was sent before close() is written to its end, however slowly the server reads, and the stream's end behind "
    "it (RFC 6120 §4.4)") {
  Link link;
  Element burst = make_stanza(Kind::message, jid("a@sms.test"), jid("romeo@x.test"), "chat", "m1");
  burst.add_text_child("body", std::string(400 << 10, 'x'));
  const auto send = [&](int count) {
    while (count-- > 0) REQUIRE(link.component->send(burst).value() > 0);
  };
  send(20);
  while (link.loop.poll() > 0) {}  // the socket has as much as it takes: this write is under way
  send(20);
  const std::chrono::seconds grace(60);
  link.tasks.spawn("close", link.component->close(grace));
  std::string came;
  link.run(Link::store(link.server.read_until("</stream:stream>"), came));
  CHECK(came.size() > 40 * (400 << 10));
}

TEST_CASE(
    "What is on its way when the stream is closed is still received, until the server has closed its side (RFC 6120 "
    "§4.4)") {
  Link link;
  bool closed = false;
  struct Close {
    static asio::awaitable<void> run(Link& link, bool& closed) {
      const std::chrono::seconds grace(60);
      co_await link.component->close(grace);
      closed = true;
      link.changed.notify();
    }
  };
  link.tasks.spawn("close", Close::run(link, closed));
  std::string came;
  link.run(Link::store(link.server.read_until("</stream:stream>"), came));
  link.run(link.server.write("<message from='romeo@x.test/r' to='a@sms.test' id='late'/>"));
  link.run(link.until([&] { return !link.received.empty(); }));
  CHECK(link.received.back() == "late");
  CHECK_FALSE(closed);
  CHECK(link.send("m1") == 0);  // nothing may follow the end of our stream
  link.run(link.server.write("</stream:stream>"));
  link.run(link.until([&] { return closed; }));
}

TEST_CASE("An answer to a ping that comes from somebody who was not asked confirms nothing") {
  Link link;
  link.send("m1");
  for (int i = 0; i < 2; ++i) {
    const std::string id = link.ping();
    link.run(link.server.write("<iq type='result' from='romeo@x.test/r' to='sms.test' id='" + id + "'/>"));
    link.run(link.server.write("<message from='romeo@x.test/r' to='a@sms.test' id='marker" + id + "'/>"));
    link.run(link.until(
        [&] { return std::find(link.received.begin(), link.received.end(), "marker" + id) != link.received.end(); }));
    CHECK(link.confirmed == 0);
    link.run(link.server.answer(id));
  }
  link.run(link.until([&] { return link.confirmed == 1; }));
}

TEST_CASE(
    "A device whose name our tables refuse is heard, and answered where it is: the server vouches for `from` (RFC 6120 "
    "§8.1.2.1)") {
  Link link;
  for (const char* resource : {"\u2764\uFE0F phone", "a\u00ADb", "\U0001FAE9"}) {
    const std::string from = std::string("romeo@x.test/") + resource;
    CAPTURE(from);
    link.received.clear();
    link.run(link.server.write("<message from='" + from + "' to='a@sms.test' id='m1'/>"));
    link.run(link.until([&] { return !link.received.empty(); }));
    CHECK(link.last_from == from);
    link.run(link.server.write("<message from='" + from + "' to='a b@sms.test' id='m2'/>"));
    std::string came;
    link.run(Link::store(link.server.read_until("</message>"), came));
    CHECK(came.find(from) != std::string::npos);
  }
}

TEST_CASE(
    "What may be dropped is on its way only up to a bound, until a ping has proven that the server worked it off") {
  Link link;
  Element presence = make_stanza(Kind::presence, jid("a@sms.test"), jid("romeo@x.test"), "", "");
  presence.add_text_child("status", std::string(900, 's'));
  int taken = 0;
  while (link.component->send_volatile(presence)) ++taken;
  CHECK(taken >= 64);
  CHECK(taken <= 72);
  CHECK(link.component->can_send());
  // it delays nothing
  CHECK(link.component->send(make_stanza(Kind::message, jid("a@sms.test"), jid("romeo@x.test"), "chat", "m1")) > 0);
  const std::string ping = link.ping();
  CHECK(link.server.before_ping.find("m1") != std::string::npos);
  CHECK(!link.component->can_send_volatile());  // written, but where is it?
  CHECK(link.writable == 0);
  link.run(link.server.answer(ping));
  link.run(link.until([&] { return link.writable == 1; }));
  CHECK(link.component->send_volatile(presence));
}

TEST_CASE("What may be dropped waits behind what may not, and is taken again once that is written") {
  Link link;
  Element large = make_stanza(Kind::message, jid("a@sms.test"), jid("romeo@x.test"), "chat", "m1");
  large.add_text_child("body", std::string(100 << 10, 'x'));
  CHECK(link.component->send(large) > 0);
  const Element presence = make_stanza(Kind::presence, jid("a@sms.test"), jid("romeo@x.test"), "", "");
  CHECK(!link.component->send_volatile(presence));
  std::string came;
  link.run(Link::store(link.server.read_until("</message>"), came));
  link.run(link.until([&] { return link.writable == 1; }));
  CHECK(link.component->send_volatile(presence));
}

TEST_CASE("A server that does not read costs bounded memory, whatever presence answers") {
  Link link;
  Element presence = make_stanza(Kind::presence, jid("a@sms.test"), jid("romeo@x.test"), "", "");
  presence.add_text_child("status", std::string(400 << 10, 's'));
  int taken = 0;
  while (taken < 1000 && link.component->send(presence).value() > 0) ++taken;
  CHECK(taken < 50);  // 16 MiB
  CHECK(link.send("m1") > 0);
}

TEST_CASE("A port that opens late is found within a second of its opening") {
  using std::chrono::steady_clock;
  auto best = steady_clock::duration::max();  // of some trials, since the machine may be busy in one
  for (int trial = 0; trial < 4 && best > std::chrono::seconds(1); ++trial) {
    asio::io_context loop;
    base::Signal changed(loop.get_executor());
    ComponentConfig config{.host = "127.0.0.1",
                           .port = ComponentServer(loop).port(),
                           .domain = jid("sms.test"),
                           .server = jid("x.test"),
                           .secret = base::Secret("secret")};
    int dialled = 0;
    bool connected = false;
    ComponentEvents events;
    events.received = [](Stanza) {};
    events.connected = [&] { connected = true, changed.notify(); };
    struct Count {
      static asio::awaitable<asio::ip::tcp::socket> dial(std::string host, std::uint16_t port, int& dialled,
                                                         base::Signal& changed) {
        ++dialled, changed.notify();
        co_return co_await tests::dial(std::move(host), port);
      }
      static asio::awaitable<void> until(const int& dialled, int count, base::Signal& changed) {
        while (dialled < count) co_await changed.wait();
      }
      static asio::awaitable<void> until(const bool& connected, base::Signal& changed) {
        while (!connected) co_await changed.wait();
      }
    };
    const auto port = config.port;
    Component component(
        loop.get_executor(), std::move(config),
        [&](std::string host, std::uint16_t p) { return Count::dial(std::move(host), p, dialled, changed); },
        std::move(events));
    base::TaskGroup tasks(loop.get_executor());
    tasks.spawn("link", component.run());
    // refused for a while, as long as growing pauses would need to be felt
    tests::run(loop, Count::until(dialled, 6, changed));
    loop.poll();
    ComponentServer server(loop, port);
    const auto opened = steady_clock::now();
    tests::run(loop, server.accept());
    tests::run(loop, Count::until(connected, changed));
    best = std::min<steady_clock::duration>(best, steady_clock::now() - opened);
    tasks.cancel();
    tests::run(loop, tasks.join());
  }
  CHECK(best <= std::chrono::seconds(1));
}

TEST_CASE("Stanzas that anybody can send fill no log: of each kind some lines, and how many were left out") {
  LogCapture log;
  Link link;
  const std::string not_ours = "<message from='evil@y.test' to='a@other.test'/>";
  const std::string invalid = "<message to='a@sms.test' from='@'/>";
  std::string refused = "<message from='evil@y.test' to='a@sms.test'>", flood;
  for (int depth = 0; depth < 40; ++depth) refused += "<a>";
  for (int depth = 0; depth < 40; ++depth) refused += "</a>";
  for (int i = 0; i < 500; ++i) flood += not_ours + invalid + refused + "</message>";
  link.run(link.server.write(flood + "<message from='romeo@x.test' to='a@sms.test' id='last'/>"));
  link.run(link.until([&] { return !link.received.empty(); }));
  for (const char* kind : {"stanza.not_ours", "stanza.invalid", "stanza.refused"}) {
    CAPTURE(kind);
    CHECK(log.count(std::string("warning ") + kind) >= 20);
    CHECK(log.count(std::string("warning ") + kind) < 100);
  }
}

TEST_CASE("A ping waits behind a full window, too: on ejabberd the wait is part of the proof (DECISIONS.md 3)") {
  Link link(std::chrono::seconds(20), 1000, std::chrono::hours(1));
  while (link.component->can_send_tracked()) link.send("m");
  for (const char* id : {"i1", "i2", "i3"}) {
    link.run(link.server.write("<message from='romeo@x.test' to='a@sms.test' id='" + std::string(id) + "'/>"));
    link.run(link.until([&] { return !link.received.empty() && link.received.back() == id; }));
  }
  link.component->send(make_stanza(Kind::message, jid("a@sms.test"), jid("romeo@x.test"), "chat", "last"));
  std::string written;
  link.run(Link::store(link.server.read_until("last"), written));
  CHECK(written.find("<ping") == std::string::npos);
}

TEST_CASE(
    "Of what is tracked so much is unconfirmed as a ping may wait behind, and half as much after one that waited too "
    "long") {
  Link link(std::chrono::seconds(2), 100'000);
  const auto fill = [&] {
    std::size_t bytes = 0;
    while (link.component->can_send_tracked()) {
      Element message = make_stanza(Kind::message, jid("a@sms.test"), jid("romeo@x.test"), "chat", "m");
      message.add_text_child("body", std::string(1000, 'x'));
      link.component->send(message, Component::Track::yes);
      bytes += 1000;
    }
    return bytes;
  };
  const std::size_t first = fill();
  CHECK(first > 80'000);
  CHECK(link.component->can_send());
  link.run(link.until([&] { return link.disconnections == 1; }));
  link.run(link.server.accept());
  link.run(link.until([&] { return link.connections == 2; }));
  const std::size_t second = fill();
  CHECK(second < first * 6 / 10);
  for (int i = 0; i < 4; ++i)
    link.run(link.server.write("<iq type='error' from='x.test/wherry' to='sms.test' id='" + link.ping() + "'/>"));
  link.run(link.until([&] { return link.writable > 0; }));
  CHECK(fill() > second);
}

#include "tests/unit/oscar/session_server.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::oscar;
using std::chrono::seconds;
using tests::acknowledgement;
using tests::message_to_send;
using tests::octets;
using tests::slow_rates;
using tests::snac;
using Server = tests::SessionServer;

TEST_CASE("A session shakes hands step by step, and is ready when the server has answered its last word") {
  Server s;
  CHECK(s.listen().empty());
  s.say(Channel::hello, octets("00000001"));
  s.client.feed(s.session.take_output());
  const auto greeting = s.client.next();
  REQUIRE(greeting);
  CHECK(greeting->data == octets("00000001 0006 0006") + "cookie");
  s.say(1, 0x03, octets("0001 0002 0003 0004 0009 0013 0015 7777"));
  CHECK(s.listen() == "0117");
  CHECK(s.last(1, 0x17).body == octets("00010003 00020001 00030001 00040001 00090001 00130004 00150001"));
  CHECK(s.session.offers(0x13));
  CHECK_FALSE(s.session.offers(0x7777));
  s.say(1, 0x13, octets("0004"));  // the message of the day comes at any time
  s.say(1, 0x18, "");
  CHECK(s.listen() == "0106");
  s.say(1, 0x07, slow_rates());
  CHECK(s.listen() == "0108 010e 0202 0302 0902 1302 1304");
  RosterItem alice;
  alice.name = "100002";
  alice.group_id = 1;
  alice.item_id = 5;
  s.say(0x13, 0x06, Writer().u8(0).u16(1).raw(write_items({alice})).u32(7).octets(), 0, 1);  // more follows
  CHECK(s.listen().empty());
  alice.name = "100003";
  alice.item_id = 6;
  s.say(0x13, 0x06, Writer().u8(0).u16(1).raw(write_items({alice})).u32(7).octets());
  CHECK(s.session.roster().contacts().size() == 2);
  CHECK(s.listen() == "1307 0402 0204 011e 0102 0404");
  s.say(3, 0x0B, tests::icq_user("100002"));
  CHECK(s.events().empty());  // who is there is told once we are
  s.say(4, 0x05, "", s.last(4, 0x04).id);
  CHECK(s.events() == "ready; news 2; ");
}

TEST_CASE("A connection for one service is ready once it knows the rates") {
  Machine::Time now{seconds(1000)};
  Flap server, client;
  OscarSession session("cookie", family::icons, SessionLimits{}, now);
  session.feed(server.frame(Channel::hello, octets("00000001")), now);
  session.feed(server.frame(Channel::data, snac(1, 0x03, octets("0001 0004 0010"))), now);
  session.feed(server.frame(Channel::data, snac(1, 0x18, "")), now);
  session.feed(server.frame(Channel::data, snac(1, 0x07, octets("0000"))), now);
  client.feed(session.take_output());
  std::string last;
  while (const auto frame = client.next()) last = frame->data;
  CHECK(last == snac(1, 0x02, octets("0001 0003 0110 08e4 0010 0001 0110 08e4"), 3));
  CHECK_FALSE(session.offers(family::messages));
  const auto events = session.take_events();
  REQUIRE(events.size() == 1);
  CHECK(std::holds_alternative<Ready>(events[0]));
}

TEST_CASE("A server without contact lists is enough") {
  Server s;
  s.say(Channel::hello, octets("00000001"));
  s.say(1, 0x03, octets("0001 0002 0004"));
  s.say(1, 0x18, "");
  s.say(1, 0x07, octets("0000"));
  s.listen();
  s.say(4, 0x05, "", s.last(4, 0x04).id);
  CHECK(s.events() == "ready; ");
}

TEST_CASE("Each step of the handshake has its limit, and the error says which") {
  Server silent;
  CHECK(silent.session.next_tick() == silent.now + seconds(20));
  silent.pass(seconds(20));
  CHECK(silent.events() == "ended: the server's greeting did not come in time; ");
  Server listless;
  listless.to_roster();
  listless.pass(seconds(19));
  CHECK(listless.events().empty());
  listless.pass(seconds(1));
  CHECK(listless.events() == "ended: the server's contact list did not come in time; ");
}

TEST_CASE("A message is settled by its acknowledgement, its refusal, or the end of patience") {
  Server s;
  s.log_in();
  const auto first = s.session.send(message_to_send(), true, s.now);
  const auto second = s.session.send(message_to_send("cookie02"), true, s.now);
  const auto third = s.session.send(message_to_send("cookie03"), true, s.now);
  CHECK(s.listen() == "0406 0406 0406");
  s.say(4, 0x0C, acknowledgement("cookie02"));  // without the number of the question
  s.say(4, 0x01, octets("0004"), first);
  CHECK(s.events() == "answer " + std::to_string(second) + "; answer " + std::to_string(first) + "; ");
  s.pass(seconds(14));
  CHECK(s.events().empty());
  s.pass(seconds(1));
  CHECK(s.events() == "unanswered " + std::to_string(third) + "; ");
  s.say(4, 0x0C, acknowledgement("cookie03"), third);  // too late
  CHECK(s.events().empty());
}

TEST_CASE("Where a server may keep silent, what is asked behind the message tells that it was taken") {
  Server s;
  s.log_in();
  const auto sent = s.session.send(message_to_send(), false, s.now);
  CHECK(s.listen() == "0406 0404");
  s.say(4, 0x05, "", s.last(4, 0x04).id);
  CHECK(s.events() == "presumed " + std::to_string(sent) + "; ");

  const auto refused = s.session.send(message_to_send("cookie02"), false, s.now);
  s.listen();
  s.say(4, 0x01, octets("0004"), refused);
  s.say(4, 0x05, "", s.last(4, 0x04).id);
  CHECK(s.events() == "answer " + std::to_string(refused) + "; ");
}

TEST_CASE("What the rates hold back goes later, in its order, and its patience begins then") {
  Server s;
  s.log_in(slow_rates());
  for (const char* cookie : {"cookie01", "cookie02", "cookie03", "cookie04", "cookie05"})
    s.session.send(message_to_send(cookie), true, s.now);
  CHECK(s.listen() == "0406 0406 0406");
  CHECK_FALSE(s.session.tell_at_once(4, 0x06, "x", s.now));
  CHECK(s.session.tell_at_once(4, 0x14, "x", s.now));  // of another class
  CHECK(s.listen() == "0414");
  for (const char* cookie : {"cookie01", "cookie02", "cookie03"}) s.say(4, 0x0C, acknowledgement(cookie));
  s.events();
  std::vector<std::string> later;
  for (int i = 0; i < 30 && later.size() < 2; ++i) {
    s.now = std::max(s.now, s.session.next_tick());
    s.session.tick(s.now);
    s.listen();
    for (const Snac& packet : s.heard) later.push_back(packet.body.substr(0, 8));
    for (const auto& cookie : later) s.say(4, 0x0C, acknowledgement(cookie.c_str()));
  }
  CHECK(later == std::vector<std::string>{"cookie04", "cookie05"});
  CHECK(s.events().find("unanswered") == std::string::npos);
}

TEST_CASE("At the end everybody hears whether the server may have it") {
  Server s;
  s.log_in(slow_rates());
  std::vector<std::uint32_t> ids;
  for (const char* cookie : {"cookie01", "cookie02", "cookie03", "cookie04"})
    ids.push_back(s.session.send(message_to_send(cookie), true, s.now));
  s.session.closed();
  const std::string events = s.events();
  CHECK(events.find("unanswered " + std::to_string(ids[0])) == 0);
  CHECK(events.find("unsent " + std::to_string(ids[3])) != std::string::npos);
  CHECK(events.ends_with("ended: the server closed the connection; "));
  CHECK(s.session.send(message_to_send(), true, s.now) == 0);
  CHECK(s.session.next_tick() == Machine::Time::max());
}

TEST_CASE("No more waits than there is room for") {
  Server s;
  s.log_in(slow_rates());
  std::size_t taken = 0;
  for (int i = 0; i < 1000; ++i) taken += s.session.send(message_to_send(), true, s.now) != 0 ? 1 : 0;
  CHECK(taken == 503);
}

TEST_CASE("Another login, a good-bye and a broken line differ") {
  const auto ended = [](std::string_view octets) {
    Server s;
    s.log_in();
    s.session.feed(octets, s.now);
    for (const auto& event : s.session.take_events()) {
      if (const auto* e = std::get_if<Ended>(&event)) return e->kind;
    }
    s.session.closed();
    for (const auto& event : s.session.take_events()) {
      if (const auto* e = std::get_if<Ended>(&event)) return e->kind;
    }
    throw std::runtime_error("it goes on");
  };
  CHECK(ended(Flap().frame(Channel::close, Writer().tlv16(0x09, 1).octets())) == Ended::Kind::other_login);
  CHECK(ended(Flap().frame(Channel::close)) == Ended::Kind::closed);
  CHECK(ended(octets("2a040007")) == Ended::Kind::closed);  // a close whose length is left out
  CHECK(ended("") == Ended::Kind::broken);
  CHECK(ended("nonsense") == Ended::Kind::broken);
  CHECK(ended(Flap().frame(Channel::data, "short")) == Ended::Kind::broken);
  CHECK(ended(Flap().frame(Channel::data, snac(0x13, 0x19, octets("ffff"), 0, 0x8000))) == Ended::Kind::broken);
}

TEST_CASE("The line is kept alive, and a frame that never ends does not keep the login alive") {
  Server s;
  s.log_in();
  s.pass(seconds(59));
  CHECK(s.listen().empty());
  s.pass(seconds(1));
  CHECK(s.listen() == "ch5");
  Server partial;
  partial.session.feed(octets("2a02 0001 ffff 00"), partial.now);
  partial.pass(seconds(20));
  CHECK(partial.events() == "ended: the server's greeting did not come in time; ");
}

TEST_CASE("Lists that another program changes are ours too") {
  Server s;
  s.log_in();
  RosterItem item;
  item.name = "100004";
  item.group_id = 1;
  item.item_id = 9;
  s.say(0x13, 0x08, write_items({item}), 0x80000001);
  CHECK(s.session.roster().contact("100004"));
  s.say(0x13, 0x0A, write_items({item}), 0x80000002);
  CHECK_FALSE(s.session.roster().contact("100004"));
  CHECK(s.events() == "news 5; news 5; ");
}

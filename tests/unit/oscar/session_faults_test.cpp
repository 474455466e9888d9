// What a session makes of servers that do not do as others do.
#include "tests/unit/oscar/session_server.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::oscar;
using std::chrono::milliseconds;
using std::chrono::seconds;
using tests::message_to_send;
using tests::octets;
using Server = tests::SessionServer;

TEST_CASE("A message whose packet happens to have the number of a question is a message") {
  Server s;
  s.log_in();
  const auto id = s.session.ask(0x13, 0x08, "x", s.now);
  s.say(4, 0x07, tests::text_from(tests::icq_user("100002"), "hi"), id);
  CHECK(s.events() == "news 1; ");
  s.say(0x13, 0x08, "", id);  // nor is another's change of the list
  CHECK(s.events().empty());
  s.say(0x13, 0x0E, octets("0000"), id);
  CHECK(s.events() == "answer " + std::to_string(id) + "; ");
}

TEST_CASE("A question is answered by its family's error, too") {
  Server s;
  s.log_in();
  const auto id = s.session.ask(2, 0x05, "x", s.now);
  s.say(2, 0x01, octets("0004"), id);
  CHECK(s.events() == "answer " + std::to_string(id) + "; ");
}

TEST_CASE("A server whose contact lists are out of order carries messages") {
  Server s;
  s.to_roster();
  s.listen();
  const auto asked = s.last(0x13, 0x04).id;
  s.say(0x13, 0x01, octets("0005"), asked - 1);  // its limits are not known: the list may come all the same
  CHECK(s.listen().empty());
  s.say(0x13, 0x01, octets("0005"), asked);
  CHECK(s.listen() == "0402 0204 011e 0102 0404");
  CHECK_FALSE(s.session.offers(family::lists));
  s.say(4, 0x05, "", s.last(4, 0x04).id);
  CHECK(s.events() == "ready; ");
}

TEST_CASE("Questions that nobody is in a hurry for leave the user's next messages their room") {
  Writer rates;  // open-oscar-server counts away texts with the messages
  rates.u16(1).u16(3).u32(20).u32(5100).u32(5000).u32(4000).u32(3000).u32(6000).u32(6000).u32(0).u8(0);
  rates.u16(3).u16(2).u16(4).u16(6).u16(2).u16(5);
  Server s;
  s.log_in(rates.octets());
  const auto begun = s.now;
  for (int i = 0; i < 20; ++i) {
    s.now = s.session.when_spare(2, 0x05, s.now);
    const auto id = s.session.ask(2, 0x05, "", s.now);
    CHECK(s.listen() == "0205");
    s.say(2, 0x06, "", id);
  }
  CHECK(s.now - begun < std::chrono::minutes(3));
  for (const char* cookie : {"cookie01", "cookie02", "cookie03"}) s.session.send(message_to_send(cookie), true, s.now);
  CHECK(s.listen() == "0406 0406 0406");
  s.session.send(message_to_send("cookie04"), true, s.now);
  CHECK(s.session.when_spare(2, 0x05, s.now) > s.now);
  CHECK(s.session.when_spare(1, 0x02, s.now) == s.now);  // of no class
}

TEST_CASE("Room for three that a server never gives is not waited for") {
  Server s;
  Writer rates;
  rates.u16(1).u16(3).u32(20).u32(5900).u32(5850).u32(4000).u32(3000).u32(6000).u32(6000).u32(0).u8(0);
  rates.u16(3).u16(2).u16(4).u16(6).u16(2).u16(5);
  s.log_in(rates.octets());
  for (int i = 0; i < 3; ++i) {
    const auto due = s.session.when_spare(2, 0x05, s.now);
    CHECK(due - s.now <= std::chrono::seconds(20));
    s.now = due;
    s.session.tell(2, 0x05, "", s.now);
    CHECK(s.listen() == "0205");
  }
}

TEST_CASE("A list that ends before its count is not whole") {
  Server s;
  s.to_roster();
  s.say(0x13, 0x06,
        octets("00 0002") + write_items({RosterItem{"100002", 1, 1, RosterItem::contact, {}}}) + octets("00000001"));
  CHECK_FALSE(s.session.has_whole_roster());
  CHECK(s.session.roster().contacts().size() == 1);
}

// The server has given it away (tests/simulation, seed 147 over oscar).
TEST_CASE("A message that comes before the session is ready is told also where it never gets ready") {
  Server s;
  s.to_roster();
  s.say(0x13, 0x06, octets("00 0000 00000000"));
  s.say(3, 0x0B, tests::icq_user("100002"));  // counts only while the session is there
  s.say(4, 0x07, tests::text_from(tests::icq_user("100002"), "hi"));
  CHECK(s.events().empty());
  s.pass(seconds(20));
  const std::string events = s.events();
  CHECK(events.find("news 1; ended: the server's answer at the end of the login") != std::string::npos);
  CHECK(events.find("news 2;") == std::string::npos);
}

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

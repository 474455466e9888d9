#include "connectors/msn/client/switchboard.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::msn;
using namespace std::chrono_literals;

namespace {

const Time noon = Time() + 12h;

template <class E>
std::vector<E> all_in(const std::vector<SwitchboardEvent>& events) {
  std::vector<E> found;
  for (const auto& event : events) {
    if (const auto* it = std::get_if<E>(&event)) found.push_back(*it);
  }
  return found;
}

Switchboard opened() {
  Switchboard board = Switchboard::create("romeo@x.test", "key", noon);
  board.feed("USR 1 OK romeo@x.test Romeo\r\n", noon);
  board.protocol().take_output();
  board.take_events();
  return board;
}

Switchboard joined() {
  Switchboard board = opened();
  board.call("juliet@x.test", noon);
  board.feed("CAL 2 RINGING a9e2\r\nJOI juliet@x.test Jul%20iet 49152\r\n", noon);
  board.protocol().take_output();
  board.take_events();
  return board;
}

}  // namespace

TEST_CASE("A conversation is opened with a key, and somebody is called into it") {
  Switchboard board = Switchboard::create("romeo@x.test", "key", noon);
  CHECK(board.protocol().take_output() == "USR 1 romeo@x.test key\r\n");
  CHECK_FALSE(board.is_open());
  board.feed("USR 1 OK romeo@x.test Romeo\r\n", noon);
  CHECK(board.is_open());
  board.call("juliet@x.test", noon);
  CHECK(board.protocol().take_output() == "CAL 2 juliet@x.test\r\n");
  board.feed("CAL 2 RINGING a9e2e3\r\n", noon);
  CHECK_FALSE(board.has("juliet@x.test"));
  board.feed("JOI Juliet@x.test Jul%20iet\r\n", noon);
  CHECK(board.has("juliet@x.test"));
  CHECK(board.others().at("juliet@x.test") == "Jul iet");
}

TEST_CASE("An invitation is followed: who is in comes before the answer") {
  Switchboard board = Switchboard::answer("romeo@x.test", "key", "92c0f2", noon);
  CHECK(board.protocol().take_output() == "ANS 1 romeo@x.test key 92c0f2\r\n");
  board.feed("IRO 1 1 2 bob@x.test Bob 49152\r\nIRO 1 2 2 carol@x.test Carol 0\r\nANS 1 OK\r\n", noon);
  CHECK(board.is_open());
  CHECK(board.others().size() == 2);
}

TEST_CASE("A message is acknowledged, refused, or neither") {
  Switchboard board = joined();
  const auto first = board.send("a", Acknowledgement::requested, noon);
  CHECK(board.protocol().take_output() == "MSG 3 A 1\r\na");
  board.send("b", Acknowledgement::none, noon);
  CHECK(board.protocol().take_output() == "MSG 4 U 1\r\nb");
  const auto third = board.send("c", Acknowledgement::requested, noon);
  const auto fourth = board.send("d", Acknowledgement::requested, noon);
  board.feed("ACK 3\r\nNAK 5\r\n", noon);
  board.tick(noon + 15s);
  const auto events = board.take_events();
  REQUIRE(all_in<Acknowledged>(events).size() == 1);
  CHECK(all_in<Acknowledged>(events)[0].transaction == first);
  REQUIRE(all_in<NotDelivered>(events).size() == 2);
  CHECK(all_in<NotDelivered>(events)[0].transaction == third);
  CHECK_FALSE(all_in<NotDelivered>(events)[0].is_silence);
  CHECK(all_in<NotDelivered>(events)[1].transaction == fourth);
  CHECK(all_in<NotDelivered>(events)[1].is_silence);
}

TEST_CASE("Who cannot be called is told with the error; a call without an answer, too") {
  Switchboard board = opened();
  board.call("juliet@x.test", noon);
  board.call("nurse@x.test", noon);
  board.feed("217 2\r\n", noon);
  board.tick(noon + 15s);
  const auto refused = all_in<CallRefused>(board.take_events());
  REQUIRE(refused.size() == 2);
  CHECK(refused[0].email == "juliet@x.test");
  CHECK(refused[0].error == 217);
  CHECK(refused[1].email == "nurse@x.test");
  CHECK(refused[1].error == 0);
  CHECK(board.is_open());
}

TEST_CASE("Who leaves is no longer there, and who never was has not left") {
  Switchboard board = joined();
  board.feed("BYE juliet@x.test 1\r\nBYE nobody@x.test\r\n", noon);
  CHECK(all_in<Left>(board.take_events()).size() == 1);
  CHECK(board.others().empty());
  CHECK(board.is_open());
}

TEST_CASE("What is heard has its sender and its payload") {
  Switchboard board = joined();
  board.feed("MSG Juliet@x.test Jul%20iet 5\r\nhello", noon);
  const auto heard = all_in<Heard>(board.take_events());
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].email == "juliet@x.test");
  CHECK(heard[0].payload == "hello");
}

TEST_CASE("A wrong key ends a switchboard, and so does silence") {
  Switchboard refused = Switchboard::create("romeo@x.test", "key", noon);
  refused.feed("911 1\r\n", noon);
  CHECK(refused.protocol().how_ended() == End::refused);
  Switchboard silent = Switchboard::create("romeo@x.test", "key", noon);
  silent.tick(noon + 14s);
  CHECK_FALSE(silent.protocol().ended());
  silent.tick(noon + 15s);
  CHECK(silent.protocol().how_ended() == End::silent);
}

TEST_CASE("A message under way when a switchboard ends has no answer") {
  Switchboard board = joined();
  board.send("a", Acknowledgement::requested, noon);
  board.protocol().end(End::lost, "cut");
  board.tick(noon);
  const auto lost = all_in<NotDelivered>(board.take_events());
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].is_silence);
}

// MSNP16 and later: a person's programs are told apart by a GUID behind the address.
TEST_CASE("A person who is there with several programs is one, and is there until the last word on them") {
  Switchboard board = opened();
  board.call("juliet@x.test", noon);
  board.feed(
      "CAL 2 RINGING a9e2\r\nJOI juliet@x.test;{f552d7cd-afeb-4773-94b2-65350b660c88} J 0\r\n"
      "JOI juliet@x.test J 0\r\n",
      noon);
  CHECK(board.others().size() == 1);
  CHECK(board.has("juliet@x.test"));
  board.take_events();
  board.feed("MSG juliet@x.test;{f552d7cd-afeb-4773-94b2-65350b660c88} J 2\r\nhi", noon);
  const auto heard = all_in<Heard>(board.take_events());
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].email == "juliet@x.test");
  CHECK_FALSE(heard[0].is_to_several);
  board.feed("BYE juliet@x.test;{f552d7cd-afeb-4773-94b2-65350b660c88}\r\n", noon);
  CHECK(board.has("juliet@x.test"));
  board.feed("BYE juliet@x.test\r\n", noon);
  CHECK_FALSE(board.has("juliet@x.test"));
}

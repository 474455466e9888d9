// Every transaction has a time limit, whatever it is: servers stumble, and then say nothing.
#include "connectors/msn/client/notification.hpp"
#include "connectors/msn/client/switchboard.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::msn;
using namespace std::chrono_literals;

namespace {

const Time start = Time() + 1h;

template <class E, class Variant>
std::vector<E> those(const std::vector<Variant>& events) {
  std::vector<E> found;
  for (const auto& event : events) {
    if (const auto* it = std::get_if<E>(&event)) found.push_back(*it);
  }
  return found;
}

Notification signed_in() {
  Notification machine("romeo@x.test", start);
  machine.feed("VER 1 MSNP12\r\nCVR 2 a b c d e\r\nUSR 3 TWN S p\r\n", start);
  machine.give_ticket("t", start);
  machine.feed("USR 4 OK romeo@x.test 1 0\r\nSYN 5 0 0 0 0\r\n", start);
  machine.take_events();
  return machine;
}

}  // namespace

TEST_CASE("Each step of a login that is not answered ends it after fifteen seconds") {
  const std::vector<std::pair<const char*, const char*>> steps = {
      {"VER", ""},
      {"CVR", "VER 1 MSNP12\r\n"},
      {"USR", "VER 1 MSNP12\r\nCVR 2 a b c d e\r\n"},
      {"USR", "VER 1 MSNP12\r\nCVR 2 a b c d e\r\nUSR 3 TWN S p\r\n"},
      {"SYN", "VER 1 MSNP12\r\nCVR 2 a b c d e\r\nUSR 3 TWN S p\r\n"},
  };
  for (const auto& [name, words] : steps) {
    CAPTURE(name);
    Notification machine("romeo@x.test", start);
    machine.feed(words, start);
    machine.give_ticket("t", start);
    if (name == std::string("SYN")) machine.feed("USR 4 OK romeo@x.test 1 0\r\n", start);
    CHECK(machine.next_tick() <= start + transaction_limit);
    machine.tick(start + transaction_limit - 1ms);
    CHECK_FALSE(machine.protocol().ended());
    machine.tick(start + transaction_limit);
    REQUIRE(machine.protocol().ended());
    CHECK(machine.protocol().how_ended() == End::silent);
    CHECK(machine.protocol().why().find(name) != std::string::npos);
  }
}

TEST_CASE("Each request of a session that is not answered fails alone after fifteen seconds") {
  for (const char* name : {"CHG", "UUX", "PRP", "ADC", "REM", "SBP", "BLP", "XFR", "ADG", "RMG", "REG"}) {
    CAPTURE(name);
    Notification machine = signed_in();
    const auto number = machine.request(name, {"x"}, start);
    machine.feed("NLN BSY juliet@x.test J 0\r\nQNG 60\r\n", start + 10s);  // of which nothing is the answer
    machine.take_events();
    CHECK(machine.next_tick() <= start + transaction_limit);
    machine.tick(start + transaction_limit - 1ms);
    CHECK(machine.take_events().empty());
    machine.tick(start + transaction_limit);
    const auto unanswered = those<Unanswered>(machine.take_events());
    REQUIRE(unanswered.size() == 1);
    CHECK(unanswered[0].transaction == number);
    CHECK(machine.is_ready());
  }
}

TEST_CASE("Each step of a conversation that is not answered ends what it was for after fifteen seconds") {
  Switchboard made = Switchboard::create("romeo@x.test", "k", start),
              answered = Switchboard::answer("romeo@x.test", "k", "s", start);
  for (Switchboard* board : {&made, &answered}) {
    CHECK(board->next_tick() <= start + transaction_limit);
    board->tick(start + transaction_limit);
    CHECK(board->protocol().how_ended() == End::silent);
  }

  Switchboard board = Switchboard::create("romeo@x.test", "k", start);
  board.feed("USR 1 OK romeo@x.test R\r\n", start);
  board.call("juliet@x.test", start);
  board.tick(start + transaction_limit);
  const auto refused = those<CallRefused>(board.take_events());
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].error == 0);
  const auto number = board.send("x", Acknowledgement::requested, start + 1min);
  board.send("y", Acknowledgement::none, start + 1min);
  board.tick(start + 1min + transaction_limit);
  const auto lost = those<NotDelivered>(board.take_events());
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].transaction == number);
  CHECK(lost[0].is_silence);
  CHECK(board.is_open());
}

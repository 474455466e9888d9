// The list after a login, as the server says it.
#include "tests/unit/msn/talk.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::msn;
using namespace wherry::tests;

TEST_CASE("A line of the list that names nobody is counted, and passed over with its numbers") {
  Talk talk;
  talk.sign_in(
      "SYN 5 0 0 3 0\r\nLST N=a@x.test F=a 2 1 \r\nLST F=Mary C=22222222-0000 1 1 \r\nBPR PHH 1\r\n"
      "LST N=juliet@x.test F=J C=33333333-0000 3 1 \r\n");
  REQUIRE(talk.all<SignedIn>().size() == 1);
  const Roster roster = talk.all<SignedIn>()[0].roster;
  CHECK(roster.unread == 0);
  CHECK(roster.unshown == 1);
  REQUIRE(roster.members.size() == 2);
  CHECK(roster.members[0].phones.empty());
  CHECK(roster.members[1].email == "juliet@x.test");
}

TEST_CASE("A line of the list is of somebody who cannot be shown, or it is not understood and may be anybody's") {
  for (const char* line : {"N=tel:+15550100 F=T C=g 3 1 ", "N=a%2Cb@x.test F=T 3 1 ", "F=Mary C=22222222-0000 1 1 "}) {
    Talk talk;
    talk.sign_in(std::string("SYN 5 0 0 1 0\r\nLST ") + line + "\r\n");
    REQUIRE(talk.all<SignedIn>().size() == 1);
    CHECK(talk.all<SignedIn>()[0].roster.unshown == 1);
    CHECK(talk.all<SignedIn>()[0].roster.unread == 0);
    CHECK(talk.all<SignedIn>()[0].roster.members.empty());
  }
  for (const char* line : {"nonsense", "N=a@x.test F=a many 1", "N=a@x.test F=a", "F=Mary 1"}) {
    Talk talk;
    talk.sign_in(std::string("SYN 5 0 0 1 0\r\nLST ") + line + "\r\n");
    REQUIRE(talk.all<SignedIn>().size() == 1);
    CHECK(talk.all<SignedIn>()[0].roster.unread == 1);
  }
}

TEST_CASE("A contact is on the list, however many people of the other lists stand before it") {
  Talk talk;
  std::string lines = "SYN 5 0 0 6001 0\r\n";
  for (int i = 0; i < 6000; ++i) lines += "LST N=s" + std::to_string(i) + "@x.test F=s 8 1 \r\n";
  talk.sign_in(lines + "LST N=juliet@x.test F=J C=22222222-0000 3 1 \r\n");
  REQUIRE(talk.all<SignedIn>().size() == 1);
  const Roster roster = talk.all<SignedIn>()[0].roster;
  CHECK(roster.members.back().email == "juliet@x.test");
  CHECK(roster.members.size() == 5001);
  CHECK(roster.left_out == 1000);
}

TEST_CASE("A list that does not end ends the session within a minute") {
  Talk talk;
  talk.sign_in("SYN 5 0 0 3 0\r\nLST N=a@x.test F=a 2 1 \r\n");
  CHECK_FALSE(talk.machine.is_ready());
  talk.passes(59s);
  CHECK_FALSE(talk.machine.protocol().ended());
  talk.passes(1s);
  CHECK(talk.ended_as(End::silent));
}

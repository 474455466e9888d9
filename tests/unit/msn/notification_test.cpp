#include "tests/unit/msn/talk.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::msn;
using namespace wherry::tests;

TEST_CASE("A login goes by versions, program, name and ticket, and ends with the whole list") {
  Talk talk;
  CHECK(talk.sent() == "VER 1 MSNP12 MSNP11 CVR0\r\n");
  talk.says("VER 1 MSNP12\r\n");
  CHECK(talk.sent() == "CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 7.5.0324 msmsgs romeo@x.test\r\n");
  talk.says("CVR 2 7.5.0324 7.5.0324 7.5.0324 u u\r\n");
  CHECK(talk.sent() == "USR 3 TWN I romeo@x.test\r\n");
  talk.says("USR 3 TWN S ct=1,rver=1,wp=FS_40SEC_0_COMPACT,lc=1,id=1\r\n");
  REQUIRE(talk.all<TicketAsked>().size() == 1);
  CHECK(talk.all<TicketAsked>()[0].policy == "ct=1,rver=1,wp=FS_40SEC_0_COMPACT,lc=1,id=1");
  CHECK(talk.sent().empty());
  talk.machine.give_ticket("t=abc", talk.now);
  CHECK(talk.sent() == "USR 4 TWN S t=abc\r\n");
  talk.says("USR 4 OK romeo@x.test 1 0\r\nSBS 0 null\r\nMSG Hotmail Hotmail 2\r\n\r\n");
  CHECK(talk.sent() == "SYN 5 0 0\r\n");
  talk.says(
      "SYN 5 2000-01-01T00:00:00.0-00:00 2000-01-01T00:00:00.0-00:00 2 1\r\nGTC A\r\nBLP BL\r\n"
      "PRP MFN Romeo%20M\r\nLSG Family%20and%20all 11111111-0000\r\n"
      "LST N=Juliet@x.test F=Jul%20iet C=22222222-0000 11 1 11111111-0000\r\nBPR PHH 1\r\n");
  CHECK(talk.all<SignedIn>().empty());
  talk.says("LST N=nurse@x.test F=nurse@x.test 16 1 \r\n");
  REQUIRE(talk.all<SignedIn>().size() == 1);
  const Roster roster = talk.all<SignedIn>()[0].roster;
  CHECK(roster.name == "Romeo M");
  CHECK_FALSE(roster.allows_others);
  CHECK(roster.groups.at("11111111-0000") == "Family and all");
  REQUIRE(roster.members.size() == 2);
  CHECK(roster.members[0] ==
        Member{"juliet@x.test", "Jul iet", "22222222-0000", 11, {"11111111-0000"}, {{"PHH", "1"}}});
  CHECK(roster.members[1] == Member{"nurse@x.test", "nurse@x.test", "", 16, {}});
  CHECK(talk.machine.is_ready());
}

TEST_CASE("A server that has no MSNP12 is spoken to in MSNP11, whose lists have no types") {
  Talk talk;
  talk.says("VER 1 MSNP11\r\nCVR 2 a b c d e\r\nUSR 3 TWN S p\r\n");
  talk.machine.give_ticket("t", talk.now);
  talk.says("USR 4 OK romeo@x.test 1 0\r\nSYN 5 0 0 1 0\r\nLST N=a@x.test F=A C=22222222-0000 3 11111111-0000\r\n");
  CHECK(talk.machine.version() == 11);
  REQUIRE(talk.all<SignedIn>().size() == 1);
  CHECK(talk.all<SignedIn>()[0].roster.members.at(0) == Member{"a@x.test", "A", "22222222-0000", 3, {"11111111-0000"}});
}

TEST_CASE("A server that has neither is left") {
  Talk talk;
  talk.says("VER 1 0\r\n");
  CHECK(talk.ended_as(End::broken));
}

TEST_CASE("A redirection can come at every step of a login") {
  for (const char* words :
       {"XFR 1 NS ns2.x.test:1863 0 1.2.3.4:1863\r\n", "VER 1 MSNP12\r\nXFR 2 NS ns2.x.test:1863 0\r\n",
        "VER 1 MSNP12\r\nCVR 2 a b c d e\r\nXFR 3 NS ns2.x.test:1863 0 a\r\n"}) {
    Talk talk;
    talk.says(words);
    REQUIRE(talk.all<Redirected>().size() == 1);
    CHECK(talk.all<Redirected>()[0].server == "ns2.x.test:1863");
    CHECK(talk.ended_as(End::closed));
  }
}

TEST_CASE("An error ends a login, and is told by its number") {
  Talk talk;
  talk.to_ticket();
  talk.machine.give_ticket("wrong", talk.now);
  talk.says("911 4\r\n");
  CHECK(talk.ended_as(End::refused));
  CHECK(talk.machine.refusal() == 911);
}

TEST_CASE("Silence ends a login within fifteen seconds, at every step") {
  for (const char* words : {"", "VER 1 MSNP12\r\n", "VER 1 MSNP12\r\nCVR 2 a b c d e\r\n"}) {
    Talk talk;
    talk.says(words);
    talk.passes(14s);
    CHECK_FALSE(talk.machine.protocol().ended());
    CHECK(talk.machine.next_tick() <= begin + 15s);
    talk.passes(1s);
    CHECK(talk.ended_as(End::silent));
  }
}

TEST_CASE("A request that is not answered fails alone") {
  Talk talk;
  talk.sign_in();
  const auto number = talk.machine.request("XFR", {"SB"}, talk.now);
  talk.passes(15s);
  REQUIRE(talk.all<Unanswered>().size() == 1);
  CHECK(talk.all<Unanswered>()[0].transaction == number);
  CHECK(talk.machine.is_ready());
  talk.says("XFR " + std::to_string(number) + " SB 127.0.0.1:1864 CKI k\r\n");  // too late: nobody's answer
  CHECK(talk.all<Answered>().empty());
}

TEST_CASE("What carries a number and is no answer is none: ILN after CHG and ADC") {
  Talk talk;
  talk.sign_in();
  const auto number = std::to_string(talk.machine.request("CHG", {"NLN", "0"}, talk.now));
  talk.says("ILN " + number + " BSY juliet@x.test Jul%20iet 0 %3Cmsnobj%2F%3E\r\nCHG " + number + " NLN 0\r\n");
  REQUIRE(talk.all<StatusChanged>().size() == 1);
  CHECK(talk.all<StatusChanged>()[0].email == "juliet@x.test");
  CHECK(talk.all<StatusChanged>()[0].code == "BSY");
  CHECK(talk.all<StatusChanged>()[0].name == "Jul iet");
  CHECK(talk.all<StatusChanged>()[0].object == "<msnobj/>");
  REQUIRE(talk.all<Answered>().size() == 1);
  CHECK(talk.all<Answered>()[0].command.name == "CHG");
}

TEST_CASE("Presence, messages of a person's own, and who added or removed us") {
  Talk talk;
  talk.sign_in();
  talk.says(
      "NLN AWY Juliet@x.test Juliet 0\r\nFLN juliet@x.test\r\nUBX juliet@x.test 3\r\n<D>"
      "ADC 0 RL N=nurse@x.test F=The%20Nurse\r\nREM 0 RL nurse@x.test\r\nREM 0 RL N=Nurse@x.test\r\n");
  const auto statuses = talk.all<StatusChanged>();
  REQUIRE(statuses.size() == 2);
  CHECK(statuses[0].email == "juliet@x.test");
  CHECK(statuses[0].code == "AWY");
  CHECK(statuses[1].code == "FLN");
  REQUIRE(talk.all<PersonalMessageChanged>().size() == 1);
  CHECK(talk.all<PersonalMessageChanged>()[0].xml == "<D>");
  REQUIRE(talk.all<AddedUs>().size() == 1);
  CHECK(talk.all<AddedUs>()[0].name == "The Nurse");
  REQUIRE(talk.all<RemovedUs>().size() == 2);
  for (const RemovedUs& removed : talk.all<RemovedUs>()) CHECK(removed.email == "nurse@x.test");
}

TEST_CASE("Numbers are of the member before them, of the last one also behind the list, and later of whom they name") {
  Talk talk;
  talk.sign_in(
      "SYN 5 0 0 2 0\r\nLST N=a@x.test F=a 2 1 \r\nBPR PHH 1%202\r\nBPR MOB Y\r\nLST N=b@x.test F=b 2 1 \r\nBPR PHW "
      "3\r\n"
      "BPR B@x.test PHM 4\r\nBPR b@x.test PHM \r\nBPR\r\nBPR a b c d\r\n");
  REQUIRE(talk.all<SignedIn>().size() == 1);
  CHECK(talk.all<SignedIn>()[0].roster.members.at(0).phones.at("PHH") == "1 2");
  const auto changed = talk.all<PhoneChanged>();
  REQUIRE(changed.size() == 3);
  CHECK(changed[0].phone.email == "b@x.test");
  CHECK(changed[0].phone.kind == "PHW");
  CHECK(changed[1].phone.number == "4");
  CHECK(changed[2].phone.number.empty());
}

TEST_CASE("An invitation has the server, the key and a session that need not be a number") {
  Talk talk;
  talk.sign_in();
  talk.says("RNG a9e2f0 127.0.0.1:1864 CKI key Juliet@x.test Jul%20iet\r\n");
  REQUIRE(talk.all<Rang>().size() == 1);
  const Rang rang = talk.all<Rang>()[0];
  CHECK(rang.session == "a9e2f0");
  CHECK(rang.server == "127.0.0.1:1864");
  CHECK(rang.key == "key");
  CHECK(rang.email == "juliet@x.test");
}

TEST_CASE("A challenge is answered, also within a login; a refused answer ends the session, silence does not") {
  Talk talk;
  talk.to_ticket();
  talk.machine.give_ticket("t", talk.now);
  talk.says("USR 4 OK romeo@x.test 1 0\r\n");
  talk.sent();
  talk.says("CHL 0 22210219642164014968\r\n");
  CHECK(talk.sent() == "QRY 6 PROD0090YUAUV{2B 32\r\n85ecb0db8f32113df79ce0892b9a102c");
  talk.says("QRY 6\r\nSYN 5 0 0 0 0\r\n");
  REQUIRE(talk.machine.is_ready());
  talk.says("CHL 0 1\r\n");
  talk.passes(20s);
  CHECK(talk.machine.is_ready());
  talk.says("CHL 0 2\r\n540 8\r\n");
  CHECK(talk.ended_as(End::refused));
}

TEST_CASE("A quiet server is asked whether it is there, and left when it is not") {
  Talk talk;
  talk.sign_in();
  talk.passes(49s);
  CHECK(talk.sent().empty());
  talk.passes(1s);
  CHECK(talk.sent() == "PNG\r\n");
  talk.says("QNG 60\r\n");
  talk.passes(50s);
  CHECK(talk.sent() == "PNG\r\n");
  talk.passes(19s);
  CHECK(talk.machine.is_ready());
  talk.passes(1s);
  CHECK(talk.ended_as(End::silent));
}

TEST_CASE("OUT says why") {
  Talk other, down;
  other.sign_in();
  other.says("OUT OTH\r\n");
  CHECK(other.ended_as(End::elsewhere));
  down.sign_in();
  down.says("OUT SSD\r\n");
  CHECK(down.ended_as(End::shutting_down));
}

TEST_CASE("What was asked when a session ends is not answered any more, and that is said") {
  Talk talk;
  talk.sign_in();
  const auto number = talk.machine.request("XFR", {"SB"}, talk.now);
  talk.says("OUT SSD\r\n");
  REQUIRE(talk.all<Unanswered>().size() == 1);
  CHECK(talk.all<Unanswered>()[0].transaction == number);
}

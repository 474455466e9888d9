// What the user changes in the account's lists, at a server.
#include "tests/unit/msn/stage.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::tests;

namespace {

const connector::ContactId nurse{"nurse@x.test"};

// Its lists are FL, AL and BL; what is said of others is answered 201 (rusty-retro-messaging 07ae691, adc.rs and
// rem.rs).
struct ThreeLists : Stage {
  ThreeLists() {
    server.without_lists = {"RL", "PL"};
    server.behind_login = "";
  }
  // Somebody on PL from the login on, and somebody who adds the user within the session.
  Person& asked_by_nurse() {
    server.instead = {{"SYN", "SYN {n} 0 0 1 0\r\nLST N=tybalt@x.test F=T 16 1 \r\n"}};
    Person& romeo = add("romeo@x.test");
    server.instead.clear();
    server.say("romeo@x.test", "ADC 0 RL N=nurse@x.test F=The%20Nurse\r\n");
    run(loop, wait_asked(romeo));
    return romeo;
  }
  static asio::awaitable<void> wait_asked(Person& person) {
    while (person.sink.all<connector::ContactAsked>().size() < 2) {
      auto news = person.sink.changed.wait();
      co_await base::within(60s, std::move(news));
    }
  }
  bool is_said(const FakeMsn::Words& words) const {
    return std::any_of(server.commands.begin(), server.commands.end(), [&](const FakeMsn::Words& said) {
      return said[0] == words[0] && std::equal(words.begin() + 1, words.end(), said.begin() + 2, said.end());
    });
  }
};

}  // namespace

TEST_CASE("Who asks is accepted and let in by AL, also where the server has no RL and PL to be changed") {
  ThreeLists stage;
  Person& romeo = stage.asked_by_nurse();
  for (const connector::ContactId& who : {nurse, connector::ContactId{"tybalt@x.test"}}) {
    CHECK(stage.perform(romeo, connector::AnswerContact{who, true}).has_value());
    CHECK(stage.is_said({"ADC", "AL", "N=" + who.value}));
  }
}

TEST_CASE("Who asks is refused by BL, also where the server has no PL to be changed") {
  ThreeLists stage;
  Person& romeo = stage.asked_by_nurse();
  CHECK(stage.perform(romeo, connector::AnswerContact{nurse, false}).has_value());
  CHECK(stage.is_said({"ADC", "BL", "N=nurse@x.test"}));
}

TEST_CASE("Who asks is not accepted where AL is refused, and RL and PL stay as they are") {
  ThreeLists stage;
  Person& romeo = stage.asked_by_nurse();
  stage.server.without_lists = {"AL"};
  CHECK_FALSE(stage.perform(romeo, connector::AnswerContact{{"tybalt@x.test"}, true}).has_value());
  CHECK_FALSE(stage.is_said({"ADC", "RL", "N=tybalt@x.test"}));
  CHECK_FALSE(stage.is_said({"REM", "PL", "tybalt@x.test"}));
}

TEST_CASE("A line of the list that cannot be read keeps no account out") {
  for (const char* line :
       {"LST nonsense", "LST F=Mary C=22222222-0000 1 1 ", "LST N=a@x.test F=a 99999999999999999999"}) {
    Stage stage;
    stage.server.instead = {
        {"SYN", std::string("SYN {n} 0 0 2 0\r\n") + line + "\r\nLST N=nurse@x.test F=N C=g 3 1 \r\n"}};
    Person& romeo = stage.add("romeo@x.test");
    CHECK(romeo.is_online());
    CHECK(romeo.sink.all<connector::ContactsListed>().at(0).contacts.size() == 1);
    stage.until(romeo, [&] { return !romeo.sink.all<connector::AccountNotice>().empty(); });
    CHECK(romeo.sink.all<connector::AccountNotice>()[0].text ==
          "Your MSN account's list has 1 line that this gateway cannot read. Who stands there is not shown to you.");
  }
}

TEST_CASE("Who adds the user while the list is coming is asked about") {
  Stage stage;
  stage.server.instead = {{"SYN",
                           "SYN {n} 0 0 2 0\r\nLST N=tybalt@x.test F=T C=g 3 1 \r\nADC 0 RL N=paris@x.test F=P\r\n"
                           "LST N=nurse@x.test F=N C=g 3 1 \r\n"}};
  Person& romeo = stage.add("romeo@x.test");
  stage.until(romeo, [&] { return !romeo.sink.all<connector::ContactAsked>().empty(); });
  CHECK(romeo.sink.all<connector::ContactAsked>()[0].contact.value == "paris@x.test");
}

TEST_CASE("Who adds the user and cannot be shown is told") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  stage.server.say("romeo@x.test", "ADC 0 RL N=a%2Cb@x.test F=Paris\r\n");
  stage.until(romeo, [&] { return !romeo.sink.all<connector::AccountNotice>().empty(); });
  CHECK(romeo.sink.all<connector::AccountNotice>()[0].text ==
        "a,b@x.test, whom this gateway cannot show you, has added you to their contacts.");
  CHECK(romeo.sink.all<connector::ContactAsked>().empty());
}

// A member of FL has a number there (C=), by which alone they can be named (Escargot 2025-02).
TEST_CASE("Whom the server has on the list already is removed and renamed only by what it calls them") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  stage.server.instead = {{"ADC", "215 {n}\r\n"}};
  CHECK(stage.perform(romeo, connector::AddContact{nurse}).has_value());
  stage.server.instead.clear();
  const auto removed = stage.perform(romeo, connector::RemoveContact{nurse});
  REQUIRE_FALSE(removed.has_value());
  CHECK(removed.error().code == connector::Errc::unavailable);
  CHECK(std::none_of(stage.server.commands.begin(), stage.server.commands.end(),
                     [](const auto& words) { return words[0] == "REM"; }));
}

TEST_CASE("A contact who is to have no name of the user's is called by the address") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  CHECK(stage.perform(romeo, connector::AddContact{nurse}).has_value());
  CHECK(stage.perform(romeo, connector::RenameContact{nurse, ""}).has_value());
  CHECK(stage.server.commands.back() ==
        FakeMsn::Words{"SBP", stage.server.commands.back()[1], "guid-nurse@x.test", "MFN", "nurse@x.test"});
}

TEST_CASE("The lists of another MSN account, which the user had before, are not missed in this one") {
  Stage stage;
  stage.server.instead = {{"SYN", "SYN {n} 0 0 1 0\r\nLST N=juliet@x.test F=J C=g 11 1 \r\n"}};
  stage.end(stage.add("romeo@x.test", "lists"));
  stage.server.instead = {{"SYN", "SYN {n} 0 0 1 0\r\nLST N=nurse@x.test F=N C=g 11 1 \r\n"}};
  Person& other = stage.add("mercutio@x.test", "lists");
  CHECK(other.sink.all<connector::ContactRemoved>().empty());
  CHECK(other.sink.all<connector::ContactAnswered>().empty());
  stage.end(other);
  stage.server.instead.clear();
  stage.server.instead = {{"SYN", "SYN {n} 0 0 1 0\r\nLST N=paris@x.test F=P C=g 11 1 \r\n"}};
  Person& again = stage.add("mercutio@x.test", "lists");
  stage.until(again, [&] { return !again.sink.all<connector::ContactRemoved>().empty(); });
  CHECK(again.sink.all<connector::ContactAnswered>().size() == 1);
}

// Servers have had lists like that, and say nothing of it (emesene 2.11).
TEST_CASE("Who is on AL and BL at once is blocked and let in by what is missing or too much") {
  Stage stage;
  stage.server.instead = {{"SYN", "SYN {n} 0 0 1 0\r\nLST N=nurse@x.test F=N C=g 7 1 \r\n"}};
  Person& romeo = stage.add("romeo@x.test");
  stage.server.instead.clear();
  CHECK(stage.perform(romeo, connector::BlockContact{nurse, true}).has_value());
  REQUIRE(stage.server.commands.back().size() == 4);
  CHECK(stage.server.commands.back()[0] == "REM");
  CHECK(stage.server.commands.back()[2] == "AL");
  CHECK(stage.perform(romeo, connector::BlockContact{nurse, false}).has_value());
  const auto count = stage.server.commands.size();
  REQUIRE(count >= 2);
  CHECK(stage.server.commands[count - 2][2] == "BL");
  CHECK(stage.server.commands[count - 1][2] == "AL");
}

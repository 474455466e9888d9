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
  }
}

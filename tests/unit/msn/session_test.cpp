// What ends a session, and whom it hears no more.
#include "tests/unit/msn/stage.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::tests;

namespace {

const connector::ContactId paris{"friend@x.test"};  // whose invitations FakeMsn::ring() brings

std::string text_by(const std::string& email, const std::string& text) {
  const std::string payload = "Content-Type: text/plain; charset=UTF-8\r\n\r\n" + text;
  return fmt::format("MSG {} F {}\r\n{}", email, payload.size(), payload);
}

// A conversation that `friend@x.test` has called the user into, and what is said there.
std::string conversation_with(const std::string& others, const std::string& said) {
  return "IRO {n} 1 1 friend@x.test F 0\r\n" + others + "ANS {n} OK\r\n" + text_by("friend@x.test", said);
}

void hear(Stage& stage, Person& person) {
  const auto before = person.sink.all<connector::MessageReceived>().size();
  stage.server.ring("romeo@x.test");
  stage.until(person, [&] { return person.sink.all<connector::MessageReceived>().size() > before; });
}

void check_gives_way(const Person& person) {
  CHECK(person.is_over);
  CHECK(person.why.empty());
  const auto told = person.sink.all<connector::AccountChanged>();
  REQUIRE_FALSE(told.empty());
  CHECK(told.back().needs_login);
  CHECK(told.back().text.find("logged in to MSN with another program") != std::string::npos);
}

}  // namespace

// Session::run() returns then: the gateway tries nothing until the user registers again, and everything after it.
TEST_CASE("Who logs in elsewhere is told to log in anew, and the session is over without an error") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  stage.server.say("romeo@x.test", "OUT OTH\r\n");
  run(stage.loop, romeo.wait_over());
  check_gives_way(romeo);
  CHECK(stage.add("romeo@x.test").is_online());
}

TEST_CASE("Who logs in elsewhere while this login is still going on is not fought, either") {
  for (const char* command : {"SYN", "CHG"}) {
    CAPTURE(command);
    Stage stage;
    stage.server.instead = {{command, "OUT OTH\r\n"}};
    Person& romeo = stage.add("romeo@x.test");
    check_gives_way(romeo);
    const auto told = romeo.sink.all<connector::AccountChanged>();
    CHECK(std::none_of(told.begin(), told.end(), [](const auto& state) { return state.online; }));
  }
}

TEST_CASE("Whoever is blocked is left in every conversation in which they are alone with the user") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  stage.server.instead = {{"ANS", conversation_with("", "hello")}};
  hear(stage, romeo);
  hear(stage, romeo);
  stage.server.instead = {{"ANS", conversation_with("IRO {n} 2 2 nurse@x.test N 0\r\n", "hello all")}};
  hear(stage, romeo);
  REQUIRE(stage.server.boards_open == 3);
  CHECK(stage.perform(romeo, connector::BlockContact{{"nurse@x.test"}, true}).has_value());
  CHECK(stage.perform(romeo, connector::BlockContact{paris, true}).has_value());
  stage.until([&] { return stage.server.boards_open == 1; });
}

TEST_CASE("Whoever adds the user and is refused is left in the conversation, too") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  stage.server.say("romeo@x.test", "ADC 0 RL N=friend@x.test F=F\r\n");
  stage.until(romeo, [&] { return !romeo.sink.all<connector::ContactAsked>().empty(); });
  stage.server.instead = {{"ANS", conversation_with("", "hello")}};
  hear(stage, romeo);
  CHECK(stage.perform(romeo, connector::AnswerContact{paris, false}).has_value());
  stage.until([&] { return stage.server.boards_open == 0; });
}

TEST_CASE("Whoever is blocked calls the user in vain, until they are let in again") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  CHECK(stage.perform(romeo, connector::BlockContact{paris, true}).has_value());
  stage.server.instead = {{"ANS", conversation_with("", "blocked")}};
  stage.server.ring("romeo@x.test");
  stage.server.say("romeo@x.test", "ADC 0 RL N=nurse@x.test F=N\r\n");  // behind it
  stage.until(romeo, [&] { return !romeo.sink.all<connector::ContactAsked>().empty(); });
  CHECK(stage.perform(romeo, connector::BlockContact{paris, false}).has_value());
  stage.server.instead = {{"ANS", conversation_with("", "let in")}};
  hear(stage, romeo);
  const auto told = romeo.sink.all<connector::MessageReceived>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].content.text == "let in");
  CHECK(stage.server.boards_opened == 1);
  CHECK(romeo.sink.all<connector::AccountNotice>().empty());
}

// A program that reads several letters sorts them by these.
TEST_CASE("Letters for one person are of one run, and numbered as they were written") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  stage.server.instead = {{"CAL", "217 {n}\r\n"}, {"/OimWS/oim.asmx", "<StoreResponse/>"}};
  for (const char* text : {"one", "two", "three"}) CHECK(stage.send(romeo, text).has_value());
  REQUIRE(stage.server.posted.size() == 3);
  std::string run_id;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string& body = stage.server.posted[i];
    CHECK(body.find(base::to_base64(std::vector<std::string>{"one", "two", "three"}[i])) != body.npos);
    CHECK(body.find(fmt::format("X-OIM-Sequence-Num: {}\r\n", i + 1)) != body.npos);
    const auto at = body.find("X-OIM-Run-Id: ");
    REQUIRE(at != body.npos);
    if (run_id.empty()) run_id = body.substr(at, 52);
    CHECK(body.substr(at, 52) == run_id);
  }
}

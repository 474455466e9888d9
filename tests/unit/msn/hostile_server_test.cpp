// What a server can do to us: the session ends with a sentence, or what was asked fails with one; nobody else notices.
#include "tests/unit/msn/stage.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::msn;
using namespace wherry::tests;
using connector::Errc;

namespace {

bool is_sentence(const std::string& text) {
  return text.size() > 10 && text.ends_with('.') && text.find_first_of("\r\n") == text.npos;
}

}  // namespace

TEST_CASE("A server that breaks the protocol within a login ends that session with a sentence, and nobody else's") {
  Stage stage;
  Person& other = stage.add("mercutio@x.test");
  REQUIRE(other.is_online());
  const std::string endless(200'000, 'a');
  const std::vector<std::pair<std::string, std::string>> faults = {
      {"VER", endless},
      {"VER", "VER {n} MSNP99\r\n"},
      {"VER", std::string("\0\0\0\r\n", 5)},
      {"VER", "HTTP/1.1 400 Bad Request\r\n\r\n"},
      {"CVR", "MSG Hotmail Hotmail 99999999\r\n"},
      {"CVR", "MSG Hotmail Hotmail -1\r\n"},
      {"CVR", "500 {n}\r\n"},
      {"USR", "USR {n} SSO S x\r\n"},
      {"USR", "XFR {n} NS :0 0 x\r\n"},
      {"USR", "XFR {n} NS\r\n"},
      {"USR", "OUT SSD\r\n"},
      {"CHG", "715 {n}\r\n"},
      {"CHG", "CHG " + endless},
      {"/login", "no ticket"},
  };
  for (const auto& [command, bytes] : faults) {
    CAPTURE(command);
    CAPTURE(bytes.substr(0, 60));
    stage.server.instead = {{command, bytes}};
    Person& victim = stage.add("romeo@x.test");
    CHECK(victim.is_over);
    CHECK_FALSE(victim.is_online());
    CHECK_MESSAGE(is_sentence(victim.why), victim.why);
    stage.server.instead.clear();
    CHECK(stage.send(other, "still here").has_value());
  }
  CHECK_FALSE(other.is_over);
}

TEST_CASE("A server that sends us to itself for ever is left after five times") {
  Stage stage;
  const auto port = std::to_string(stage.server.configuration()["port"].get<int>());
  stage.server.instead = {{"USR", "XFR {n} NS 127.0.0.1:" + port + " 0 x\r\n"}};
  Person& victim = stage.add("romeo@x.test");
  CHECK(victim.is_over);
  CHECK(victim.why.find("without an end") != std::string::npos);
  const auto asked = std::count_if(stage.server.commands.begin(), stage.server.commands.end(),
                                   [](const auto& words) { return words[0] == "VER"; });
  CHECK(asked == most_redirections + 1);
}

TEST_CASE("A password that is refused by either server is told as one, and not tried again") {
  Stage stage;
  stage.server.instead = {{"SYN", "911 {n}\r\n"}};
  Person& victim = stage.add("romeo@x.test");
  CHECK(victim.is_over);
  CHECK(victim.why.empty());
  REQUIRE_FALSE(victim.sink.all<connector::AccountChanged>().empty());
  CHECK(victim.sink.all<connector::AccountChanged>().back().needs_login);
}

TEST_CASE("A server that breaks the protocol later ends that session alone") {
  Stage stage;
  Person& other = stage.add("mercutio@x.test");
  for (const std::string& bytes :
       {std::string(100'000, 'a'), std::string("MSG Hotmail Hotmail 65537\r\n"), std::string("\r\r\n"),
        std::string("UBX a@x.test many\r\n"), std::string("OUT SSD\r\n")}) {
    CAPTURE(bytes.substr(0, 60));
    Person& victim = stage.add("romeo@x.test");
    REQUIRE(victim.is_online());
    stage.server.say("romeo@x.test", bytes);
    run(stage.loop, victim.wait_over());
    CHECK_MESSAGE(is_sentence(victim.why), victim.why);
    CHECK(stage.send(other, "still here").has_value());
  }
}

TEST_CASE("What means nothing is passed over, however much of it there is") {
  Stage stage;
  Person& victim = stage.add("romeo@x.test");
  std::string flood;
  for (int i = 0; i < 2000; ++i) {
    flood += "ILN 9 NLN stranger" + std::to_string(i) +
             "@x.test x 0\r\nFLN\r\nNLN\r\nUBX x 0\r\nREM 0 RL\r\nADC 0 RL\r\nBPR\r\nRNG\r\nRNG s "
             "no-such-host.invalid:1 CKI k j@x.test J\r\nACK 77\r\n";
    flood += "MSG Hotmail Hotmail 2\r\n\r\n";
  }
  stage.server.say("romeo@x.test", flood);
  CHECK(stage.send(victim, "after the flood").has_value());
  CHECK_FALSE(victim.is_over);
  CHECK(victim.sink.all<connector::PresenceChanged>().empty());
}

TEST_CASE("A switchboard that cannot be reached or is none fails the message with a sentence; the session stays") {
  Stage stage;
  Person& person = stage.add("romeo@x.test");
  for (const char* bytes : {"XFR {n} SB 127.0.0.1:1 CKI key\r\n", "XFR {n} SB\r\n", "XFR {n} SB :::: CKI\r\n",
                            "500 {n}\r\n", "913 {n}\r\n"}) {
    CAPTURE(bytes);
    stage.server.instead = {{"XFR", bytes}};
    const auto sent = stage.send(person, "lost");
    REQUIRE_FALSE(sent.has_value());
    CHECK_MESSAGE(is_sentence(sent.error().text), sent.error().text);
  }
  for (const auto& [command, bytes] :
       std::vector<std::pair<std::string, std::string>>{{"CAL", "MSG a b 99999\r\n"},
                                                        {"CAL", "217 {n}\r\n"},
                                                        {"CAL", std::string(100'000, 'a')},
                                                        {"CAL", "OUT\r\n"},
                                                        {"MSG", "NAK {n}\r\n"},
                                                        {"MSG", "BYE juliet@x.test\r\nACK {n}\r\n"},
                                                        {"MSG", "MSG a b -1\r\n"},
                                                        {"MSG", "OUT\r\n"}}) {
    CAPTURE(command);
    CAPTURE(bytes.substr(0, 60));
    stage.server.instead = {{command, bytes}};
    const auto sent = stage.send(person, "lost");
    REQUIRE_FALSE(sent.has_value());
    CHECK_MESSAGE(is_sentence(sent.error().text), sent.error().text);
    const bool may_have_left = command == "MSG" && bytes[0] != 'N';
    CHECK((sent.error().code == Errc::uncertain) == may_have_left);
  }
  stage.server.instead.clear();
  CHECK(stage.send(person, "found").has_value());
  CHECK_FALSE(person.is_over);
}

TEST_CASE("A long text of which a part is lost says how much was sent, and whether the next part is known not to be") {
  for (const auto& [answer, begins] :
       {std::pair("NAK {n}\r\n", "Only the first 1 of 2 parts of the message were sent. "),
        std::pair("OUT\r\n",
                  "The first 1 of 2 parts of the message were sent, and whether the next one was is not known. ")}) {
    Stage stage;
    Person& person = stage.add("romeo@x.test");
    stage.server.instead = {{"MSG/2", answer}};
    const auto sent = stage.send(person, std::string(2000, 'a'));
    REQUIRE_FALSE(sent.has_value());
    CHECK(sent.error().code == Errc::rejected);  // a repeat would double what was sent
    CHECK_MESSAGE(sent.error().text.starts_with(begins), sent.error().text);
  }
}

TEST_CASE("A name of the user's that the server refuses is told, and is no account that there is not") {
  Stage stage;
  Person& person = stage.add("romeo@x.test");
  stage.server.instead = {{"PRP", "209 {n}\r\n"}};
  const auto named = stage.perform(person, connector::SetProfile{"MSN Staff"});
  REQUIRE_FALSE(named.has_value());
  CHECK(named.error().code == Errc::rejected);
  CHECK(named.error().text == "The MSN server does not take this name.");
  const auto told = person.sink.all<connector::AccountNotice>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].text ==
        "The MSN server does not take your name, MSN Staff. Your contacts see the one that you had there before.");
  CHECK_FALSE(person.is_over);
}

TEST_CASE("A contact list is not changed by what the server does not confirm") {
  Stage stage;
  Person& person = stage.add("romeo@x.test");
  const connector::ContactId juliet{"juliet@x.test"};
  for (const auto& [answer, code] : std::vector<std::pair<std::string, Errc>>{
           {"208 {n}\r\n", Errc::not_found}, {"210 {n}\r\n", Errc::rejected}, {"603 {n}\r\n", Errc::unavailable}}) {
    stage.server.instead = {{"ADC", answer}};
    const auto added = stage.perform(person, connector::AddContact{juliet});
    REQUIRE_FALSE(added.has_value());
    CHECK(added.error().code == code);
    CHECK_MESSAGE(is_sentence(added.error().text), added.error().text);
  }
  CHECK(stage.perform(person, connector::RenameContact{juliet, "Jule"}).error().code == Errc::not_found);
  stage.server.instead.clear();
  CHECK(stage.perform(person, connector::AddContact{juliet}).has_value());
  CHECK(stage.perform(person, connector::RenameContact{juliet, "Jule"}).has_value());
  CHECK(person.sink.all<connector::ContactAnswered>().size() == 1);
}

TEST_CASE("A letter that is none, and a page without an end, leave the session alone") {
  Stage stage;
  Person& person = stage.add("romeo@x.test");
  for (const std::string& page : {std::string("<GetMessageResult>"), std::string(300'000, '<'), std::string()}) {
    stage.server.instead = {{"/rsi/rsi.asmx", page}};
    stage.server.say("romeo@x.test",
                     "MSG Hotmail Hotmail 98\r\nContent-Type: text/x-msmsgsoimnotification\r\n\r\nMail-Data: "
                     "<MD><M><I>1</I><E>j@x.test</E></M></MD>\r\n");
    CHECK(stage.send(person, "meanwhile").has_value());
  }
  CHECK_FALSE(person.is_over);
  CHECK(person.sink.all<connector::MessageReceived>().empty());
}

// Conversations into which the user is invited, at a switchboard.
#include "tests/unit/msn/stage.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::msn;
using namespace wherry::tests;

namespace {

std::string said_by(const std::string& email, const std::string& payload) {
  return fmt::format("MSG {} F {}\r\n{}", email, payload.size(), payload);
}
std::string text_by(const std::string& email) {
  return said_by(email, "Content-Type: text/plain; charset=UTF-8\r\n\r\nhello");
}

// Who is in it, and what they say.
std::string opened(const std::string& then = "") { return "IRO {n} 1 1 friend@x.test F 0\r\nANS {n} OK\r\n" + then; }

struct Deaf final : Listener {
  asio::awaitable<void> heard(std::shared_ptr<Board>, Heard) override { co_return; }
  asio::awaitable<void> ended(std::shared_ptr<Board>) override { co_return; }
  asio::awaitable<void> missed(std::string) override { co_return; }
  bool wants(const std::string&) const override { return true; }
};

// Conversations without a session.
struct Room : Stage {
  ~Room() {
    conversations.leave();
    run(loop, tasks.end());
    run(loop, hearers.join());
    run(loop, connections.join());
  }
  void follow() { conversations.follow(Rang{server.switchboard(), "s", "key", "friend@x.test", "F"}); }

  base::TaskGroup tasks{loop.get_executor()}, hearers{loop.get_executor()}, connections{loop.get_executor()};
  Deaf listener;
  std::shared_ptr<NotificationLink> link = std::make_shared<NotificationLink>(loop.get_executor(), "romeo@x.test");
  Conversations conversations{upstream, "romeo@x.test", link, Groups{tasks, hearers, connections}, listener};
};

}  // namespace

TEST_CASE("However often an account is invited, it has 200 conversations at most") {
  Room room;
  room.server.instead = {{"ANS", opened()}};
  for (std::size_t i = 1; i <= 220; ++i) {
    room.follow();
    room.until([&] { return room.server.boards_opened == i; });
  }
  room.until([&] { return room.server.boards_open <= 200; });
  CHECK(room.conversations.size() == 200);
}

TEST_CASE("A conversation that has ended is forgotten, also where the user says nothing") {
  Room room;
  room.server.instead = {{"ANS", opened("OUT\r\n")}};
  for (std::size_t i = 1; i <= 20; ++i) {
    room.follow();
    room.until([&] { return room.server.boards_opened == i && room.server.boards_open == 0; });
  }
  run(room.loop, room.hearers.join());
  CHECK(room.conversations.size() == 0);
}

TEST_CASE("What was heard in a conversation is told, though the session ends meanwhile") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  const std::string text = text_by("friend@x.test");
  stage.server.instead = {{"ANS", opened(text + text + text)}};
  romeo.sink.holds_messages = true;
  stage.server.ring("romeo@x.test");
  stage.until(romeo, [&] { return romeo.sink.is_asked; });
  romeo.tasks.cancel();
  stage.until([&] { return stage.server.boards_open == 0; });
  romeo.sink.holds_messages = false;
  romeo.sink.changed.notify();
  run(stage.loop, romeo.tasks.join());
  CHECK(romeo.sink.all<connector::MessageReceived>().size() == 3);
}

TEST_CASE("A message is told whatever its sender's address is like, but the switchboard's own words are not") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  stage.server.instead = {
      {"ANS", opened(text_by("Hotmail") + text_by("bob@localhost") + text_by("zoë@x.test") + text_by("a%2Cb@x.test"))}};
  stage.server.ring("romeo@x.test");
  stage.until(romeo, [&] { return !romeo.sink.all<connector::AccountNotice>().empty(); });
  const auto told = romeo.sink.all<connector::MessageReceived>();
  REQUIRE(told.size() == 2);
  CHECK(told[0].sender.value == "bob@localhost");
  CHECK(told[1].sender.value == "zoë@x.test");
  CHECK(romeo.sink.all<connector::AccountNotice>()[0].text ==
        "a,b@x.test, whom this gateway cannot show you, writes: hello");
}

TEST_CASE("What a contact offers or sends and is not carried is told in a sentence") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  stage.server.instead = {
      {"ANS", opened(said_by("friend@x.test", "Content-Type: text/x-msnmsgr-datacast\r\n\r\nID: 2\r\n"))}};
  stage.server.ring("romeo@x.test");
  stage.until(romeo, [&] { return !romeo.sink.all<connector::AccountNotice>().empty(); });
  CHECK(romeo.sink.all<connector::AccountNotice>()[0].text ==
        "friend@x.test sends you a wink, which this gateway does not carry.");
}

TEST_CASE("Who calls the user into a conversation that cannot be opened is told, once a session") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  const std::string told =
      "friend@x.test has called you into a conversation on MSN that cannot be opened. What is said there does not "
      "reach you.";
  for (const std::string& answer : {std::string("911 {n}\r\n"), std::string("OUT\r\n")}) {
    stage.server.instead = {{"ANS", answer}};
    stage.server.ring("romeo@x.test");
    stage.until(romeo, [&] { return !romeo.sink.all<connector::AccountNotice>().empty(); });
    stage.until([&] { return stage.server.boards_open == 0; });
  }
  stage.server.instead.clear();
  stage.server.say("romeo@x.test", "RNG s 127.0.0.1:1 CKI key Second@x.test F\r\n");
  stage.until(romeo, [&] { return romeo.sink.all<connector::AccountNotice>().size() == 2; });
  CHECK(romeo.sink.all<connector::AccountNotice>()[0].text == told);
  CHECK(romeo.sink.all<connector::AccountNotice>()[1].text.starts_with("second@x.test has called you"));
}

TEST_CASE("A text that is begun and never ended is told as far as it goes") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  const std::string begun =
      said_by("friend@x.test", "Content-Type: text/plain\r\nMessage-ID: {1}\r\nChunks: 3\r\n\r\nit is the ") +
      said_by("friend@x.test", "Message-ID: {1}\r\nChunk: 1\r\n\r\neast");
  stage.server.instead = {{"ANS", opened(begun + "OUT\r\n")}};
  stage.server.ring("romeo@x.test");
  stage.until(romeo, [&] { return !romeo.sink.all<connector::MessageReceived>().empty(); });
  const auto told = romeo.sink.all<connector::MessageReceived>();
  CHECK(told[0].content.text == "it is the east […]");
  CHECK(told[0].sender.value == "friend@x.test");
}

TEST_CASE("Who speaks for several says who each of them is") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  const auto by = [](const std::string& who) {
    return said_by("group@x.test", "Content-Type: text/plain\r\nP4-Context: " + who + "\r\n\r\nhello");
  };
  stage.server.instead = {{"ANS", opened(by("Mercutio") + by("group@x.test") + text_by("group@x.test"))}};
  stage.server.ring("romeo@x.test");
  stage.until(romeo, [&] { return romeo.sink.all<connector::MessageReceived>().size() == 3; });
  const auto told = romeo.sink.all<connector::MessageReceived>();
  CHECK(told[0].content.text == "Mercutio: hello");
  CHECK(told[1].content.text == "hello");
  CHECK(told[2].content.text == "hello");
}

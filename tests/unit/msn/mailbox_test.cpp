// Letters that wait for the user, at a server.
#include "tests/unit/msn/stage.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::tests;

namespace {

asio::awaitable<void> bring(FakeMsn& server, std::string from, std::string text, bool& is_deleted) {
  std::string to = "romeo@x.test", id = "7";
  is_deleted = co_await server.bring(std::move(to), std::move(from), std::move(id), std::move(text));
}

}  // namespace

TEST_CASE("A letter by somebody who cannot be shown is told before it is deleted") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  bool is_deleted = false;
  run(stage.loop, bring(stage.server, "a,b@x.test", "hello", is_deleted));
  CHECK(is_deleted);
  const auto told = romeo.sink.all<connector::AccountNotice>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].text == "a,b@x.test, whom this gateway cannot show you, left you a message: hello");
  CHECK(told[0].id.value == "oim/7");
}

TEST_CASE("A letter that says nothing is deleted in silence") {
  Stage stage;
  Person& romeo = stage.add("romeo@x.test");
  bool is_deleted = false;
  run(stage.loop, bring(stage.server, "juliet@x.test", "", is_deleted));
  CHECK(is_deleted);
  CHECK(romeo.sink.all<connector::AccountNotice>().empty());
  CHECK(romeo.sink.all<connector::MessageReceived>().empty());
}

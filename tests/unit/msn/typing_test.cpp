#include "connectors/msn/typing.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::msn;
using namespace std::chrono_literals;

namespace {

const Time begin = Time() + 1h;

bool is_shown(const std::vector<connector::Event>& news) {
  REQUIRE(news.size() == 1);
  return std::get<connector::TypingChanged>(news[0]).typing;
}

}  // namespace

TEST_CASE("That the user writes is said again every five seconds, and for a minute at most") {
  Typing typing;
  typing.begin("juliet@x.test", begin);
  CHECK(typing.due(begin + 4s).empty());
  CHECK(typing.due(begin + 5s) == std::vector<std::string>{"juliet@x.test"});
  CHECK(typing.due(begin + 6s).empty());
  CHECK(typing.due(begin + 59s).size() == 1);
  CHECK(typing.due(begin + 60s).empty());
  CHECK(typing.due(begin + 90s).empty());
  typing.begin("juliet@x.test", begin);
  typing.stop("juliet@x.test");
  CHECK(typing.due(begin + 10s).empty());
}

TEST_CASE("Who writes is shown once, and no longer once they have not said it for eight seconds") {
  Typing typing;
  CHECK(is_shown(typing.note("juliet@x.test", true, begin)));
  CHECK(typing.note("juliet@x.test", true, begin + 5s).empty());
  CHECK(typing.expire(begin + 12s).empty());
  CHECK_FALSE(is_shown(typing.expire(begin + 13s)));
  CHECK(typing.expire(begin + 14s).empty());
}

TEST_CASE("A message ends that its author is shown to write") {
  Typing typing;
  CHECK(typing.note("juliet@x.test", false, begin).empty());
  typing.note("juliet@x.test", true, begin);
  CHECK_FALSE(is_shown(typing.note("juliet@x.test", false, begin + 1s)));
  CHECK(typing.expire(begin + 20s).empty());
}

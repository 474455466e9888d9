// When a link is tried again: the pauses, without a clock.
#include "gateway/xmpp/reconnect.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::xmpp;
using namespace std::chrono_literals;

namespace {

Reconnect made() { return Reconnect(base::BackoffPolicy{}, 7); }

}  // namespace

TEST_CASE(
    "A link that was cut is tried after a moment, a port that refuses every half to whole second, however long that "
    "lasts") {
  Reconnect reconnect = made();
  CHECK(reconnect.after(LinkEnd::cut, "closed", 1h) == 250ms);
  for (int i = 0; i < 1000; ++i) {
    const auto pause = reconnect.after(LinkEnd::refused, "", 0s);
    CHECK(pause >= 500ms);
    CHECK(pause <= 900ms);
  }
  CHECK(reconnect.after(LinkEnd::cut, "closed", 1h) == 250ms);
}

TEST_CASE(
    "Links that are cut soon after they came up are tried ever more slowly, but within 15 s; one that lasted starts "
    "anew") {
  Reconnect reconnect = made();
  CHECK(reconnect.after(LinkEnd::cut, "", 1s) == 250ms);
  auto before = 0ms;
  for (int i = 0; i < 3; ++i) {
    const auto pause = reconnect.after(LinkEnd::cut, "", 1s);
    CHECK(pause > before);
    before = pause;
  }
  for (int i = 0; i < 20; ++i) {
    const auto pause = reconnect.after(LinkEnd::cut, "", 1s);
    CHECK(pause >= 5s);
    CHECK(pause <= 15s);
  }
  CHECK(reconnect.after(LinkEnd::cut, "", 10s) == 250ms);
}

TEST_CASE("Failures that a person must mend, or another connection's end, are waited for (RFC 6120 §4.9.3)") {
  struct Row {
    const char* condition;
    std::chrono::milliseconds least;
  };
  for (const Row& row : {Row{"host-unknown", 10s}, Row{"not-authorized", 10s}, Row{"conflict", 2s}, Row{"", 500ms}}) {
    CAPTURE(row.condition);
    Reconnect reconnect = made();
    for (int i = 0; i < 20; ++i) CHECK(reconnect.after(LinkEnd::failed, row.condition, 0s) >= row.least);
    CHECK(reconnect.after(LinkEnd::failed, row.condition, 0s) >= 48s);
  }
  Reconnect reconnect = made();
  CHECK(reconnect.after(LinkEnd::cut, "conflict", 1h) >= 2s);
}

TEST_CASE("A link that came up ends the long pauses of the failures before it") {
  Reconnect reconnect = made();
  for (int i = 0; i < 20; ++i) (void)reconnect.after(LinkEnd::failed, "", 0s);
  (void)reconnect.after(LinkEnd::cut, "", 1s);
  CHECK(reconnect.after(LinkEnd::failed, "", 0s) <= 1500ms);
}

#include "connectors/oscar/client/rates.hpp"

#include <doctest/doctest.h>

using namespace wherry::oscar;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint16_t one = 3;

// The class of messages, with the levels that servers have.
std::string rates(std::uint32_t window = 20, std::uint32_t alert = 5000, std::uint32_t now = 6000) {
  Writer out;
  out.u16(1).u16(one).u32(window).u32(5100).u32(alert).u32(4000).u32(3000).u32(now).u32(6000).u32(0).u8(0);
  out.u16(one).u16(1).u16(4).u16(6);
  return out.take();
}

}  // namespace

TEST_CASE("A burst goes at once, and then as fast as the server lets it") {
  Rates::Time now{seconds(100)};
  Rates r;
  REQUIRE(r.read(rates(), now));
  CHECK(r.classes() == std::vector<std::uint16_t>{one});
  CHECK(r.class_of(4, 6) == one);
  CHECK(r.class_of(4, 7) == 0);
  double level = 6000;  // as the server counts
  auto last = now;
  int burst = 0;
  for (int i = 0; i < 30; ++i) {
    const auto due = r.when(one, now);
    if (due == now && i == burst) ++burst;
    now = due;
    level = std::min(6000.0, (level * 19 + std::chrono::duration<double, std::milli>(now - last).count()) / 20);
    last = now;
    CHECK(level >= 5000);
    r.sent(one, now);
  }
  CHECK(burst == 3);
  CHECK(now - Rates::Time(seconds(100)) < seconds(30 * 6));
}

TEST_CASE("Whom the server has limited waits until it is clear") {
  const Rates::Time now{seconds(100)};
  Rates r;
  r.read(rates(), now);
  Writer change;
  change.u16(3).u16(one).u32(20).u32(5100).u32(5000).u32(4000).u32(3000).u32(3900).u32(6000);
  r.change(change.octets(), now);
  const auto due = r.when(one, now);
  CHECK(due > now + seconds(20));
  CHECK((3900.0 * 19 + std::chrono::duration<double, std::milli>(due - now).count()) / 20 >= 5200);
}

TEST_CASE("What cannot be read is no limit, and impossible ones do not stop everything") {
  const Rates::Time now{seconds(100)};
  const std::string whole = rates();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    Rates cut;
    CHECK_FALSE(cut.read(std::string_view(whole).substr(0, length), now));
    CHECK(cut.when(one, now) == now);
  }
  Rates impossible;
  REQUIRE(impossible.read(rates(0, 0xFFFFFFFF, 0), now));
  CHECK(impossible.when(one, now) <= now + seconds(7));
  Rates many;
  CHECK_FALSE(many.read(Writer().u16(0xFFFF).octets(), now));
}

// The user's own picture, against servers that have it, that have it not, and that do not say. The octets of 01/21 are
// open-oscar-server's.
#include "connectors/oscar/client/login.hpp"
#include "tests/unit/oscar/session_server.hpp"
#include "tests/unit/oscar/world.hpp"

#include <algorithm>

using namespace wherry;
using namespace wherry::oscar;
using connector::Errc;

namespace {

const std::string own_picture = "GIF89a, as octets go";

std::vector<Snac> take_picture(const Snac& asked) {
  if (!asked.is(0x10, 0x02)) return {};
  Snac taken;
  taken.family = 0x10;
  taken.subtype = 0x03;
  taken.body = Writer().u8(0).u16(1).u8(1).text8(md5(own_picture)).take();
  return {taken};
}

bool is_of_an_icon(const Snac& packet) {
  Reader in(packet.body);
  return packet.is(0x13, 0x08) && read_items(in, 1).at(0).type == RosterItem::icon;
}

connector::Action show_picture() {
  connector::SetProfile profile;
  profile.avatar.emplace();
  profile.avatar->url = "data:image/gif;base64," + base::to_base64(own_picture);
  return profile;
}

TEST_CASE("What the server says to an icon in the list, as a real one says it") {
  tests::SessionServer server;
  server.log_in();
  for (const char* flags : {"41", "01"}) {
    const std::string note = std::string("0001") + flags + "10128389f10359e22615e3bbcb18b4fd42";
    server.say(1, 0x21, tests::octets(note));
    const auto events = server.session.take_events();
    REQUIRE(events.size() == 1);
    const auto& noted = std::get<IconNoted>(std::get<News>(events[0]));
    CHECK(noted.icon.hash == tests::octets("128389f10359e22615e3bbcb18b4fd42"));
    CHECK(noted.is_wanted == (flags == std::string("41")));
  }
  for (const char* nonsense : {"", "0001", "000141", "00014110", "0001411012", "000141 00", "0000 41 01 aa"}) {
    server.say(1, 0x21, tests::octets(nonsense));
    CHECK(server.events().empty());
  }
  server.say(1, 0x21, tests::octets("0000 01 01 aa 0001 41 01 bb"));  // behind that of another kind
  CHECK(server.events() == "news 14; ");
}

OSCAR_TEST("A picture that the server has already is not given again, and one that it has lost is", known_picture) {
  w.server.answers = take_picture;
  w.server.icon_flags = 0x01;
  co_await w.come_up();
  auto action = show_picture();
  const auto set = co_await w.perform(std::move(action));
  CHECK(set.has_value());
  action = show_picture();
  const auto again = co_await w.perform(std::move(action));
  CHECK(again.has_value());
  CHECK(w.server.count(0x10, 0x02) == 0);
  w.server.icon_flags = 0x41;
  action = show_picture();
  const auto given = co_await w.perform(std::move(action));
  CHECK(given.has_value());
  CHECK(w.server.count(0x10, 0x02) == 1);
  co_await w.end();
}

OSCAR_TEST("A picture is not called shown when the session ends before the server has said so", cut_picture) {
  w.server.answers = take_picture;
  w.server.icon_flags = 0;
  co_await w.come_up();
  std::optional<connector::Result<connector::Receipt>> outcome;
  const auto showing = [](tests::OscarWorld& world, auto& out) -> asio::awaitable<void> {
    auto action = show_picture();
    out = co_await world.perform(std::move(action));
    world.server.changed.notify();
  };
  w.tasks.spawn("showing", showing(w, outcome));
  UNTIL(std::any_of(w.server.heard.begin(), w.server.heard.end(), is_of_an_icon));
  w.server.cut();
  UNTIL(outcome.has_value());
  CHECK(outcome->error().code == Errc::unavailable);
  CHECK(w.server.count(0x10, 0x02) == 0);
  co_await w.end();
}

}  // namespace

// What becomes of an account's session that ends, and of the one after it.
#include "tests/unit/oscar/world.hpp"

using namespace wherry;
using namespace wherry::oscar;

namespace {

OSCAR_TEST("What the server has given away is told, also where the session is ended in order meanwhile", given_away) {
  co_await w.come_up();
  const auto asked = w.sink.asked;
  w.sink.held = true;  // the store takes its time
  for (const char* cookie : {"cookie01", "cookie02", "cookie03"})
    w.server.say(4, 0x07, tests::text_from(tests::icq_user("100002"), "hi", 0, cookie));
  co_await w.sink.wait_asked(asked + 1);
  const auto alive = co_await w.session->probe();  // all three were read
  CHECK(alive.has_value());
  w.tasks.cancel();  // the user goes, or the gateway is restarted
  w.sink.release();
  co_await w.tasks.join();
  CHECK(w.sink.all<connector::MessageReceived>().size() == 3);
  co_await w.end();
}

OSCAR_TEST("Whoever was invisible stays so when the line breaks and comes back", invisible) {
  co_await w.come_up();
  connector::SetPresence presence;
  presence.availability = connector::Availability::offline;
  connector::Action action = std::move(presence);
  const auto shown = co_await w.perform(std::move(action));
  CHECK(shown.has_value());
  UNTIL(w.server.count(1, 0x1E) == 2);
  w.server.cut();
  UNTIL(w.ends.size() == 1);
  const auto before = w.sink.all<connector::AccountChanged>().size();
  w.tasks.spawn("session", w.keep(w.session));  // the same session again
  co_await w.sink.wait_online(before);
  oscar::Reader in(w.server.last(1, 0x1E).body);
  CHECK(oscar::number(oscar::read_tlvs(in), 0x06) == 0x100);
  co_await w.end();
}

}  // namespace

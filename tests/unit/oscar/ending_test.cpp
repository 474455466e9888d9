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

std::string kept_text(const char* text) {
  Writer data;
  data.little32(100002).little16(2026).u8(11).u8(28).u8(22).u8(30).u8(1).u8(0);
  data.little16(static_cast<std::uint32_t>(std::string_view(text).size() + 1)).raw(text).u8(0);
  return data.take();
}

// With the time of those above, and some seconds.
std::string given_out(const char* text, const char* cookie) {
  const auto day = std::chrono::sys_days(std::chrono::year(2026) / 11 / 28);
  const auto time =
      day.time_since_epoch() + std::chrono::hours(22) + std::chrono::minutes(30) + std::chrono::seconds(7);
  return tests::text_from(tests::icq_user("100002"), text, 0, cookie) +
         Writer().tlv32(0x16, static_cast<std::uint32_t>(std::chrono::seconds(time).count())).take();
}

OSCAR_TEST("A server that ends the session at what it kept is asked another way, and nothing is told twice",
           broken_kept) {
  w.server.stored = {kept_text("one"), kept_text("two")};
  w.server.ends_stored = false;
  w.open();
  UNTIL(w.ends.size() == 1);
  w.tasks.spawn("session", w.keep(w.session));
  UNTIL(w.ends.size() == 2);
  CHECK(w.sink.all<connector::MessageReceived>().size() == 4);  // with the same ids
  CHECK(w.server.count(4, 0x10) == 0);
  w.tasks.spawn("session", w.keep(w.session));
  UNTIL(w.server.count(4, 0x10) == 1);
  for (const auto& [text, cookie] : {std::pair("one", "cookie01"), {"two", "cookie02"}, {"three", "cookie03"}})
    w.server.say(4, 0x07, given_out(text, cookie));
  w.server.say(4, 0x07, tests::text_from(tests::icq_user("100002"), "one", 0, "cookie04"));
  co_await w.sink.wait_for<connector::MessageReceived>(6);
  const auto messages = w.sink.all<connector::MessageReceived>();
  CHECK(messages[0].id == messages[2].id);
  CHECK(messages[1].id == messages[3].id);
  CHECK(messages[4].content.text == "three");
  CHECK(messages[5].content.text == "one");
  CHECK(w.server.count_icq(IcqPacket::delete_stored) == 0);
  co_await w.end();
}

}  // namespace

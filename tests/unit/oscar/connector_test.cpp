#include "tests/unit/oscar/world.hpp"

using namespace wherry;
using namespace wherry::oscar;
using connector::Errc;
using connector::Stage;
using std::chrono::seconds;

namespace {

// Whose answers are awaited.
std::size_t waiting(const tests::OscarWorld& w) {
  std::size_t found = 0;
  for (const auto& [key, value] : w.bench.storage.values) found += key.starts_with("waiting/") ? 1 : 0;
  return found;
}

oscar::RosterItem contact(std::string name, std::uint16_t id) {
  oscar::RosterItem item;
  item.name = std::move(name);
  item.group_id = 1;
  item.item_id = id;
  return item;
}

std::string stored_text(const char* text) {
  oscar::Writer data;
  data.little32(100002).little16(2026).u8(11).u8(28).u8(22).u8(30).u8(1).u8(0);
  data.little16(static_cast<std::uint32_t>(std::string_view(text).size() + 1)).raw(text).u8(0);
  return data.take();
}

OSCAR_TEST("A registration is a real login", registration) {
  const auto wrong = co_await w.log_in("100001", "wrong");
  CHECK(wrong.error().code == Errc::not_authorized);
  CHECK(wrong.error().text == "ICQ refuses the login: the name or the password is wrong (code 5).");
  const auto right = co_await w.log_in("100-001", "secret01");
  REQUIRE(right.has_value());
  CHECK(*right == connector::Answers{{"username", "100001"}, {"password", "secret01"}});
  const int logins = w.server.logins;
  const auto name = co_await w.log_in("Chatty Joe", "secret01");
  CHECK(name.error().code == Errc::bad_input);
  const auto empty = co_await w.log_in("100001", "");
  CHECK(empty.error().code == Errc::bad_input);
  CHECK(w.server.logins == logins);
  w.server.refusal = 0x14;
  const auto later = co_await w.log_in("100001", "secret01");
  CHECK(later.error().code == Errc::unavailable);
  co_await w.end();
  const auto gone = co_await w.log_in("100001", "secret01");
  CHECK(gone.error().code == Errc::unavailable);
}

OSCAR_TEST("Looking at the form logs nobody in", form) {
  connector::Applicant applicant;
  const auto shown = co_await w.network->login_form(std::move(applicant));
  REQUIRE(shown.has_value());
  CHECK(shown->fields.at(0).name == "username");
  CHECK(shown->fields.at(1).type == connector::Field::Type::secret);
  CHECK(w.server.logins == 0);
  co_await w.end();
}

OSCAR_TEST("A server that knows no challenges is told the password the old way, where the configuration allows it",
           roasting, nlohmann::json{{"login", "either"}}) {
  w.server.knows_challenges = false;
  const auto right = co_await w.log_in("100001", "secret01");
  CHECK(right.has_value());
  const auto wrong = co_await w.log_in("100001", "wrong");
  CHECK(wrong.error().code == Errc::not_authorized);
  w.server.knows_challenges = true;
  const int logins = w.server.logins;
  const auto refused = co_await w.log_in("100001", "wrong");
  CHECK(refused.error().code == Errc::not_authorized);
  CHECK(w.server.logins == logins + 1);  // a refusal is no reason to say it again
  co_await w.end();
}

OSCAR_TEST("… and not where it does not", md5_only) {
  w.server.knows_challenges = false;
  const auto refused = co_await w.log_in("100001", "secret01");
  CHECK(refused.error().code == Errc::unavailable);
  CHECK(w.server.logins == 0);
  co_await w.end();
}

OSCAR_TEST("A session tells its list and who is there", list) {
  oscar::RosterItem joe;
  joe.name = "Chatty Joe";
  joe.group_id = joe.item_id = 1;
  joe.tlvs = {{0x131, "Joe"}};
  w.server.list = {joe};
  co_await w.come_up();
  co_await w.sink.wait_for<connector::ContactsListed>(1);
  const auto listed = w.sink.all<connector::ContactsListed>();
  REQUIRE(listed.at(0).contacts.size() == 1);
  CHECK(listed[0].contacts[0].contact.value == "chattyjoe");
  CHECK(listed[0].contacts[0].name == "Joe");
  w.server.say(3, 0x0B, tests::icq_user("Chatty Joe", 0x01));
  co_await w.sink.wait_for<connector::PresenceChanged>(1);
  UNTIL(w.server.count(2, 0x05) == 1);
  oscar::Writer text;
  text.raw(tests::icq_user("Chatty Joe", 0x01)).tlv(0x03, "text/aolrtf").tlv(0x04, "In the <b>garden</b>");
  w.server.say(2, 0x06, text.octets(), w.server.last(2, 0x05).id);
  co_await w.sink.wait_for<connector::PresenceChanged>(2);
  w.server.say(3, 0x0C, tests::user_info("Chatty Joe"));
  co_await w.sink.wait_for<connector::PresenceChanged>(3);
  const auto presences = w.sink.all<connector::PresenceChanged>();
  CHECK(presences[0].availability == connector::Availability::away);
  CHECK(presences[1].status == "In the garden");
  CHECK(presences[2].availability == connector::Availability::offline);
  const auto alive = co_await w.session->probe();
  CHECK(alive.has_value());
  co_await w.end();
}

OSCAR_TEST("Kept messages are deleted at the server only once they are stored", stored) {
  w.server.stored = {stored_text("one"), stored_text("two"), stored_text("two")};
  w.open();
  co_await w.sink.wait_online(0);
  co_await w.sink.wait_for<connector::MessageReceived>(3);
  UNTIL(w.server.count_icq(oscar::IcqPacket::delete_stored) == 1);
  const auto texts = w.sink.all<connector::MessageReceived>();
  CHECK(texts[0].content.text == "one");
  CHECK(base::to_rfc3339(texts[0].sent_at) == "2026-11-28T22:30:00.000Z");
  CHECK(texts[0].id != texts[1].id);
  CHECK(texts[1].id != texts[2].id);
  w.tasks.cancel();
  co_await w.tasks.join();
  co_await w.come_up();  // our word that they may go was lost: each comes again as what it was
  co_await w.sink.wait_for<connector::MessageReceived>(6);
  const auto again = w.sink.all<connector::MessageReceived>();
  for (std::size_t i = 0; i < 3; ++i) CHECK(again[i + 3].id == again[i].id);
  co_await w.end();
}

OSCAR_TEST("… and not when the store is lost", lost_store) {
  w.server.stored = {stored_text("one")};
  w.sink.broken = true;
  w.open();
  UNTIL(!w.ends.empty());
  CHECK(w.ends[0] == "the store is lost");
  CHECK(w.server.count_icq(oscar::IcqPacket::delete_stored) == 0);
  co_await w.end();
}

OSCAR_TEST("… and not while the store takes its time", slow_store) {
  co_await w.come_up();
  UNTIL(w.server.count_icq(oscar::IcqPacket::delete_stored) == 1);
  w.sink.held = true;
  const auto asked = w.sink.asked;
  const auto again = [&](std::uint16_t type, std::string data) {
    oscar::IcqPacket packet;
    packet.type = type;
    packet.data = std::move(data);
    w.server.say(0x15, 0x03, oscar::write_icq(packet));
  };
  again(oscar::IcqPacket::stored_message, stored_text("late"));
  again(oscar::IcqPacket::end_of_stored, "");
  co_await w.sink.wait_asked(asked + 1);
  const auto alive = co_await w.session->probe();  // the server has heard what came before it
  CHECK(alive.has_value());
  CHECK(w.server.count_icq(oscar::IcqPacket::delete_stored) == 1);
  w.sink.release();
  UNTIL(w.server.count_icq(oscar::IcqPacket::delete_stored) == 2);
  co_await w.end();
}

OSCAR_TEST("A message is sent when the server says so, and delivered when the other side does", sending) {
  co_await w.come_up();
  const auto sent = co_await w.send("hello");
  REQUIRE(sent.has_value());
  REQUIRE(sent->ids.size() == 1);
  oscar::Reader in(w.server.last(4, 0x06).body);
  const std::string cookie(in.take(8));
  CHECK(w.sink.all<connector::MessageProgressed>().empty());
  w.server.say(4, 0x0B, oscar::Writer().raw(cookie).u16(1).text8("100002").take());
  co_await w.sink.wait_for<connector::MessageProgressed>(1);
  const auto progress = w.sink.all<connector::MessageProgressed>();
  CHECK(progress[0].id == sent->ids[0]);
  CHECK(progress[0].stage == Stage::delivered);
  const auto again = co_await w.send("hello");  // the same action: the recipient's program may know it
  CHECK(again->ids == sent->ids);
  const auto other = co_await w.send("hello", "k2");
  CHECK(other->ids != sent->ids);
  const auto empty = co_await w.send("");
  CHECK(empty.error().code == Errc::bad_input);
  co_await w.end();
}

OSCAR_TEST("A refused message says why, and one whose answer a broken line has taken is uncertain", refusals) {
  co_await w.come_up();
  const std::pair<std::uint16_t, Errc> codes[] = {
      {0x04, Errc::offline}, {0x10, Errc::rejected}, {0x05, Errc::unavailable}, {0x14, Errc::not_found}};
  for (const auto& [code, errc] : codes) {
    w.server.message_error = code;
    const auto refused = co_await w.send("hello");
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == errc);
  }
  w.server.message_error = 0;
  w.server.acknowledges = false;
  std::optional<connector::Result<connector::Receipt>> outcome;
  const auto sending = [](tests::OscarWorld& world, auto& out) -> asio::awaitable<void> {
    out = co_await world.send("lost", "k9");
    world.server.changed.notify();
  };
  const auto before = w.server.count(4, 0x06);
  w.tasks.spawn("sending", sending(w, outcome));
  UNTIL(w.server.count(4, 0x06) > before);
  w.server.cut();
  UNTIL(outcome.has_value());
  CHECK(outcome->error().code == Errc::uncertain);
  UNTIL(!w.ends.empty());
  CHECK(w.ends[0] == "The connection has ended: the server closed the connection.");
  const auto down = co_await w.send("later");
  CHECK(down.error().code == Errc::unavailable);
  co_await w.end();
}

OSCAR_TEST("A server that is silent about kept messages is believed where the configuration says so", silent_server,
           nlohmann::json{{"acknowledges_stored", false}}) {
  w.server.acknowledges = false;
  co_await w.come_up();
  const auto sent = co_await w.send("hello");
  CHECK(sent.has_value());
  co_await w.end();
}

OSCAR_TEST("Messages, typing and questions of others come in", receiving) {
  co_await w.come_up();
  w.server.say(4, 0x07, tests::text_from(tests::icq_user("100002"), "hi"));
  w.server.say(4, 0x07, tests::text_from(tests::user_info("Chatty Joe"), "<html><b>hi</b></html>", 0, "cookie02"));
  w.server.say(4, 0x14, oscar::write_typing({"100002", oscar::TypingState::typing}));
  w.server.say(0x13, 0x19, oscar::Writer().text8("100003").text16("please").u16(0).take());
  co_await w.sink.wait_for<connector::MessageReceived>(2);
  co_await w.sink.wait_for<connector::ContactAsked>(1);
  const auto messages = w.sink.all<connector::MessageReceived>();
  CHECK(messages[0].sender.value == "100002");
  CHECK(messages[0].content.text == "hi");
  CHECK(messages[1].sender.value == "chattyjoe");
  CHECK(messages[1].content.text == "hi");
  CHECK(w.sink.all<connector::TypingChanged>().at(0).typing);
  CHECK(w.sink.all<connector::ContactAsked>().at(0).contact.value == "100003");
  connector::AnswerContact answer;
  answer.contact.value = "100003";
  answer.accepted = true;
  connector::Action action = std::move(answer);
  const auto answered = co_await w.perform(std::move(action));
  CHECK(answered.has_value());
  UNTIL(w.server.count(0x13, 0x1A) == 1);
  oscar::Reader in(w.server.last(0x13, 0x1A).body);
  CHECK(in.text8() == "100003");
  CHECK(in.u8() == 1);
  co_await w.end();
}

OSCAR_TEST("A contact who wants to be asked is asked, and the answer is told, also one that came in our absence",
           asking) {
  w.server.careful = {"100002", "100003"};
  co_await w.come_up();
  co_await w.add("100009");
  co_await w.sink.wait_for<connector::ContactAnswered>(1);
  CHECK(w.sink.all<connector::ContactAnswered>().at(0).accepted);
  co_await w.add("100002");
  co_await w.add("100003");
  UNTIL(w.server.count(0x13, 0x18) == 2);
  CHECK(w.sink.all<connector::ContactAnswered>().size() == 1);
  CHECK(waiting(w) == 2);
  w.server.say(0x13, 0x1B, oscar::Writer().text8("100002").u8(0).text16("no").take());
  co_await w.sink.wait_for<connector::ContactAnswered>(2);
  CHECK_FALSE(w.sink.all<connector::ContactAnswered>().at(1).accepted);
  CHECK(waiting(w) == 1);
  w.tasks.cancel();
  co_await w.tasks.join();

  oscar::RosterItem granted;
  granted.name = "100003";
  granted.group_id = granted.item_id = 1;
  w.server.list = {granted, contact("100002", 2), contact("100009", 3)};
  co_await w.come_up();
  co_await w.sink.wait_for<connector::ContactAnswered>(3);
  CHECK(w.sink.all<connector::ContactAnswered>().at(2).contact.value == "100003");
  CHECK(w.sink.all<connector::ContactAnswered>().at(2).accepted);
  CHECK(waiting(w) == 0);
  co_await w.end();
}

OSCAR_TEST("Who is shown away has a text, and who is back has none", presence) {
  co_await w.come_up();
  const auto show = [&](connector::Availability availability, std::string status) -> connector::Action {
    connector::SetPresence presence;
    presence.availability = availability;
    presence.status = std::move(status);
    return presence;
  };
  auto action = show(connector::Availability::away, "Out & about");
  auto shown = co_await w.perform(std::move(action));
  CHECK(shown.has_value());
  action = show(connector::Availability::online, "here");
  shown = co_await w.perform(std::move(action));
  CHECK(shown.has_value());
  const auto alive = co_await w.session->probe();
  CHECK(alive.has_value());
  std::vector<std::string> texts;
  for (const auto& packet : w.server.heard) {
    if (!packet.is(2, 0x04)) continue;
    oscar::Reader in(packet.body);
    const auto tlvs = oscar::read_tlvs(in);
    if (const auto* text = oscar::find(tlvs, 0x04)) texts.push_back(*text);
  }
  CHECK(texts == std::vector<std::string>{"Out &amp; about", ""});
  const auto is_presence = [](const oscar::Snac& packet) { return packet.is(2, 0x04) || packet.is(1, 0x1E); };
  const auto newest = std::find_if(w.server.heard.rbegin(), w.server.heard.rend(), is_presence);
  REQUIRE(newest != w.server.heard.rend());
  CHECK(newest->is(1, 0x1E));  // whoever is told of it asks for the text at once
  oscar::Reader in(w.server.last(1, 0x1E).body);
  CHECK(oscar::number(oscar::read_tlvs(in), 0x06) == 0);
  co_await w.end();
}

OSCAR_TEST("Who has not touched their program for a while is told with the time", idle) {
  co_await w.come_up();
  w.server.say(3, 0x0B, tests::user_info("100002", {{0x04, tests::octets("000a")}}));
  w.server.say(3, 0x0B, tests::user_info("100002", {{0x04, tests::octets("000a")}}));
  w.server.say(3, 0x0B, tests::user_info("100002"));
  co_await w.sink.wait_for<connector::PresenceChanged>(3);
  const auto presences = w.sink.all<connector::PresenceChanged>();
  REQUIRE(presences[0].idle_since);
  const auto passed = w.bench.clock.now() - *presences[0].idle_since;
  CHECK(passed >= std::chrono::minutes(10));
  CHECK(passed < std::chrono::minutes(12));
  CHECK(presences[1].idle_since == presences[0].idle_since);
  CHECK_FALSE(presences[2].idle_since);
  co_await w.end();
}

OSCAR_TEST("A wrong password ends the trying, and so does a login elsewhere", ends) {
  w.know("wrong");
  w.open();
  UNTIL(!w.ends.empty());
  CHECK(w.ends[0].empty());
  CHECK(w.sink.all<connector::AccountChanged>().back().needs_login);
  w.know("secret01");
  co_await w.come_up();
  w.server.close(oscar::Writer().tlv16(0x09, 1).octets());
  UNTIL(w.ends.size() == 2);
  CHECK(w.ends[1].empty());
  const auto last = w.sink.all<connector::AccountChanged>().back();
  CHECK(last.needs_login);
  CHECK(last.text.starts_with("You have logged in elsewhere"));
  co_await w.end();
}

OSCAR_TEST("A good-bye without a reason is tried again, and trouble at the server is not the user's", good_byes) {
  co_await w.come_up();
  w.server.close();
  UNTIL(!w.ends.empty());
  CHECK(w.ends[0] == "The connection has ended: the server ended the session.");
  w.server.refusal = 0x14;
  w.open();
  UNTIL(w.ends.size() == 2);
  CHECK(w.ends[1] == "The login was refused: the service is out of order (code 20).");
  for (const auto& state : w.sink.all<connector::AccountChanged>()) CHECK_FALSE(state.needs_login);
  co_await w.end();
}

}  // namespace

TEST_CASE("A configuration's mistakes are told by their keys, all at once") {
  tests::Bench bench;
  const auto wrong = [&](const char* json) {
    const auto made = OscarConnector::make(nlohmann::json::parse(json), bench.services);
    return made ? std::string("right") : made.error().text;
  };
  CHECK(wrong(R"({"host":"h"})") == "right");
  CHECK(wrong(R"({})").starts_with("host: "));
  CHECK(wrong(R"({"host":"h","network":"msn"})").starts_with("network: "));
  CHECK(wrong(R"({"host":"h","code_page":"klingon"})") ==
        "code_page: is no code page that is known here, like windows-1251");
  const std::string two = wrong(R"({"host":"h","port":0,"logins_a_minute":0})");
  CHECK(two.find("port: ") != std::string::npos);
  CHECK(two.find("logins_a_minute: ") != std::string::npos);
}

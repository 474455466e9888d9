// Texts that are in no charset that anybody names, names that are nobody's, and texts that are too long for a packet.
#include "tests/unit/oscar/world.hpp"

#include <algorithm>

using namespace wherry;
using namespace wherry::oscar;
using connector::Errc;
using tests::octets;

namespace {

const std::string hello = octets("cff0e8e2e5f2");  // "Привет" in windows-1251

RosterItem item(std::string name, std::uint16_t group, std::uint16_t id, RosterItem::Type type, Tlvs tlvs = {}) {
  RosterItem made;
  made.name = std::move(name);
  made.group_id = group;
  made.item_id = id;
  made.type = type;
  made.tlvs = std::move(tlvs);
  return made;
}

std::string asked(std::string_view name, std::string_view why) {
  return Writer().text8(name).text16(why).u16(0).take();
}

asio::awaitable<void> add(tests::OscarWorld& w, std::string contact, std::string text) {
  connector::AddContact add;
  add.contact.value = std::move(contact);
  add.text = std::move(text);
  connector::Action action = std::move(add);
  const auto added = co_await w.perform(std::move(action));
  CHECK(added.has_value());
}

// Of the newest request for an authorisation.
std::string reason_of(const tests::OscarWorld& w) {
  Reader in(w.server.last(0x13, 0x18).body);
  in.text8();
  std::string reason = in.text16();
  CHECK(in.u16() == 0);
  CHECK(in.ok());
  return reason;
}

OSCAR_TEST("What other programs have written in their code page is told in UTF-8", code_page,
           nlohmann::json{{"code_page", "windows-1251"}}) {
  w.server.list = {item(hello, 1, 0, RosterItem::group), item("100002", 1, 1, RosterItem::contact, {{0x131, hello}})};
  co_await w.come_up();
  co_await w.sink.wait_for<connector::ContactsListed>(1);
  const auto contact = w.sink.all<connector::ContactsListed>().at(0).contacts.at(0);
  CHECK(contact.name == "Привет");
  CHECK(contact.groups == std::vector<std::string>{"Привет"});
  w.server.say(0x13, 0x19, asked("100003", hello));
  co_await w.sink.wait_for<connector::ContactAsked>(1);
  CHECK(w.sink.all<connector::ContactAsked>().at(0).text == "Привет");
  w.server.say(0x13, 0x09, write_items({item("100002", 1, 1, RosterItem::contact, {{0x131, "J" + hello}})}));
  co_await w.sink.wait_for<connector::ContactListChanged>(1);
  CHECK(w.sink.all<connector::ContactListChanged>().at(0).changed.at(0).name == "JПривет");
  co_await w.end();
}

OSCAR_TEST("Who has a name that nobody can be written to by is told of in words", nobodies) {
  const std::string odd = octets("e974e9");
  w.server.list = {item(odd, 1, 1, RosterItem::contact), item("100002", 1, 2, RosterItem::contact)};
  co_await w.come_up();
  co_await w.sink.wait_for<connector::ContactsListed>(1);
  CHECK(w.sink.all<connector::ContactsListed>().at(0).contacts.size() == 1);
  w.server.say(0x13, 0x19, asked(odd, "please"));
  w.server.say(0x13, 0x19, asked(" ", "please"));
  w.server.say(0x13, 0x1C, Writer().text8(odd).take());
  w.server.say(0x13, 0x1B, Writer().text8(odd).u8(1).text16("").take());
  w.server.say(4, 0x07, tests::text_from(tests::user_info(odd), "hi"));
  w.server.say(4, 0x0A, Writer().u16(1).raw(tests::user_info(odd)).u16(3).u16(2).take());
  w.server.say(3, 0x0B, tests::user_info(odd));
  w.server.say(4, 0x14, write_typing({odd, TypingState::typing}));
  w.server.say(0x13, 0x0A, write_items({item(odd, 1, 1, RosterItem::contact)}));
  w.server.say(4, 0x07, tests::text_from(tests::icq_user("100002"), "after it"));
  co_await w.sink.wait_for<connector::MessageReceived>(1);
  CHECK(w.sink.all<connector::ContactAsked>().empty());
  CHECK(w.sink.all<connector::ContactAnswered>().empty());
  CHECK(w.sink.all<connector::ContactListChanged>().empty());
  const auto notices = w.sink.all<connector::AccountNotice>();
  CHECK(notices.size() == 5);
  for (const auto& notice : notices) {
    CHECK(base::is_utf8(notice.id.value));
    CHECK(base::is_utf8(notice.text));
  }
  CHECK(w.ends.empty());
  co_await w.end();
}

OSCAR_TEST("Why somebody asks goes both ways; what every program of ours says is left out", reasons) {
  w.server.careful = {"100002", "100003"};
  co_await w.come_up();
  co_await add(w, "100002", "It is the boy from the ball");
  UNTIL(w.server.count(0x13, 0x18) == 1);
  CHECK(reason_of(w) == "It is the boy from the ball");
  co_await add(w, "100003", "");
  UNTIL(w.server.count(0x13, 0x18) == 2);
  const std::string usual = reason_of(w);
  CHECK_FALSE(usual.empty());
  w.server.say(0x13, 0x19, asked("100004", "It is the girl"));
  w.server.say(0x13, 0x19, asked("100005", usual));
  co_await w.sink.wait_for<connector::ContactAsked>(2);
  CHECK(w.sink.all<connector::ContactAsked>().at(0).text == "It is the girl");
  CHECK(w.sink.all<connector::ContactAsked>().at(1).text.empty());
  co_await w.end();
}

OSCAR_TEST("A text that no packet has room for is cut between characters", long_texts) {
  std::string endless;
  for (int i = 0; i < 50'000; ++i) endless += "ю";
  w.server.careful = {"100002"};
  w.server.list = {item("100003", 1, 1, RosterItem::contact)};
  co_await w.come_up();
  co_await add(w, "100002", endless);
  UNTIL(w.server.count(0x13, 0x18) == 1);
  const std::string reason = reason_of(w);
  CHECK(reason.size() <= 1000);
  CHECK(base::is_utf8(reason));
  connector::SetPresence presence;
  presence.availability = connector::Availability::away;
  presence.status = endless;
  connector::Action action = std::move(presence);
  const auto shown = co_await w.perform(std::move(action));
  CHECK(shown.has_value());
  connector::RenameContact rename;
  rename.contact.value = "100003";
  rename.name = endless;
  action = std::move(rename);
  const auto renamed = co_await w.perform(std::move(action));
  CHECK(renamed.has_value());
  Reader info(w.server.last(2, 0x04).body);
  const Tlvs tlvs = read_tlvs(info);
  REQUIRE(find(tlvs, 0x04));
  CHECK(base::is_utf8(*find(tlvs, 0x04)));
  Reader items(w.server.last(0x13, 0x09).body);
  const auto changed = read_items(items, 1);
  REQUIRE(changed.size() == 1);
  CHECK(changed[0].alias().size() <= 250);
  CHECK(base::is_utf8(changed[0].alias()));
  co_await w.end();
}

OSCAR_TEST("Nobody is searched for by an address that is none", long_address, nlohmann::json{{"network", "aim"}}) {
  w.server.passwords["romeo"] = "secret02";
  w.know("secret02", "romeo");
  co_await w.come_up();
  connector::SearchQuery query;
  query.words = std::string(100'000, 'a') + "@x.test";
  connector::Query asked = std::move(query);
  const auto found = co_await w.ask(std::move(asked));
  CHECK(found.error().code == Errc::bad_input);
  CHECK(w.server.count(0x0A, 0x02) == 0);
  co_await w.end();
}

OSCAR_TEST("A program that could not read a message has not got it", unreadable) {
  co_await w.come_up();
  const auto first = co_await w.send("one", "k1");
  const auto second = co_await w.send("two", "k2");
  std::vector<std::string> cookies;
  for (const auto& packet : w.server.heard) {
    if (packet.is(4, 0x06)) cookies.push_back(packet.body.substr(0, 8));
  }
  REQUIRE(cookies.size() == 2);
  w.server.say(4, 0x0B, Writer().raw(cookies[0]).u16(1).text8("100002").u16(2).take());
  w.server.say(4, 0x0B, Writer().raw(cookies[1]).u16(1).text8("100002").u16(3).take());
  co_await w.sink.wait_for<connector::MessageProgressed>(2);
  const auto progress = w.sink.all<connector::MessageProgressed>();
  CHECK(progress[0].id == first->ids.at(0));
  CHECK(progress[0].stage == connector::Stage::failed);
  CHECK_FALSE(progress[0].text.empty());
  CHECK(progress[1].id == second->ids.at(0));
  CHECK(progress[1].stage == connector::Stage::delivered);
  co_await w.end();
}

OSCAR_TEST("Who offers a file is refused, and the user hears of it", file) {
  co_await w.come_up();
  Writer data;
  data.u16(0).raw("cookie02").raw(octets("094613434C7F11D18222444553540000")).tlv16(0x0A, 1);
  w.server.say(4, 0x07, Writer().raw("cookie01").u16(2).raw(tests::icq_user("100002")).tlv(0x05, data.octets()).take());
  UNTIL(w.server.count(4, 0x06) == 1);
  CHECK(w.server.last(4, 0x06).body.starts_with("cookie01" + octets("0002")));
  const auto notices = w.sink.all<connector::AccountNotice>();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].text == "100002 offers you a file, which this gateway does not carry.");
  CHECK(w.sink.all<connector::MessageReceived>().empty());
  co_await w.end();
}

OSCAR_TEST("Why somebody is away is asked for again when the server tells of them again", another_reason) {
  std::string text;
  w.server.answers = [&text](const Snac& asked) {
    std::vector<Snac> all;
    if (!asked.is(2, 0x05)) return all;
    Snac answer;
    answer.family = 2;
    answer.subtype = 0x06;
    answer.body = Writer().raw(tests::icq_user("100002", 1)).tlv(0x03, "text/aolrtf").tlv(0x04, text).take();
    all.push_back(std::move(answer));
    return all;
  };
  co_await w.come_up();
  w.server.say(3, 0x0B, tests::icq_user("100002", 0x01));  // before the program has said why
  UNTIL(w.server.count(2, 0x05) == 1);
  text = "In the garden";
  w.server.say(3, 0x0B, tests::icq_user("100002", 0x01));
  co_await w.sink.wait_for<connector::PresenceChanged>(3);
  CHECK(w.sink.all<connector::PresenceChanged>().back().status == "In the garden");
  text = "On the balcony";
  w.server.say(3, 0x0B, tests::icq_user("100002", 0x01));
  co_await w.sink.wait_for<connector::PresenceChanged>(5);
  CHECK(w.sink.all<connector::PresenceChanged>().at(3).status == "In the garden");
  CHECK(w.sink.all<connector::PresenceChanged>().at(4).status == "On the balcony");
  co_await w.end();
}

}  // namespace

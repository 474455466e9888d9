#include "connectors/oscar/client/roster.hpp"

#include "connectors/oscar/convert/names.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::oscar;

namespace {

RosterItem item(std::string name, std::uint16_t group, std::uint16_t id, RosterItem::Type type, Tlvs tlvs = {}) {
  RosterItem made;
  made.name = std::move(name);
  made.group_id = group;
  made.item_id = id;
  made.type = type;
  made.tlvs = std::move(tlvs);
  return made;
}

Roster with(std::vector<RosterItem> items) {
  Roster roster(plain_name);
  roster.apply({RosterChange::Kind::insert, std::move(items)});
  return roster;
}

Roster friends() {
  return with({item("", 0, 0, RosterItem::group, {{0xC8, Writer().u16(1).take()}}),
               item("Friends", 1, 0, RosterItem::group, {{0xC8, Writer().u16(5).u16(6).take()}}),
               item("Chatty Joe", 1, 5, RosterItem::contact, {{0x131, "Joe"}}),
               item("chattyjoe", 1, 6, RosterItem::contact), item("100001", 1, 7, RosterItem::contact, {{0x66, ""}})});
}

// As text: "+name/group/item".
std::string written(const std::vector<RosterChange>& changes) {
  std::string all;
  for (const RosterChange& change : changes) {
    for (const RosterItem& one : change.items) {
      const char sign = change.kind == RosterChange::Kind::insert   ? '+'
                        : change.kind == RosterChange::Kind::update ? '='
                                                                    : '-';
      all += sign + one.name + "/" + std::to_string(one.group_id) + "/" + std::to_string(one.item_id);
      if (const auto* members = find(one.tlvs, 0xC8)) {
        Reader in(*members);
        while (!in.empty()) all += "," + std::to_string(in.u16());
      }
      all += ' ';
    }
  }
  return all;
}

}  // namespace

TEST_CASE("Items are written as servers write them") {
  const auto alice = item("100001", 1, 0x0B, RosterItem::contact, {{0x131, "Alice ICQ"}});
  const std::string octets = write_items({alice});
  CHECK(octets == Writer().text16("100001").u16(1).u16(0x0B).u16(0).u16(0x0D).u16(0x131).text16("Alice ICQ").octets());
  Reader in(octets);
  CHECK(read_items(in, 100) == std::vector<RosterItem>{alice});
  for (std::size_t length = 0; length < octets.size(); ++length) {
    Reader cut(std::string_view(octets).substr(0, length));
    CHECK(read_items(cut, 100).empty());
  }
}

TEST_CASE("Several items of one name are one contact") {
  const auto contacts = friends().contacts();
  REQUIRE(contacts.size() == 2);
  CHECK(contacts[0].name == "chattyjoe");
  CHECK(contacts[0].alias == "Joe");
  CHECK(contacts[0].groups == std::vector<std::string>{"Friends"});
  CHECK(contacts[1].name == "100001");
  CHECK(contacts[1].awaits_authorisation);
}

TEST_CASE("A contact comes into the first group, or into one that is made for it") {
  CHECK(written(friends().to_add("100002", false)) == "+100002/1/1 =Friends/1/0,5,6,1 ");
  CHECK(friends().to_add("Chatty joe", false).empty());
  CHECK(written(with({}).to_add("100002", true)) == "+General/1/0 +/0/0,1 +100002/1/1 =General/1/0,1 ");
  const auto awaiting = with({}).to_add("100002", true);
  CHECK(awaiting[2].items[0].awaits_authorisation());
}

TEST_CASE("All items of a contact go, and its group knows") {
  CHECK(written(friends().to_remove("chattyjoe")) == "-Chatty Joe/1/5 -chattyjoe/1/6 =Friends/1/0 ");
  CHECK(friends().to_remove("100009").empty());
}

TEST_CASE("Names and denials") {
  CHECK(written(friends().to_rename("chattyjoe", "Joe")) == "=chattyjoe/1/6 ");
  CHECK(friends().to_rename("100001", "A")[0].items[0].alias() == "A");
  CHECK(written(friends().to_deny("100003", true)) == "+100003/0/1 +/0/2 ");
  auto roster = friends();
  for (const auto& change : roster.to_deny("100003", true)) roster.apply(change);
  CHECK(roster.is_denied("100003"));
  CHECK(roster.to_deny("100003", true).empty());
  CHECK(written(roster.to_deny("100004", true)) == "+100004/0/3 ");  // the mode is right by now
  CHECK(written(roster.to_deny("100003", false)) == "-100003/0/1 ");
}

TEST_CASE("Typing is asked for unless the user has said no") {
  const auto changes = with({}).to_show_typing();
  REQUIRE(changes.size() == 1);
  CHECK(number(changes[0].items[0].tlvs, 0xC9) == 0x400000);
  const auto no = item("", 0, 9, RosterItem::preferences, {{0xD6, Writer().u32(0x400000).take()}});
  CHECK(with({no}).to_show_typing().empty());
}

TEST_CASE("The account's own icon is an item of the list") {
  Roster roster = friends();
  const auto shown = roster.to_show_icon("0123456789abcdef");
  CHECK(written(shown) == "+1/0/1 ");
  CHECK(*find(shown[0].items[0].tlvs, 0xD5) == std::string("\x01\x10", 2) + "0123456789abcdef");
  roster.apply(shown[0]);
  CHECK(written(roster.to_show_icon("0123456789abcdef")) == "=1/0/1 ");  // whether the server has it is answered anew
  CHECK(written(roster.to_show_icon("another")) == "=1/0/1 ");
}

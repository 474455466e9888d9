#include "connectors/msn/roster.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::msn;
using connector::Availability;
using connector::Event;

namespace {

Roster lovers() {
  Roster roster;
  roster.groups["g1"] = "Lovers";
  roster.members.push_back(
      {"juliet@x.test", "Juliet", "guid-1", list::forward | list::allow | list::reverse, {"g1", "g?"}});
  roster.members.push_back({"nurse@x.test", "nurse@x.test", "", list::pending, {}});
  roster.members.push_back({"tybalt@x.test", "Tybalt", "", list::block, {}});
  return roster;
}

template <class E>
std::vector<E> all_in(const std::vector<Event>& events) {
  std::vector<E> found;
  for (const Event& event : events) {
    if (const auto* it = std::get_if<E>(&event)) found.push_back(*it);
  }
  return found;
}

}  // namespace

TEST_CASE("After a login there is the list of FL with names and groups, and a question of each on PL") {
  Contacts contacts;
  const auto events = contacts.begin(lovers());
  const auto listed = all_in<connector::ContactsListed>(events);
  REQUIRE(listed.size() == 1);
  REQUIRE(listed[0].contacts.size() == 1);
  CHECK(listed[0].contacts[0] == connector::ListedContact{{"juliet@x.test"}, "Juliet", {"Lovers"}});
  const auto asked = all_in<connector::ContactAsked>(events);
  REQUIRE(asked.size() == 1);
  CHECK(asked[0] == connector::ContactAsked{{"nurse@x.test"}, ""});
  CHECK(contacts.guid_of("juliet@x.test") == "guid-1");
}

TEST_CASE("Presence is of those on FL alone, and a person's words go with the status") {
  Contacts contacts;
  contacts.begin(lovers());
  CHECK(contacts.take(StatusChanged{"tybalt@x.test", "NLN", ""}).empty());
  CHECK(contacts.take(StatusChanged{"stranger@x.test", "NLN", ""}).empty());
  CHECK(contacts.take(PersonalMessageChanged{"juliet@x.test", "<PSM>on the balcony</PSM>"}).empty());
  const auto came = all_in<connector::PresenceChanged>(contacts.take(StatusChanged{"juliet@x.test", "BSY", "Juliet"}));
  REQUIRE(came.size() == 1);
  CHECK(came[0] == connector::PresenceChanged{{"juliet@x.test"}, Availability::do_not_disturb, "on the balcony"});
  CHECK(contacts.take(PersonalMessageChanged{"juliet@x.test", "<PSM>on the balcony</PSM>"}).empty());
  CHECK(contacts.take(PersonalMessageChanged{"juliet@x.test", ""}).size() == 1);
  contacts.take(PersonalMessageChanged{"juliet@x.test", "<PSM>gone</PSM>"});
  const auto went = all_in<connector::PresenceChanged>(contacts.take(StatusChanged{"juliet@x.test", "FLN", ""}));
  REQUIRE(went.size() == 1);
  CHECK(went[0] == connector::PresenceChanged{{"juliet@x.test"}, Availability::offline, ""});
}

TEST_CASE("A new name is told once") {
  Contacts contacts;
  contacts.begin(lovers());
  const auto events = contacts.take(StatusChanged{"juliet@x.test", "NLN", "Jule"});
  REQUIRE(all_in<connector::ContactChanged>(events).size() == 1);
  CHECK(all_in<connector::ContactChanged>(events)[0].name == "Jule");
  CHECK(all_in<connector::ContactChanged>(contacts.take(StatusChanged{"juliet@x.test", "BSY", "Jule"})).empty());
  CHECK(contacts.name_of("juliet@x.test") == "Jule");
  CHECK(contacts.name_of("stranger@x.test") == "stranger@x.test");
}

TEST_CASE("The picture that a contact shows is named by its hash, and told when it is another one") {
  Contacts contacts;
  contacts.begin(lovers());
  const auto picture = [&](const char* code, const char* object) {
    std::vector<std::string> names;
    for (const auto& changed :
         all_in<connector::ContactChanged>(contacts.take(StatusChanged{"juliet@x.test", code, "Juliet", object})))
      names.push_back(changed.avatar);
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(picture("NLN", "<msnobj Creator=\"j\" Type=\"3\" SHA1D=\"a&lt;b=\" SHA1C=\"c\"/>") == Names{"a<b="});
  CHECK(picture("BSY", "<msnobj Type=\"3\" SHA1D=\"a&lt;b=\"/>").empty());
  CHECK(picture("FLN", "").empty());
  CHECK(picture("NLN", "<msnobj Type=\"2\" SHA1D=\"other\"/>") == Names{""});
  CHECK(picture("NLN", "").empty());
  CHECK(picture("NLN", (std::string("<msnobj Type=\"3\" SHA1D=\"") + std::string(101, 'a') + "\"/>").c_str()).empty());
  CHECK(picture("NLN", "<msnobj Type=\"3\" SHA1D=\"unfinished") == Names{"unfinished"});
}

TEST_CASE("A profile has the name, the address and a number") {
  Contacts contacts;
  Roster roster = lovers();
  roster.members[0].phones = {{"PHH", ""}, {"PHW", "3"}};
  contacts.begin(std::move(roster));
  contacts.take(StatusChanged{"juliet@x.test", "NLN", "Juliet", "<msnobj Type=\"3\" SHA1D=\"abc=\"/>"});
  auto profile = contacts.profile_of("juliet@x.test");
  REQUIRE(profile);
  CHECK(*profile == connector::Profile{"Juliet", "abc=", {{"email", "juliet@x.test"}, {"phone", "3"}}});
  contacts.take(PhoneChanged{{"juliet@x.test", "PHM", "2"}});
  contacts.take(PhoneChanged{{"stranger@x.test", "PHM", "2"}});
  CHECK(contacts.profile_of("juliet@x.test")->details.at("phone") == "2");
  CHECK(contacts.profile_of("nurse@x.test")->name.empty());
  CHECK_FALSE(contacts.profile_of("stranger@x.test"));
}

TEST_CASE("What the user changes in the list is its news, and what the user calls somebody is not that person's name") {
  Contacts contacts;
  contacts.begin(lovers());
  contacts.rename("juliet@x.test", "Jule");
  CHECK(std::get<connector::ContactListChanged>(contacts.listing_of("juliet@x.test")).changed ==
        std::vector{connector::ListedContact{{"juliet@x.test"}, "Jule", {"Lovers"}}});
  CHECK(contacts.name_of("juliet@x.test") == "Juliet");
  contacts.take_off("juliet@x.test", list::forward);
  CHECK(std::get<connector::ContactListChanged>(contacts.listing_of("juliet@x.test")).removed ==
        std::vector{connector::ContactId{"juliet@x.test"}});
  contacts.put_on("paris@x.test", list::forward);
  CHECK(all_in<connector::ContactChanged>(contacts.set_name("paris@x.test", "Paris")).size() == 1);
  CHECK(contacts.set_name("paris@x.test", "Paris").empty());
}

TEST_CASE("Who was lost from either side's list since the last session is told, unless the whole list is lost") {
  Contacts contacts;
  contacts.begin(lovers());
  CHECK(contacts.memory().find("\n3 juliet@x.test\n2 nurse@x.test\n") != std::string::npos);
  const auto events = contacts.begin(
      lovers(), "3 juliet@x.test\n2 nurse@x.test\n1 paris@x.test\n2 rosaline@x.test\n3 tybalt@x.test\n\nx");
  CHECK(all_in<connector::ContactAnswered>(events) ==
        std::vector<connector::ContactAnswered>{{{"paris@x.test"}, false}, {{"tybalt@x.test"}, false}});
  CHECK(all_in<connector::ContactRemoved>(events) ==
        std::vector<connector::ContactRemoved>{{{"rosaline@x.test"}}, {{"tybalt@x.test"}}});
  CHECK(contacts.begin(Roster{}, "3 juliet@x.test\n").size() == 1);
  contacts.take(AddedUs{"paris@x.test", ""});
  CHECK(contacts.memory().ends_with(" paris@x.test\n"));
}

TEST_CASE("Who adds us waits on PL; who removes us does not any more") {
  Contacts contacts;
  contacts.begin(lovers());
  CHECK(all_in<connector::ContactAsked>(contacts.take(AddedUs{"paris@x.test", "Paris"})).size() == 1);
  CHECK(contacts.is_on("paris@x.test", list::pending));
  CHECK(all_in<connector::ContactRemoved>(contacts.take(RemovedUs{"paris@x.test"})).size() == 1);
  CHECK_FALSE(contacts.is_on("paris@x.test", list::pending));
  CHECK(contacts.take(RemovedUs{"stranger@x.test"}).empty());
}

TEST_CASE("Whom the user has blocked asks nothing, however often they add the user") {
  Contacts contacts;
  Roster roster = lovers();
  roster.members[2].lists |= list::pending;
  CHECK(all_in<connector::ContactAsked>(contacts.begin(std::move(roster))) ==
        std::vector{connector::ContactAsked{{"nurse@x.test"}, ""}});
  contacts.take(RemovedUs{"tybalt@x.test"});
  CHECK(contacts.take(AddedUs{"tybalt@x.test", "Tybalt"}).empty());
  contacts.take_off("tybalt@x.test", list::block);
  CHECK(contacts.take(AddedUs{"tybalt@x.test", "Tybalt"}).size() == 1);
}

TEST_CASE("Nobody is told to be lost where the list has lines that could not be read, nor forgotten") {
  Contacts contacts;
  for (const auto& [unread, left_out] : {std::pair(1, 0), std::pair(0, 1)}) {
    Roster torn = lovers();
    torn.unread = static_cast<std::size_t>(unread);
    torn.left_out = static_cast<std::size_t>(left_out);
    const auto events = contacts.begin(std::move(torn), "3 paris@x.test\n2 rosaline@x.test\n");
    CHECK(all_in<connector::ContactAnswered>(events).empty());
    CHECK(all_in<connector::ContactRemoved>(events).empty());
    const std::string memory = contacts.memory();
    CHECK(all_in<connector::ContactAnswered>(contacts.begin(lovers(), memory)).size() == 1);
    CHECK(all_in<connector::ContactRemoved>(contacts.begin(lovers(), memory)).size() == 2);
  }
}

TEST_CASE("Who added the user and was answered within a session is missed after the next one") {
  Contacts contacts;
  contacts.begin(lovers());
  contacts.take(AddedUs{"paris@x.test", "Paris"});
  contacts.put_on("paris@x.test", list::allow);
  contacts.take_off("paris@x.test", list::pending);
  const std::string memory = contacts.memory();
  CHECK(all_in<connector::ContactRemoved>(contacts.begin(lovers(), memory)) ==
        std::vector<connector::ContactRemoved>{{{"paris@x.test"}}});
}

// rusty-retro-messaging 07ae691: its lists are FL, AL and BL, so who has added the user is on none.
TEST_CASE("Nobody who adds the user is missed later at a server that keeps no RL and PL") {
  const auto three_lists = [] {
    Roster roster;
    roster.members.push_back({"juliet@x.test", "Juliet", "guid-1", list::forward | list::allow, {}});
    return roster;
  };
  Contacts contacts;
  contacts.begin(three_lists());
  contacts.take(AddedUs{"juliet@x.test", "Juliet"});
  contacts.take(AddedUs{"paris@x.test", "Paris"});
  contacts.take_off("juliet@x.test", list::pending);
  const std::string memory = contacts.memory();
  CHECK(all_in<connector::ContactRemoved>(contacts.begin(three_lists(), memory)).empty());
}

// What ADC says within a session is no evidence: such a server says it, too.
TEST_CASE("Who drops the user is told where the server has ever listed anybody on RL, also when nobody is left there") {
  const auto nobody_has_us = [] {
    Roster roster;
    roster.members.push_back({"juliet@x.test", "Juliet", "guid-1", list::forward | list::allow, {}});
    return roster;
  };
  Contacts contacts;
  contacts.begin(lovers());
  std::string memory = contacts.memory();
  for (int session = 0; session < 2; ++session) {
    contacts.begin(nobody_has_us(), memory);
    memory = contacts.memory();
    CHECK(memory.find("nurse@x.test") == std::string::npos);
  }
  contacts.take(AddedUs{"paris@x.test", "Paris"});
  memory = contacts.memory();
  CHECK(all_in<connector::ContactRemoved>(contacts.begin(nobody_has_us(), memory)) ==
        std::vector<connector::ContactRemoved>{{{"paris@x.test"}}});
  memory = contacts.memory();
  CHECK(all_in<connector::ContactRemoved>(contacts.begin(nobody_has_us(), memory)).empty());
}

TEST_CASE("Who has added the user is missed as soon as it shows that the server keeps RL") {
  const auto with = [](unsigned lists) {
    Roster roster;
    roster.members.push_back({"juliet@x.test", "Juliet", "guid-1", list::forward | list::allow | lists, {}});
    return roster;
  };
  Contacts contacts;
  contacts.begin(with(0));
  contacts.take(AddedUs{"paris@x.test", "Paris"});
  std::string memory = contacts.memory();
  CHECK(all_in<connector::ContactRemoved>(contacts.begin(with(0), memory)).empty());
  memory = contacts.memory();
  CHECK(all_in<connector::ContactRemoved>(contacts.begin(with(list::reverse), memory)) ==
        std::vector<connector::ContactRemoved>{{{"paris@x.test"}}});
}

TEST_CASE("Who takes us off their list is seen as before by who has them on theirs") {
  Contacts contacts;
  contacts.begin(lovers());
  contacts.put_on("juliet@x.test", list::forward);
  const auto removed = all_in<connector::ContactRemoved>(contacts.take(RemovedUs{"juliet@x.test"}));
  REQUIRE(removed.size() == 1);
  CHECK(removed[0].still_seen);
  contacts.take_off("juliet@x.test", list::forward);
  contacts.take(AddedUs{"juliet@x.test", ""});
  CHECK_FALSE(all_in<connector::ContactRemoved>(contacts.take(RemovedUs{"juliet@x.test"}))[0].still_seen);
}

TEST_CASE("Only whom the list has on PL surely waits; who adds us within the session may not, so RL is left alone") {
  Contacts contacts;
  contacts.begin(lovers());
  CHECK(contacts.is_surely_pending("nurse@x.test"));
  CHECK_FALSE(contacts.is_surely_pending("stranger@x.test"));
  for (const char* email : {"juliet@x.test", "paris@x.test"}) {
    CHECK(all_in<connector::ContactAsked>(contacts.take(AddedUs{email, ""})).size() == 1);
    CHECK(contacts.is_on(email, list::pending));
    CHECK_FALSE(contacts.is_surely_pending(email));
  }
  contacts.take_off("nurse@x.test", list::pending);
  contacts.take(AddedUs{"nurse@x.test", ""});
  CHECK_FALSE(contacts.is_surely_pending("nurse@x.test"));
}

TEST_CASE("However many strangers add us, few are remembered") {
  Contacts contacts;
  contacts.begin(lovers());
  std::size_t asked = 0;
  for (int i = 0; i < 5000; ++i) asked += contacts.take(AddedUs{"s" + std::to_string(i) + "@x.test", ""}).size();
  CHECK(asked > 1000);
  CHECK(asked <= 2000);
  CHECK(contacts.take(AddedUs{"juliet@x.test", ""}).size() == 1);
}

TEST_CASE("Who asks is asked about, however long the account's own list is") {
  Contacts contacts;
  Roster roster;
  for (int i = 0; i < 3000; ++i)
    roster.members.push_back({"c" + std::to_string(i) + "@x.test", "", "guid", list::reverse | list::allow, {}});
  contacts.begin(std::move(roster));
  CHECK(contacts.take(AddedUs{"nurse@x.test", "The Nurse"}).size() == 1);
}

TEST_CASE("The lists follow what is put on and taken off") {
  Contacts contacts;
  contacts.begin(lovers());
  contacts.put_on("paris@x.test", list::allow);
  CHECK(contacts.lists_of("paris@x.test") == list::allow);
  contacts.take_off("tybalt@x.test", list::block);
  CHECK(contacts.lists_of("tybalt@x.test") == 0);
  CHECK(contacts.lists_of("nobody@x.test") == 0);
}

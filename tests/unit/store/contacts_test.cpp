#include "gateway/store/contacts.hpp"

#include "tests/unit/store/fixture.hpp"

using namespace wherry;
using namespace wherry::tests;
using db::Transaction;
using store::ContactRow;

TEST_CASE("Contacts are put, changed, read in bytewise order and removed, each account's own (contacts.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    insert(store, account(2, "juliet@example.net"));
    const ContactRow upper{{"Z"}, "Upper", true, false, false}, lower{{"a"}, "", false, true, false},
        other{{"Z"}, "Other", false, false, true};
    store([&](Transaction& t) {
      store::put_contact(t, {1}, lower);
      store::put_contact(t, {1}, upper);
      store::put_contact(t, {2}, other);
    });
    store([&](Transaction& t) {
      CHECK(store::read_contacts(t, {1}) == std::vector{upper, lower});  // "Z" < "a" in bytes, not in English
      CHECK(store::read_contact(t, {2}, {"Z"}) == other);
      CHECK_FALSE(store::read_contact(t, {2}, {"a"}).has_value());
    });
    ContactRow changed = upper;
    changed.name = "Renamed";
    changed.user_asked = changed.contact_sees = true;
    changed.offer = store::Offer::declined;
    changed.user_sees = false;
    store([&](Transaction& t) {
      store::put_contact(t, {1}, changed);
      store::remove_contact(t, {1}, {"a"});
    });
    store([&](Transaction& t) {
      CHECK(store::read_contacts(t, {1}) == std::vector{changed});
      CHECK(store::read_contacts(t, {2}) == std::vector{other});
    });
  }
}

TEST_CASE(
    "A contact whose name no database can hold is stored all the same, without what is wrong with its name "
    "(contacts.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    const ContactRow nul{{"a"}, std::string("Mer\0cut\tio", 10)}, latin{{"b"}, "caf\xE9"};
    store([&](Transaction& t) {
      store::put_contact(t, {1}, nul);
      store::put_contact(t, {1}, latin);
    });
    store([&](Transaction& t) {
      CHECK(store::read_contact(t, {1}, {"a"}).value().name == "Mercutio");
      CHECK(store::read_contact(t, {1}, {"b"}).value().name.empty());
    });
  }
}

TEST_CASE("A contact of an account that is gone is nothing, and fails no transaction (contacts.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Store store(kind);
    insert(store, account(1));
    store([&](Transaction& t) {
      store::put_contact(t, {1}, {{"a"}, "", true, false, false});
      store::put_contact(t, {2}, {{"a"}, "", true, false, false});
      store::remove_account(t, {1});
      store::put_contact(t, {1}, {{"b"}, "", true, false, false});
    });
    CHECK(store.count("contacts") == 0);
  }
}

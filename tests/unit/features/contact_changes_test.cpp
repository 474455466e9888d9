// A contact changes here only where the network will hear of it; a change that is refused is told.
#include "tests/unit/features/transport_world.hpp"

#include "gateway/store/contacts.hpp"

using namespace wherry;
using namespace wherry::tests;

namespace {

const base::ContactId known{"c1"}, fresh{"new"};

struct World : TransportWorld {
  World() {
    outbox.waiting_per_account = 1;
    network.comes_online = false;
    register_users(1, 1);
    start();
    receive("<message type='chat' from='u1@x.test/r' to='c9@sms.test' id='m1'><body>hi</body></message>");
    until([&] {
      return stored([](db::Transaction& t) { return t.query("SELECT COUNT(*) FROM outbox").at(0).integer(0); }) == 1;
    });
  }
  void ask(const std::string& type, const std::string& contact) {
    receive("<presence type='" + type + "' from='u1@x.test' to='" + contact + "@sms.test' id='p'/>");
    settle_stanzas();
    CHECK(has_come("<resource-constraint"));
  }
  const accounts::LiveContact* contact(const base::ContactId& id) {
    const auto found = find(1)->contacts.find(id);
    return found == find(1)->contacts.end() ? nullptr : &found->second;
  }
  std::size_t rows() {
    return stored([](db::Transaction& t) { return wherry::store::read_contacts(t, base::AccountId{1}).size(); });
  }
};

}  // namespace

TEST_CASE_FIXTURE(World, "A contact whose request is refused is not asked for") {
  ask("subscribe", "new");
  CHECK_FALSE(contact(fresh));
  CHECK(rows() == 1);
  CHECK(has_come("type='unsubscribed'"));
}

TEST_CASE_FIXTURE(World, "A contact whose removal is refused stays") {
  ask("unsubscribe", "c1");
  REQUIRE(contact(known));
  CHECK(contact(known)->row.user_sees);
  CHECK(rows() == 1);
  CHECK(stays_away("type='unsubscribed'"));
}

TEST_CASE_FIXTURE(World, "A contact whose approval is refused does not see the user") {
  ask("subscribed", "new");
  CHECK_FALSE(contact(fresh));
  CHECK(rows() == 1);
}

TEST_CASE_FIXTURE(World, "A contact whose dismissal is refused goes on seeing the user") {
  accounts::LiveAccount& account = *find(1);
  wherry::store::ContactRow row = contact(known)->row;
  row.contact_sees = true;
  transport->accounts().put_contact(account, row);
  ask("unsubscribed", "c1");
  REQUIRE(contact(known));
  CHECK(contact(known)->row.contact_sees);
}

// The user's devices: what brings one, and what takes it away (RFC 6121 §4.5, 4.6).
#include "tests/unit/features/transport_world.hpp"

using namespace wherry;
using namespace wherry::tests;
using State = accounts::LiveAccount::State;

namespace {

struct World : TransportWorld {
  explicit World(std::chrono::milliseconds patience = std::chrono::minutes(1)) {
    device_patience = patience;
    policy = wherry::store::AccountPolicy::follow_presence;
    network.network.has_presence = true;
    register_users(1, 1);
    start();
  }
  void presence(const std::string& to, const std::string& type = "", const std::string& from = "u1@x.test/r") {
    receive("<presence from='" + from + "' to='" + to + "'" + (type.empty() ? "" : " type='" + type + "'") + "/>");
    settle_stanzas();
  }
  void contact_sees(const std::string& contact) {
    wherry::store::ContactRow row;
    row.contact = base::ContactId{contact};
    row.user_sees = row.contact_sees = true;
    transport->accounts().put_contact(*find(1), row);
  }
  void until_online() {
    until([&] { return find(1)->is_online(); });
  }
  void until_offline() {
    until([&] { return find(1)->resources.empty() && find(1)->state == State::offline; });
  }
};

}  // namespace

TEST_CASE("Who came by presence to a contact goes by it, whether the contact is known, sees the user, or neither") {
  for (const std::string contact : {"stranger@sms.test", "c1@sms.test", "friend@sms.test"}) {
    CAPTURE(contact);
    World world;
    world.contact_sees("friend");
    world.presence(contact);
    world.until_online();
    world.presence(contact, "unavailable");
    world.until_offline();
  }
}

TEST_CASE("Who came by presence to two contacts is there until the last one is told otherwise") {
  World world;
  world.presence("a@sms.test");
  world.presence("b@sms.test");
  world.until_online();
  world.presence("a@sms.test", "unavailable");
  CHECK(world.find(1)->resources.size() == 1);
  world.presence("b@sms.test", "unavailable");
  world.until_offline();
}

TEST_CASE("A device that shows the gateway its presence is there until it tells the gateway otherwise") {
  World world;
  world.presence("a@sms.test");
  world.presence("sms.test");
  world.until_online();
  world.presence("a@sms.test", "unavailable");
  CHECK(world.find(1)->resources.size() == 1);
  world.presence("sms.test", "unavailable");
  world.until_offline();
}

TEST_CASE("Of whom a server says that nobody is there, without a resource, nobody is there") {
  for (const std::string to : {"sms.test", "a@sms.test"}) {
    CAPTURE(to);
    World world;
    world.presence(to);
    world.presence(to, "", "u1@x.test/phone");
    world.until_online();
    world.presence(to, "unavailable", "u1@x.test");
    world.until_offline();
  }
}

TEST_CASE("A user whose server tells the contacts only, each by itself, is logged out when the last is told") {
  World world;
  for (const char* contact : {"a", "b", "c"}) world.contact_sees(contact);
  for (const char* contact : {"a@sms.test", "b@sms.test", "c@sms.test"}) world.presence(contact);
  world.until_online();
  for (const char* contact : {"c@sms.test", "a@sms.test", "b@sms.test"}) world.presence(contact, "unavailable");
  world.until_offline();
}

TEST_CASE("Devices that were there before the link was cut, and do not show themselves anew, are not there") {
  World world(std::chrono::milliseconds(0));
  world.presence("sms.test");
  world.presence("sms.test", "", "u1@x.test/phone");
  world.until_online();
  world.reconnect();
  world.until_offline();
}

TEST_CASE("Once the link is back a device is in doubt until it shows itself, to whomever") {
  World world(std::chrono::hours(1));
  for (const char* device : {"u1@x.test/a", "u1@x.test/b", "u1@x.test/c"}) world.presence("sms.test", "", device);
  world.until_online();
  world.reconnect();
  world.until([&] { return world.find(1)->resources.doubted().size() == 3; });
  world.presence("sms.test", "", "u1@x.test/a");
  world.presence("c1@sms.test", "", "u1@x.test/b");
  CHECK(world.find(1)->resources.doubted() == std::vector<std::string>{"u1@x.test/c"});
  CHECK(world.find(1)->is_online());
}

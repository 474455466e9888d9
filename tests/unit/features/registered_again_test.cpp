// Who unregisters and registers again at once: what is said and undone for the old account does not touch the new one.
#include "tests/unit/features/transport_world.hpp"

using namespace wherry;
using namespace wherry::tests;

namespace {

constexpr base::AccountId first{1};

const char* unregisters =
    "<iq xmlns='jabber:component:accept' type='set' from='u1@x.test/r' to='sms.test' id='gone'><query "
    "xmlns='jabber:iq:register'><remove/></query></iq>";
const char* registers =
    "<iq xmlns='jabber:component:accept' type='set' from='u1@x.test/r' to='sms.test' id='again'><query "
    "xmlns='jabber:iq:register'/></iq>";
const char* privilege =
    "<message from='x.test' to='sms.test'><privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' "
    "type='both'/></privilege></message>";

std::string last_roster_id(const std::string& came, std::string_view payload = "<query xmlns='jabber:iq:roster'>") {
  const auto query = came.rfind(payload);
  REQUIRE(query != std::string::npos);
  const auto iq = came.rfind("<iq ", query);
  const auto id = came.find("id='", iq) + 4;
  return came.substr(id, came.find('\'', id) - id);
}

}  // namespace

TEST_CASE("A farewell ends where its user registers again: no contact of the new account is unsubscribed") {
  TransportWorld world;
  world.registration.domains = {"x.test"};
  world.register_users(1, 3000);
  world.start();
  world.until([&] { return world.has_come("from='c999@sms.test/wherry' to='u1@x.test'"); });
  world.answers_pings = false;  // the link takes a part of the farewell
  world.receive(unregisters);
  world.until([&] { return world.find(1) == nullptr; });
  world.receive(registers);
  world.until([&] { return world.find(1) != nullptr; });
  CHECK(world.find(1)->id() != first);
  world.answers_pings = true;
  world.pings_answered.notify();
  world.until([&] { return world.has_come("id='again'"); });
  run(world.loop, world.transport->stop());
  CHECK(world.stays_away("from='c999@sms.test' to='u1@x.test' type='unsubscribed'"));  // the last in their order
  CHECK(world.stays_away("from='sms.test' to='u1@x.test' type='unsubscribed'"));
}

TEST_CASE("What is taken out of a roster ends where its user registers again") {
  TransportWorld world;
  world.registration.domains = {"x.test"};
  world.register_users(1, 3);
  world.start();
  world.receive(privilege);
  world.receive(unregisters);
  world.until([&] { return world.has_come("jid='c1@sms.test'"); });
  const std::string asked = last_roster_id(world.came);
  world.receive(registers);
  world.until([&] { return world.find(1) != nullptr; });
  world.receive("<iq type='result' from='u1@x.test' to='sms.test' id='" + asked + "'/>");
  world.settle_stanzas();
  CHECK(world.stays_away("jid='c2@sms.test'"));
}

TEST_CASE("The gateway does not ask for a place in the roster of who has unregistered meanwhile") {
  TransportWorld world;
  world.registration.domains = {"x.test"};
  world.register_users(0, 0);
  world.start();
  world.receive(privilege);
  world.receive(registers);
  world.until([&] { return world.has_come("jid='sms.test'"); });
  const std::string asked = last_roster_id(world.came);
  world.receive(unregisters);
  world.until([&] { return world.find(1) == nullptr; });
  world.receive("<iq type='error' from='u1@x.test' to='sms.test' id='" + asked + "'/>");
  world.settle_stanzas();
  CHECK(world.stays_away("from='sms.test' to='u1@x.test' type='subscribe'"));
}

TEST_CASE("A contact that comes into the roster when its user has just unregistered is taken out again") {
  TransportWorld world;
  world.network.network.has_contact_list = true;
  world.registration.domains = {"x.test"};
  world.register_users(1, 0);
  world.start();
  world.receive(privilege);
  world.settle_stanzas();
  connector::ContactsListed list;
  list.contacts.push_back({base::ContactId{"c7"}, "", {}});
  world.network.publish(first, std::move(list));
  world.until([&] { return world.has_come("jid='c7@sms.test'"); });
  const std::string put = last_roster_id(world.came, "<query xmlns='jabber:iq:roster'>");
  world.receive(unregisters);
  world.until([&] { return world.find(1) == nullptr; });
  world.receive("<iq type='result' from='u1@x.test' to='sms.test' id='" + put + "'/>");
  world.until([&] { return world.has_come("<query xmlns='jabber:iq:roster'/>"); });
  world.receive("<iq type='result' from='u1@x.test' to='sms.test' id='" +
                last_roster_id(world.came, "<query xmlns='jabber:iq:roster'/>") +
                "'><query xmlns='jabber:iq:roster'><item jid='c7@sms.test' subscription='both'/></query></iq>");
  world.until([&] { return world.has_come("jid='c7@sms.test' subscription='remove'"); });
}

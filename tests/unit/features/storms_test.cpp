// Much at once, at one user's doing or at the network's: it is bounded, and delays nobody else.
#include "tests/unit/features/transport_world.hpp"

#include "gateway/accounts/contacts.hpp"
#include "gateway/store/inbox.hpp"

using namespace wherry;
using namespace wherry::tests;

namespace {

constexpr base::AccountId first{1}, second{2};
constexpr std::size_t much =
    100 << 10;  // bytes; on their way before a ping proves that the server has worked them off: 64 KiB

const char* unregisters =
    "<iq xmlns='jabber:component:accept' type='set' from='u1@x.test/r' to='sms.test' id='gone'><query "
    "xmlns='jabber:iq:register'><remove/></query></iq>";

}  // namespace

TEST_CASE("A network that comes up shows all contacts of all users as the link takes them, and delays no message") {
  TransportWorld world;
  world.register_users(200, 50);  // ten thousand presences, more than a megabyte
  world.answers_pings = false;
  world.start();
  world.network.publish(second, TransportWorld::message("m1", "in the storm"));
  world.until([&] { return world.ping_waits; });
  CHECK(world.came.size() < much);
  world.answers_pings = true;
  world.pings_answered.notify();
  world.until([&] { return world.has_come("in the storm"); });
  CHECK(world.came.size() < 3 * much);  // of two megabytes
  world.until([&] { return world.has_come("to='u200@x.test'") && world.has_come("c50@sms.test"); });
}

TEST_CASE("Who unregisters with many contacts is told as the link takes it, and delays nobody's message") {
  TransportWorld world;
  world.register_users(2, 3000);
  world.start();
  world.until([&] { return world.has_come("from='c999@sms.test/wherry' to='u2@x.test'"); });
  world.until([&] { return world.transport->link().can_send_volatile(); });
  const std::size_t before = world.came.size();
  world.receive(unregisters);
  world.until([&] { return world.has_come("id='gone'"); });
  world.network.publish(second, TransportWorld::message("m1", "beside it"));
  world.until([&] { return world.has_come("beside it"); });
  CHECK(world.came.size() - before < 4 * much);  // 9,003 stanzas are about 900 kB
  world.until([&] { return world.has_come("from='sms.test/wherry' to='u1@x.test' type='unavailable'"); });
  CHECK(world.came.find("from='c3000@sms.test/wherry' to='u1@x.test' type='unavailable'") != std::string::npos);
}

TEST_CASE("What has not been said to who unregistered is said before the gateway stops") {
  TransportWorld world;
  world.register_users(1, 500);
  world.start();
  world.receive(unregisters);
  world.until([&] { return world.has_come("id='gone'"); });
  run(world.loop, world.transport->stop());
  CHECK(world.has_come("from='c500@sms.test' to='u1@x.test' type='unsubscribed'"));
  CHECK(world.has_come("</stream:stream>"));
}

TEST_CASE("Strangers who ask and ask fill no list beyond its bound, and leave room for the user's own") {
  TransportWorld world;
  world.register_users(1, 0);
  world.start();
  const std::size_t room = accounts::most_contacts - accounts::kept_for_the_user;
  for (std::size_t i = 0; i < room + 500; ++i)
    world.network.publish(first, connector::ContactAsked{base::ContactId{"s" + std::to_string(i)}, ""});
  world.until([&] { return world.network.tasks.empty(); });
  const accounts::LiveAccount& account = *world.transport->accounts().find(first);
  CHECK(account.contacts.size() == room);
  CHECK(account.list_was_full);
  world.receive("<presence xmlns='jabber:component:accept' type='subscribe' from='u1@x.test' to='friend@sms.test'/>");
  world.until([&] { return account.contacts.contains(base::ContactId{"friend"}); });
}

TEST_CASE("A user who approves ever new addresses is refused beyond the bound") {
  TransportWorld world;
  world.register_users(1, 5000);
  world.start();
  world.receive("<presence xmlns='jabber:component:accept' type='subscribed' from='u1@x.test' to='new@sms.test'/>");
  world.until([&] { return world.has_come("resource-constraint"); });
  CHECK(world.transport->accounts().find(first)->contacts.size() == 5000);
}

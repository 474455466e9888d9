// An account that is going while something happens to it, and one that has just come.
#include "tests/unit/features/transport_world.hpp"

#include "gateway/convert/delivery.hpp"
#include "gateway/store/ids.hpp"
#include "gateway/store/inbox.hpp"

using namespace wherry;
using namespace wherry::tests;
using Standing = accounts::LiveAccount::Standing;

namespace {

constexpr base::AccountId first{1};

std::int64_t rows(TransportWorld& world) {
  return world.stored([](db::Transaction& t) { return t.query("SELECT COUNT(*) FROM inbox").at(0).integer(0); });
}

}  // namespace

TEST_CASE(
    "What is published while an account is being erased is nobody's row; where the store refuses, it is delivered") {
  for (const bool fails : {false, true}) {
    CAPTURE(fails);
    TransportWorld world;
    world.register_users(1, 1);
    world.start();
    const accounts::LiveAccount& account = *world.transport->accounts().find(first);
    world.until([&] { return account.is_online(); });
    if (fails)
      run(world.loop,
          world.database->transact([](db::Transaction& t) { t.execute("ALTER TABLE accounts RENAME TO hidden"); }));
    base::TaskGroup removing(world.loop.get_executor());
    removing.spawn("remove", world.transport->accounts().remove(first));
    world.until([&] { return account.standing == Standing::leaving; });
    world.network.publish(first, TransportWorld::message("m1", "between"));
    run(world.loop, removing.join());
    if (fails)
      run(world.loop,
          world.database->transact([](db::Transaction& t) { t.execute("ALTER TABLE hidden RENAME TO accounts"); }));
    world.until([&] { return world.network.tasks.empty(); });
    if (fails) world.until([&] { return world.has_come("between"); });
    else CHECK(rows(world) == 0);
    CHECK((world.transport->accounts().find(first) != nullptr) == fails);
  }
}

TEST_CASE(
    "An event may come as soon as the connector knows the account: it takes its place behind what an earlier run "
    "left") {
  TransportWorld world;
  world.register_users(1, 1);
  world.store([](db::Transaction& t) {
    const store::InboxRow row{store::reserve_ids(t, 1).first, first,
                              convert::to_text(TransportWorld::message("old", "the older one")), 1795400000000};
    store::insert_inbox(t, std::span(&row, 1));
  });
  world.network.at_once.push_back(TransportWorld::message("new", "the newer one"));
  world.start();
  world.until([&] { return world.has_come("the newer one"); });
  CHECK(world.came.find("the older one") < world.came.find("the newer one"));
}

TEST_CASE(
    "That a message failed is told after a restart, too, where its sender has unregistered meanwhile, by the network "
    "it was sent to") {
  TransportWorld world;
  world.register_users(1, 0);
  world.store([](db::Transaction& t) {
    const auto failed = [&](const char* contact, const char* id) {
      convert::SendFailed word;
      word.origin.user = "gone@x.test/r";
      word.origin.contact = contact;
      word.origin.stanza_id = id;
      word.origin.type = "chat";
      const store::InboxRow row{store::reserve_ids(t, 1).first, base::AccountId{77}, convert::to_text(word),
                                1795400000000};
      store::insert_inbox(t, std::span(&row, 1));
    };
    failed("c1@sms.test", "of-this-one");
    failed("c1@other.test", "of-another");
    store::remove_orphans(t);
  });
  world.start();
  world.until([&] { return world.has_come("id='of-this-one'"); });
  world.until([&] { return world.transport->inbox().waiting() == 0 && rows(world) == 1; });
  CHECK(world.stays_away("of-another"));
}

TEST_CASE("Who unregistered just before a kill hears of each message what is known of it") {
  TransportWorld world;
  world.register_users(1, 0);
  world.store([](db::Transaction& t) {
    const auto left = [&](const char* contact, const char* id, store::OutboxState state) {
      convert::Origin origin;
      origin.user = "gone@x.test/r";
      origin.contact = contact;
      origin.stanza_id = id;
      origin.type = "chat";
      const store::OutboxRow row{
          store::reserve_ids(t, 1).first, base::AccountId{77}, "c:c1", convert::to_text(origin), "{}", state, 0, 0, 0};
      store::insert_outbox(t, std::span(&row, 1));
    };
    left("c1@sms.test", "not-sent", store::OutboxState::queued);
    left("c1@sms.test", "perhaps", store::OutboxState::sending);
    left("c1@other.test", "of-another", store::OutboxState::queued);
    store::remove_orphans(t);
  });
  world.start();
  world.until([&] { return world.has_come("id='not-sent'") && world.has_come("id='perhaps'"); });
  CHECK(world.has_come("may or may not have arrived"));
  CHECK(world.has_come("the message was not sent"));
  CHECK(world.stays_away("of-another"));
  world.until([&] { return world.transport->inbox().waiting() == 0; });
  std::size_t left = 0;
  run(world.loop,
      world.database->transact([&](db::Transaction& t) { left = t.query("SELECT id FROM outbox").size(); }));
  CHECK(left == 1);  // the other network's
}

TEST_CASE("Who unregisters while the gateway stops hears that what waited was not sent") {
  TransportWorld world;
  world.register_users(1, 0);
  world.network.comes_online = false;
  world.network.is_slow_to_end = true;
  world.start();
  world.receive(
      "<message xmlns='jabber:component:accept' type='chat' from='u1@x.test/r' to='c1@sms.test' "
      "id='waits'><body>hi</body></message>");
  world.until([&] {
    return world.stored([](db::Transaction& t) { return t.query("SELECT COUNT(*) FROM outbox").at(0).integer(0); }) ==
           1;
  });
  world.receive(
      "<iq xmlns='jabber:component:accept' type='set' from='u1@x.test/r' to='sms.test' id='gone'><query "
      "xmlns='jabber:iq:register'><remove/></query></iq>");
  const accounts::LiveAccount& account = *world.transport->accounts().find(first);
  world.until([&] { return account.is_removed(); });
  base::TaskGroup stopping(world.loop.get_executor());
  stopping.spawn("stop", world.transport->stop());
  world.until([&] { return world.has_come("id='waits'"); });
  world.network.is_slow_to_end = false;
  world.network.ended.notify();
  run(world.loop, stopping.join());
}

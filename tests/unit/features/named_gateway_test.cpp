// The gateway's address with a local part, for programs that take no bare domain as a contact.
#include "tests/unit/features/transport_world.hpp"

using namespace wherry;
using namespace wherry::tests;

namespace {

const std::string name = "~gateway@sms.test";

// u1 has an account, or may register.
struct NamedWorld : TransportWorld {
  NamedWorld() { registration.domains = {"x.test"}; }
  void begin(int users) {
    if (users > 0) register_users(users, 0);
    start();
    if (users > 0) until([&] { return find(1)->is_online(); });
  }
  void presence(const std::string& type, const std::string& from = "u1@x.test") {
    receive("<presence from='" + from + "' to='" + name + "' type='" + type + "'/>");
    settle_stanzas();
  }
  bool is_stored_as_named() {
    return stored([](db::Transaction& t) { return wherry::store::read_accounts(t, domain, sealer()); }).at(0).named;
  }
};

}  // namespace

TEST_CASE_FIXTURE(NamedWorld, "Who registers at ~gateway has the first account, and hears and sees the gateway there") {
  begin(0);
  receive("<message type='chat' from='u1@x.test/r' to='" + name + "'><body>register</body></message>");
  until([&] { return find(1) && has_come("You are registered with"); });
  until([&] { return has_come("<presence from='" + name + "/wherry' to='u1@x.test'><c "); });
  CHECK(find(1)->row.named);
  CHECK(is_stored_as_named());
  CHECK(has_come("<message from='" + name + "' to='u1@x.test' type='chat'><body>You are registered with"));
  CHECK(has_come("<presence from='" + name + "' to='u1@x.test' type='subscribe'/>"));
  CHECK(stays_away("<presence from='sms.test' to='u1@x.test' type='subscribe'/>"));
  came.clear();
  network.publish(find(1)->id(), connector::AccountNotice{{"e1"}, "Your plan has ended."});
  until([&] { return has_come("Your plan has ended."); });
  CHECK(has_come("<message from='" + name + "' to='u1@x.test' type='chat'"));
}

TEST_CASE_FIXTURE(NamedWorld, "Who subscribes to ~gateway is answered as by the gateway, and asked back once") {
  begin(1);
  presence("subscribe");
  CHECK(has_come("<presence from='" + name + "' to='u1@x.test' type='subscribed'/>"));
  CHECK(has_come("<presence from='" + name + "/wherry' to='u1@x.test'><c "));
  const std::string asked = "<presence from='" + name + "' to='u1@x.test' type='subscribe'/>";
  CHECK(has_come(asked));
  CHECK(is_stored_as_named());
  came.clear();
  presence("subscribe");
  CHECK(has_come("type='subscribed'"));
  CHECK(stays_away(asked));
}

TEST_CASE_FIXTURE(NamedWorld, "What the gateway shows of itself it shows at both addresses to who sees both") {
  begin(1);
  presence("subscribe");
  came.clear();
  network.publish(find(1)->id(), connector::AccountChanged{false, false, "The network is down."});
  until([&] { return has_come("from='" + name + "/wherry' to='u1@x.test' type='error'"); });
  CHECK(has_come("from='sms.test/wherry' to='u1@x.test' type='error'"));
  receive("<presence from='u1@x.test/phone' to='" + name + "'/>");
  settle_stanzas();
  CHECK(find(1)->resources.contains("u1@x.test/phone"));
  receive("<presence from='u1@x.test/phone' to='sms.test'/>");
  receive("<presence from='u1@x.test/phone' to='" + name + "' type='unavailable'/>");
  settle_stanzas();
  CHECK(find(1)->resources.contains("u1@x.test/phone"));  // it is still seen at the domain
  receive("<presence from='u1@x.test/phone' to='sms.test' type='unavailable'/>");
  settle_stanzas();
  CHECK(has_come("<presence from='" + name + "/wherry' to='u1@x.test/phone' type='unavailable'/>"));
  CHECK(has_come("<presence from='sms.test/wherry' to='u1@x.test/phone' type='unavailable'/>"));
}

TEST_CASE_FIXTURE(NamedWorld, "Who unsubscribes from ~gateway, or never saw it, is shown nothing from there") {
  begin(2);
  presence("subscribe");
  presence("unsubscribe");
  CHECK(has_come("<presence from='" + name + "' to='u1@x.test' type='unsubscribed'/>"));
  CHECK(has_come("<presence from='" + name + "/wherry' to='u1@x.test' type='unavailable'/>"));
  CHECK_FALSE(is_stored_as_named());
  CHECK(stays_away("to='u2@x.test' type='subscribe'"));
  came.clear();
  for (int user : {1, 2})
    network.publish(find(user)->id(), connector::AccountChanged{false, false, "The network is down."});
  until([&] { return has_come("from='sms.test/wherry' to='u2@x.test' type='error'"); });
  settle_stanzas();
  CHECK(stays_away("from='" + name));
}

TEST_CASE_FIXTURE(NamedWorld, "A probe of ~gateway is answered from there, and tells that its sender sees it") {
  begin(1);
  presence("probe", "u1@x.test/r");
  CHECK(has_come("<presence from='" + name + "/wherry' to='u1@x.test/r'><c "));
  CHECK(is_stored_as_named());
}

TEST_CASE_FIXTURE(NamedWorld, "An account's end is said at both addresses") {
  begin(1);
  presence("subscribe");
  receive("<iq type='set' from='u1@x.test/r' to='" + name +
          "' id='gone'><query xmlns='jabber:iq:register'><remove/></query></iq>");
  for (const std::string& face : {std::string("sms.test"), name}) {
    until([&] { return has_come("<presence from='" + face + "/wherry' to='u1@x.test' type='unavailable'/>"); });
    CHECK(has_come("<presence from='" + face + "' to='u1@x.test' type='unsubscribed'/>"));
  }
  CHECK(has_come("<iq from='" + name + "' to='u1@x.test/r' type='result' id='gone'/>"));
}

TEST_CASE_FIXTURE(NamedWorld, "Help at the gateway tells of its other address, and help there does not") {
  begin(1);
  receive("<message type='chat' from='u1@x.test/r' to='sms.test'><body>help</body></message>");
  until([&] { return has_come("take ~gateway@sms.test: it is the same."); });
  came.clear();
  receive("<message type='chat' from='u1@x.test/r' to='" + name + "'><body>help</body></message>");
  until([&] { return has_come("You can write here:"); });
  CHECK(stays_away("it is the same"));
}

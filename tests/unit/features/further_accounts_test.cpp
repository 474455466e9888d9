// Several accounts of one user on one network: each has its own address, contacts, state and end.
#include "tests/unit/features/transport_world.hpp"

using namespace wherry;
using namespace wherry::tests;

namespace {

std::string registration(const std::string& face, const std::string& id, const std::string& content = "") {
  return "<iq xmlns='jabber:component:accept' type='set' from='u1@x.test/r' to='" + face + "' id='" + id +
         "'><query xmlns='jabber:iq:register'>" + content + "</query></iq>";
}

const char* privilege =
    "<message from='x.test' to='sms.test'><privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' "
    "type='both'/></privilege></message>";

struct TwoAccounts : TransportWorld {
  // u1 has the first account, with the contacts c1, c2, c3, and one with the alias "work".
  TwoAccounts() {
    registration.domains = {"x.test"};
    register_users(1, 3);
    start();
    register_account("~work@sms.test", "work");
  }
  void register_account(const std::string& face, const std::string& alias) {
    receive(::registration(face, "register-" + alias));
    until([&] { return find(1, alias) && has_come("id='register-" + alias + "'"); });
  }
};

}  // namespace

TEST_CASE_FIXTURE(TwoAccounts, "What the network sends to a further account comes from its contact's address there") {
  network.publish(find(1, "work")->id(), message("m1", "to work"));
  until([&] { return has_come("to work"); });
  CHECK(has_come("<message from='c1~work@sms.test' to='u1@x.test'"));
  network.publish(find(1)->id(), message("m1", "to the first"));
  until([&] { return has_come("to the first"); });
  CHECK(has_come("<message from='c1@sms.test' to='u1@x.test'"));
}

TEST_CASE_FIXTURE(TwoAccounts, "What comes from nobody with an address comes from the face of the account it is for") {
  connector::MessageReceived nameless = message("m1", "from nobody");
  nameless.chat = nameless.sender = base::ContactId{""};
  network.publish(find(1, "work")->id(), std::move(nameless));
  until([&] { return has_come("from nobody"); });
  CHECK(has_come("<message from='~work@sms.test' to='u1@x.test'"));
}

TEST_CASE_FIXTURE(TwoAccounts, "Presence to an account's face is a device of that account, and of no other") {
  receive("<presence from='u1@x.test/phone' to='~work@sms.test'/>");
  settle_stanzas();
  CHECK(find(1, "work")->resources.contains("u1@x.test/phone"));
  CHECK_FALSE(find(1)->resources.contains("u1@x.test/phone"));
  receive("<presence from='u1@x.test/phone' to='~work@sms.test' type='unavailable'/>");
  settle_stanzas();
  CHECK(find(1, "work")->resources.empty());
  CHECK(has_come("<presence from='~work@sms.test/wherry' to='u1@x.test/phone' type='unavailable'/>"));
  CHECK(stays_away("<presence from='sms.test/wherry' to='u1@x.test/phone' type='unavailable'/>"));
}

TEST_CASE_FIXTURE(TwoAccounts,
                  "The face of a further account enters the roster, and nothing else of the user's leaves it") {
  receive(privilege);
  settle_stanzas();
  receive(::registration("~home@sms.test", "home"));
  until([&] { return has_come("jid='~home@sms.test' subscription='both'"); });
  receive(::registration("~work@sms.test", "gone", "<remove/>"));
  until([&] { return has_come("jid='~work@sms.test' subscription='remove'"); });
  CHECK(find(1));
  CHECK_FALSE(find(1, "work"));
  CHECK(stays_away("jid='sms.test' subscription='remove'"));
  CHECK(stays_away("jid='c1@sms.test'"));
}

TEST_CASE_FIXTURE(TwoAccounts, "Who removes the first account is told which of their accounts remain") {
  receive(::registration("~work@sms.test", "gone-work", "<remove/>"));
  until([&] { return has_come("id='gone-work'"); });
  settle_stanzas();
  CHECK(stays_away("You have others here"));
  register_account("~home@sms.test", "home");
  receive(::registration("sms.test", "gone", "<remove/>"));
  until([&] { return has_come("id='gone'"); });
  settle_stanzas();
  CHECK(has_come("remove each of them at its own address: ~home@sms.test."));
}

TEST_CASE_FIXTURE(TwoAccounts,
                  "A user has at most sixteen accounts, whose registration they may change then as before") {
  for (int i = 3; i <= 16; ++i) register_account("~a" + std::to_string(i) + "@sms.test", "a" + std::to_string(i));
  receive(::registration("~one-more@sms.test", "refused"));
  until([&] { return has_come("id='refused'"); });
  CHECK(has_come("<resource-constraint"));
  CHECK_FALSE(find(1, "one-more"));
  const auto before = find(1, "work")->registration;
  receive(::registration("~work@sms.test", "again"));
  until([&] { return has_come("id='again'"); });
  CHECK(find(1, "work")->registration == before + 1);
}

TEST_CASE_FIXTURE(TwoAccounts, "A further account is found after a restart by its alias") {
  CHECK(stored([](db::Transaction& t) { return store::read_accounts(t, "sms.test", sealer()); }).at(1).alias == "work");
}

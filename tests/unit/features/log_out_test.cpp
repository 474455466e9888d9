// The commands "log out" and "log in".
#include "tests/unit/features/transport_world.hpp"

using namespace wherry;
using namespace wherry::tests;

namespace {

// u1 has an account with one contact, and is logged in.
struct LogOutWorld : TransportWorld {
  LogOutWorld() {
    registration.domains = {"x.test"};
    network.network.has_presence = true;
    register_users(1, 1);
    start();
    until([&] { return find(1)->is_online(); });
  }
  void says(const std::string& line, const std::string& answer) {
    came.clear();
    receive("<message type='chat' from='u1@x.test/r' to='sms.test' id='m'><body>" + line + "</body></message>");
    until([&] { return has_come(answer); });
  }
  void log_out() {
    says("log out", "You are logged out.");
    until([&] { return !find(1)->is_online(); });
  }
  bool is_stored_as_logged_out() {
    return stored([](db::Transaction& t) { return wherry::store::read_accounts(t, domain, sealer()); })
        .at(0)
        .logged_out;
  }
};

}  // namespace

TEST_CASE_FIXTURE(LogOutWorld, "Who logs out has no session, sees nobody, and is told how to come back") {
  const auto id = find(1)->id();
  network.publish(id, connector::PresenceChanged{base::ContactId{"c1"}, connector::Availability::away, ""});
  until([&] { return has_come("<presence from='c1@sms.test/wherry' to='u1@x.test'><show>away"); });
  log_out();
  until([&] { return has_come("<presence from='c1@sms.test/wherry' to='u1@x.test' type='unavailable'"); });
  CHECK(has_come("<show>xa</show><status>Logged out. Write “log in” to sms.test to come back.</status>"));
  CHECK(is_stored_as_logged_out());
  says("status", "logged out: write “log in” to come back");
  says("accounts", ", logged out");
}

TEST_CASE_FIXTURE(LogOutWorld, "Who is logged out stays so, whatever their devices do, until they log in") {
  log_out();
  came.clear();
  receive("<presence from='u1@x.test/r' to='sms.test'/>");
  until([&] { return has_come("to='u1@x.test/r'><show>xa</show>"); });
  says("preferences always no no no", "Your preferences are stored.");
  settle_stanzas();
  CHECK_FALSE(find(1)->is_wanted());
  CHECK(is_stored_as_logged_out());
  says("Log in!", "You are being logged in.");
  until([&] { return find(1)->is_online(); });
  until([&] { return has_come("<presence from='sms.test/wherry' to='u1@x.test'><c "); });
  CHECK_FALSE(is_stored_as_logged_out());
}

TEST_CASE_FIXTURE(LogOutWorld, "What is sent while logged out is refused at once, with a word on what to do") {
  log_out();
  came.clear();
  receive("<message type='chat' from='u1@x.test/r' to='c1@sms.test' id='m1'><body>Anon!</body></message>");
  until([&] { return has_come("Write “log in” to sms.test, and send it again then."); });
  CHECK(has_come("<recipient-unavailable"));
  came.clear();
  receive("<presence type='subscribe' from='u1@x.test' to='c2@sms.test' id='s1'/>");
  until([&] { return has_come("<presence from='c2@sms.test' to='u1@x.test' type='unsubscribed'/>"); });
  says("text c3 Anon!", "You are logged out");
  CHECK(transport->outbox().in_memory() == 0);
  CHECK(network.performed.empty());
}

TEST_CASE_FIXTURE(LogOutWorld, "A new registration logs in") {
  log_out();
  receive(
      "<iq type='set' from='u1@x.test/r' to='sms.test' id='reg'><query xmlns='jabber:iq:register'><username>u"
      "</username></query></iq>");
  until([&] { return find(1)->is_online(); });
  CHECK_FALSE(is_stored_as_logged_out());
}

TEST_CASE_FIXTURE(LogOutWorld, "A login that the network has refused is tried again by log in") {
  network.publish(find(1)->id(), connector::AccountChanged{false, true, "The password was changed."});
  until([&] { return find(1)->state == accounts::LiveAccount::State::needs_login; });
  says("login", "You are being logged in.");
  until([&] { return find(1)->is_online(); });
  says("log in", "You are not logged out.");
}

// What people who are not registered may cost the network: their questions are few, and users' questions go on beside
// them.
#include "tests/support/log_capture.hpp"
#include "tests/unit/features/transport_world.hpp"

using namespace wherry;
using namespace wherry::tests;

namespace {

std::string iq(const std::string& from, const std::string& type, const std::string& payload) {
  return "<iq from='" + from + "' to='sms.test' id='i' type='" + type + "'>" + payload + "</iq>";
}

std::size_t count(const std::string& text, std::string_view word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

struct World : TransportWorld {
  World() {
    registration.domains = {"evil.test"};
    register_users(1, 0);
    network.holds_questions = true;
    start();
  }
  void ask(int strangers, const std::string& type, const std::string& payload) {
    std::string text;
    for (int i = 0; i < strangers; ++i) text += iq("s" + std::to_string(i) + "@evil.test/r", type, payload);
    receive(std::move(text));
  }
  void until_refused(std::size_t times) {
    until([&] { return count(came, "<resource-constraint") >= times; });
    CHECK(count(came, "<resource-constraint") == times);
  }
};

constexpr const char* prompt = "<query xmlns='jabber:iq:gateway'><prompt>c1</prompt></query>";
constexpr const char* disco = "<query xmlns='http://jabber.org/protocol/disco#info'/>";

}  // namespace

TEST_CASE(
    "Of two thousand strangers who ask at once for a contact twenty are asked about, and the rest is refused at once") {
  World world;
  world.ask(2000, "set", prompt);
  world.until_refused(1980);
  CHECK(world.network.look_ups == 20);
  world.receive("<iq from='s2001@evil.test/r' to='c1@sms.test' id='d' type='get'>" + std::string(disco) + "</iq>");
  world.until_refused(1981);
  CHECK(world.network.look_ups == 20);
  world.receive(iq("u1@x.test/r", "set", prompt));
  world.until([&] { return world.network.look_ups == 21; });
}

TEST_CASE("Of two thousand strangers who ask at once for the registration form a hundred begin a login") {
  World world;
  world.ask(2000, "get", "<query xmlns='jabber:iq:register'/>");
  world.until_refused(1900);
  CHECK(world.network.logins == 100);
  world.receive(iq("u1@x.test/r", "get", "<query xmlns='jabber:iq:register'/>"));
  world.until([&] { return world.network.logins == 101; });
}

TEST_CASE("A stranger's text is answered before it is read, and what says nothing is not answered") {
  World world;
  const auto message = [](const std::string& id, const std::string& children) {
    return "<message type='chat' from='s@evil.test/r' to='c1@sms.test' id='" + id + "'>" + children + "</message>";
  };
  const std::string otr_tag = " \t  \t\t\t\t \t \t \t  ";  // nothing is left of it once it is read
  world.receive(message("m1", "<composing xmlns='http://jabber.org/protocol/chatstates'/>"));
  world.receive(message("m2", "<body>" + otr_tag + "</body>"));
  world.settle_stanzas();
  CHECK(world.stays_away("id='m1'"));
  CHECK(world.has_come("id='m2'"));
  CHECK(count(world.came, "<registration-required") == 1);
}

TEST_CASE("Errors that strangers send fill no log") {
  LogCapture log;
  World world;
  std::string flood;
  for (int i = 0; i < 500; ++i) {
    flood += "<message from='s@evil.test' to='sms.test' type='error'/>";
    flood += "<message from='s@evil.test' to='c1@sms.test' type='error'/>";
  }
  world.receive(flood + iq("s@evil.test/r", "get", disco));
  world.until([&] { return world.has_come("disco#info"); });
  CHECK(log.count(" message.returned") >= 20);
  CHECK(log.count(" message.returned") < 200);
}

TEST_CASE("Privileges that strangers' servers tell take no place of the users' own server") {
  World world;
  const auto privilege = [](const std::string& server) {
    return "<message from='" + server +
           "' to='sms.test'><privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' type='both'/></privilege>"
           "</message>";
  };
  std::string flood;
  for (int i = 0; i < 2000; ++i) flood += privilege("s" + std::to_string(i) + ".strange.test");
  world.receive(std::move(flood));
  world.receive(privilege("evil.test"));
  world.settle_stanzas();
  CHECK(world.transport->rosters().is_writable(jid("mercutio@evil.test")));  // who may register here
  CHECK_FALSE(world.transport->rosters().is_writable(jid("mercutio@s1.strange.test")));
}

TEST_CASE("What a server grants itself it grants for its own users, and only in its own name") {
  World world;
  world.registration.domains.push_back("x.test");
  world.receive(
      "<message from='evil.test/x.test' to='sms.test'><privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' "
      "type='both'/></privilege></message>");
  world.settle_stanzas();
  CHECK_FALSE(world.transport->rosters().is_writable(jid("u1@x.test")));
  CHECK_FALSE(world.transport->rosters().is_writable(jid("mercutio@evil.test")));
}

TEST_CASE("Of too many messages that wait for look-ups the sender hears that they are too many") {
  World world;
  std::string messages;
  for (int i = 0; i <= 1000; ++i) {
    const std::string n = std::to_string(i);
    messages +=
        "<message type='chat' from='u1@x.test/r' to='c" + n + "@sms.test' id='m" + n + "'><body>hi</body></message>";
  }
  world.receive(std::move(messages));
  world.until_refused(1);
  CHECK(world.has_come("id='m1000'"));
  CHECK(world.stays_away("remote-server-timeout"));
}

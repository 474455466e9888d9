// Talk with the gateway, and logins that go on in it.
#include "tests/unit/features/transport_world.hpp"

using namespace wherry;
using namespace wherry::tests;
using connector::Field;

namespace {

connector::Form form_of(std::string name, Field::Type type = Field::Type::text, std::vector<std::string> choices = {}) {
  Field field;
  field.name = std::move(name);
  field.type = type;
  field.choices = std::move(choices);
  connector::Form form;
  form.fields.push_back(std::move(field));
  return form;
}

std::string chat(const std::string& body, const std::string& more = "") {
  return "<message type='chat' from='u1@x.test/r' to='sms.test' id='m'><body>" + body + "</body>" + more + "</message>";
}

std::string registered_with(const std::string& content) {
  return "<iq type='set' from='u1@x.test/r' to='sms.test' id='reg'><query xmlns='jabber:iq:register'>" + content +
         "</query></iq>";
}

std::size_t times(const std::string& text, std::string_view word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

// u1 is not registered, and may be.
struct ChatWorld : TransportWorld {
  ChatWorld() {
    registration.domains = {"x.test"};
    network.network.contact_prompt = "Phone number";
    network.network.contact_help = "With the country code.";
  }
  void says(const std::string& line, const std::string& answer) {
    receive(chat(line));
    until([&] { return has_come(answer); });
  }
};

}  // namespace

TEST_CASE_FIXTURE(ChatWorld, "A login is led question by question in the chat") {
  network.questions = {form_of("username"), form_of("region", Field::Type::choice, {"north", "south"})};
  start();
  says("Register", "username?");
  says("romeo", "2. south");
  receive(chat("2"));
  until([&] { return find(1) != nullptr; });
  CHECK(find(1)->row.credentials == connector::Answers{{"username", "romeo"}, {"region", "south"}});
}

TEST_CASE_FIXTURE(ChatWorld, "Whoever has registered is told once who they are and how to write to somebody") {
  network.questions = {form_of("username")};
  start();
  receive(registered_with("<username>romeo</username>"));
  until([&] { return has_come("as romeo"); });
  CHECK(has_come("the phone number, followed by @sms.test. With the country code."));
  CHECK(came.find("id='reg'") < came.find("as romeo"));
  receive(registered_with("<username>montague</username>"));
  until([&] { return find(1)->row.credentials.at("username") == "montague"; });
  settle_stanzas();
  CHECK(times(came, "You are registered with") == 1);
}

TEST_CASE_FIXTURE(ChatWorld, "A registration form whose network asks on says where, and the login goes on there") {
  network.questions = {form_of("username"), form_of("code")};
  start();
  receive(registered_with("<username>romeo</username>"));
  until([&] { return has_come("code?"); });
  CHECK(has_come("<feature-not-implemented"));
  CHECK(has_come("answer it there"));
  CHECK_FALSE(find(1));
  receive(chat("4711"));
  until([&] { return find(1) != nullptr; });
  CHECK(network.logins == 1);
  CHECK(find(1)->row.credentials.at("code") == "4711");
  CHECK(times(came, "id='reg'") == 1);
}

TEST_CASE_FIXTURE(ChatWorld, "An empty registration is one where nothing needs to be chosen") {
  network.questions = {form_of("phone", Field::Type::choice, {"+15550100"})};
  start();
  receive(registered_with(""));
  until([&] { return find(1) != nullptr; });
  CHECK(find(1)->row.credentials.at("phone") == "+15550100");
}

TEST_CASE_FIXTURE(ChatWorld, "An empty registration is refused where something needs to be chosen") {
  network.questions = {form_of("phone", Field::Type::choice, {"+15550100", "+15550101"})};
  start();
  receive(registered_with(""));
  until([&] { return has_come("Please fill in: phone."); });
  CHECK_FALSE(find(1));
}

TEST_CASE_FIXTURE(ChatWorld, "Cancel ends a login, and leaves no account") {
  network.questions = {form_of("username")};
  start();
  says("register", "username?");
  says("cancel", "You have stopped registering");
  settle_stanzas();
  CHECK_FALSE(find(1));
  CHECK_FALSE(transport->dialogues().is_under_way(jid("u1@x.test")));
}

TEST_CASE_FIXTURE(ChatWorld, "Cancel ends a login also while the network is being asked") {
  network.holds_verdict = true;
  start();
  receive(chat("register"));
  until([&] { return network.logins == 1; });
  says("cancel", "You have stopped registering");
  CHECK_FALSE(find(1));
}

TEST_CASE_FIXTURE(ChatWorld, "A question that nobody answers ends its login") {
  dialogues.answer = std::chrono::milliseconds(1);
  network.questions = {form_of("username")};
  start();
  says("register", "not answered in time");
  CHECK_FALSE(transport->dialogues().is_under_way(jid("u1@x.test")));
}

TEST_CASE_FIXTURE(ChatWorld, "A code that changes is shown anew, and nobody needs to answer it") {
  connector::Form first, second;
  first.waits = second.waits = true;
  first.links = {{"", "https://im.test/one"}};
  second.links = {{"", "https://im.test/two"}};
  network.questions = {first, second};
  start();
  says("register", "https://im.test/two");
  CHECK(has_come("https://im.test/one"));
  until([&] { return find(1) != nullptr; });
}

TEST_CASE_FIXTURE(ChatWorld, "A new registration takes the place of one whose question is open") {
  network.questions = {form_of("username")};
  start();
  says("register", "username?");
  receive(registered_with("<username>romeo</username>"));
  until([&] { return find(1) != nullptr; });
  until([&] { return has_come("You began to register anew"); });
}

TEST_CASE_FIXTURE(ChatWorld, "Where there is no room, the oldest open question of the domain with most gives way") {
  dialogues.most = 3;
  registration.domains = {"x.test", "guests.test"};
  network.questions = {form_of("username")};
  start();
  const auto begins = [&](const std::string& user) {
    receive("<message type='chat' from='" + user + "/r' to='sms.test'><body>register</body></message>");
    until([&] { return transport->dialogues().question(jid(user)) != nullptr; });
  };
  for (const char* user : {"u1@x.test", "g1@guests.test", "g2@guests.test", "u2@x.test"}) begins(user);
  CHECK(transport->dialogues().is_under_way(jid("u1@x.test")));
  CHECK_FALSE(transport->dialogues().is_under_way(jid("g1@guests.test")));
  until([&] { return has_come("Too many others are registering"); });
}

TEST_CASE_FIXTURE(ChatWorld, "Where nobody's question is open, more logins than the limit are refused") {
  dialogues.most = 1;
  network.holds_questions = true;
  start();
  receive(chat("register"));
  until([&] { return transport->dialogues().is_under_way(jid("u1@x.test")); });
  receive("<message type='chat' from='u2@x.test/r' to='sms.test'><body>register</body></message>");
  until([&] { return has_come("too many others"); });
}

TEST_CASE_FIXTURE(ChatWorld, "What a server announces to everybody is no command") {
  start();
  receive("<message type='chat' from='x.test' to='sms.test'><body>The server restarts at noon.</body></message>");
  settle_stanzas();
  CHECK(stays_away("<message"));
}

TEST_CASE_FIXTURE(ChatWorld, "Unknown words are answered with what one can write") {
  start();
  says("hello there", "That is no command here.");
  until([&] { return has_come("register: log in to the network"); });
  CHECK(stays_away("status: "));  // which is for who is registered
}

TEST_CASE_FIXTURE(ChatWorld, "Who is not registered is told how to") {
  start();
  says("status", "Please register with sms.test first.");
}

TEST_CASE_FIXTURE(ChatWorld, "Who may not register gets a refusal and no talk") {
  start();
  receive("<message type='chat' from='robot@evil.test/r' to='sms.test' id='m'><body>help</body></message>");
  until([&] { return has_come("<forbidden"); });
  settle_stanzas();
  CHECK(stays_away("type='chat'"));
}

TEST_CASE_FIXTURE(ChatWorld, "What was said long ago is refused") {
  network.questions = {form_of("username")};
  start();
  receive(chat("register", "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>"));
  until([&] { return has_come("late, so nothing was done"); });
  CHECK(network.logins == 0);
}

TEST_CASE_FIXTURE(ChatWorld, "Typing notifications, receipts and errors get no answer") {
  start();
  receive(
      "<message type='chat' from='u1@x.test/r' to='sms.test'><composing "
      "xmlns='http://jabber.org/protocol/chatstates'/></message>"
      "<message type='chat' from='u1@x.test/r' to='sms.test'><received xmlns='urn:xmpp:receipts' id='1'/></message>"
      "<message type='error' from='u1@x.test/r' to='sms.test'><body>help</body></message>"
      "<message type='headline' from='u1@x.test/r' to='sms.test'><body>help</body></message>");
  settle_stanzas();
  CHECK(stays_away("<message"));
}

TEST_CASE_FIXTURE(ChatWorld, "A robot that answers every answer is answered a bounded number of times") {
  start();
  std::string text;
  for (int i = 0; i < 200; ++i) text += chat("status");
  receive(std::move(text));
  settle_stanzas();
  CHECK(times(came, "type='chat'") == 30);
  CHECK(times(came, "<resource-constraint") == 1);
}

TEST_CASE_FIXTURE(ChatWorld, "A text goes to somebody who is no contact, and its answer says from where answers come") {
  register_users(1, 0);
  start();
  until([&] { return find(1)->is_online(); });
  says("text +15550199 Nurse! Is he gone?", "answers come from that address");
  until([&] { return network.performed.size() == 1; });
  const auto& sent = std::get<connector::SendMessage>(network.performed[0]);
  CHECK(sent.content.text == "Nurse! Is he gone?");
  CHECK(has_come("+15550199@sms.test"));
}

TEST_CASE_FIXTURE(ChatWorld, "Preferences are asked for one by one, and hold") {
  register_users(1, 0);
  start();
  says("preferences", "1. always");
  says("2", "corrections");
  says("no", "reactions");
  says("yes", "replies");
  says("no", "Your preferences are stored.");
  CHECK(find(1)->row.policy == store::AccountPolicy::follow_presence);
  CHECK(find(1)->row.refuses == store::Refusals{false, true, false});
}

TEST_CASE_FIXTURE(ChatWorld, "To remove an account needs a yes") {
  register_users(1, 0);
  start();
  says("remove no", "Nothing was removed.");
  CHECK(find(1));
  says("remove", "Answer yes or no.");
  says("yes", "Your account is removed.");
  CHECK_FALSE(find(1));
}

TEST_CASE_FIXTURE(ChatWorld, "A further account is led at its own face") {
  network.questions = {form_of("username")};
  register_users(1, 0);
  start();
  receive("<message type='chat' from='u1@x.test/r' to='~work@sms.test'><body>register</body></message>");
  until([&] { return has_come("username?"); });
  receive("<message type='chat' from='u1@x.test/r' to='~work@sms.test'><body>romeo</body></message>");
  until([&] { return find(1, "work") != nullptr; });
  until([&] { return has_come("the phone number, followed by ~work@sms.test"); });
}

TEST_CASE_FIXTURE(ChatWorld, "A further account's form with a further question goes on at the account's own face") {
  network.questions = {form_of("username"), form_of("code")};
  register_users(1, 0);
  start();
  receive(
      "<iq type='set' from='u1@x.test/r' to='~work@sms.test' id='reg'><query xmlns='jabber:iq:register'>"
      "<username>romeo</username></query></iq>");
  until([&] { return has_come("code?"); });
  CHECK(has_come("as a message from ~work@sms.test"));
  says("4711", "That is no command here.");  // at the first account's face, which asked nothing
  CHECK_FALSE(find(1, "work"));
  receive("<message type='chat' from='u1@x.test/r' to='~work@sms.test'><body>4712</body></message>");
  until([&] { return find(1, "work") != nullptr; });
  CHECK(find(1, "work")->row.credentials.at("code") == "4712");
  settle_stanzas();
  CHECK(stays_away("Your login is changed."));  // that of the first account is not
}

TEST_CASE_FIXTURE(ChatWorld, "Who cannot begin a login just now is not held for somebody who is led through one") {
  network.holds_verdict = true;
  start();
  receive(registered_with(""));
  until([&] { return network.logins == 1; });
  says("register", "are being worked on");
  says("help", "You can write here");
  CHECK(stays_away("One moment, please"));
}

// Commands as forms (XEP-0050), and logins as their stages.
#include "tests/unit/features/transport_world.hpp"

using namespace wherry;
using namespace wherry::tests;
using connector::Field;

namespace {

connector::Form asking(std::string name) {
  Field field;
  field.name = std::move(name);
  connector::Form form;
  form.fields.push_back(std::move(field));
  return form;
}

std::string command(const std::string& id, const std::string& attributes, const std::string& fields = "") {
  const std::string form = fields.empty() ? "" : "<x xmlns='jabber:x:data' type='submit'>" + fields + "</x>";
  return "<iq type='set' from='u1@x.test/r' to='sms.test' id='" + id +
         "'><command xmlns='http://jabber.org/protocol/commands' " + attributes + ">" + form + "</command></iq>";
}

std::string field(const std::string& name, const std::string& value) {
  return "<field var='" + name + "'><value>" + value + "</value></field>";
}

struct CommandWorld : TransportWorld {
  CommandWorld() { registration.domains = {"x.test"}; }
  // What came with that id.
  std::string answer(const std::string& id) {
    until([&] { return has_come("id='" + id + "'"); });
    const std::size_t begin = came.find("id='" + id + "'");
    return came.substr(begin, came.find("</iq>", begin) - begin);
  }
  bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
};

}  // namespace

TEST_CASE_FIXTURE(CommandWorld, "Every question of a login is a stage of the command") {
  network.questions = {asking("username"), asking("code")};
  start();
  receive(command("c1", "node='register' action='execute'"));
  const std::string first = answer("c1");
  CHECK(has(first, "status='executing'"));
  CHECK(has(first, "var='username'"));
  receive(command("c2", "node='register' sessionid='1' action='next'", field("username", "romeo")));
  CHECK(has(answer("c2"), "var='code'"));
  receive(command("c3", "node='register' sessionid='1'", field("code", "4711")));
  CHECK(has(answer("c3"), "status='completed'"));
  CHECK(find(1)->row.credentials == connector::Answers{{"username", "romeo"}, {"code", "4711"}});
}

TEST_CASE_FIXTURE(CommandWorld, "A code that is being watched is shown, and the next request tells how it ended") {
  connector::Form code;
  code.waits = true;
  code.pictures = {{"image/png", "https://im.test/qr.png", "Scan this"}};
  network.questions = {code};
  start();
  receive(command("c1", "node='register'"));
  const std::string first = answer("c1");
  CHECK(has(first, "<media xmlns='urn:xmpp:media-element'"));
  CHECK(has(first, "https://im.test/qr.png"));
  until([&] { return find(1) != nullptr; });
  settle_stanzas();
  receive(command("c2", "node='register' sessionid='1' action='next'"));
  CHECK(has(answer("c2"), "status='completed'"));
}

TEST_CASE_FIXTURE(CommandWorld, "A session is of one device, and of one command") {
  register_users(1, 0);
  start();
  receive(command("c1", "node='remove'"));
  answer("c1");
  receive(command("c2", "node='preferences' sessionid='1'"));
  CHECK(has(answer("c2"), "<bad-sessionid"));
  receive(
      "<iq type='set' from='u1@x.test/other' to='sms.test' id='c3'><command "
      "xmlns='http://jabber.org/protocol/commands' node='remove' sessionid='1'/></iq>");
  CHECK(has(answer("c3"), "<bad-sessionid"));
  CHECK(find(1));
}

TEST_CASE_FIXTURE(CommandWorld, "A user has few sessions at once: the oldest makes room, since nobody cancels a form") {
  register_users(1, 0);
  start();
  for (int i = 1; i <= 5; ++i) {
    clock.time += std::chrono::seconds(1);
    receive(command("c" + std::to_string(i), "node='remove'"));
    CHECK(has(answer("c" + std::to_string(i)), "executing"));
  }
  receive(command("c6", "node='remove' sessionid='1'"));
  CHECK(has(answer("c6"), "<bad-sessionid"));
}

TEST_CASE_FIXTURE(CommandWorld, "To cancel the command ends its login") {
  network.questions = {asking("username")};
  start();
  receive(command("c1", "node='register'"));
  answer("c1");
  receive(command("c2", "node='register' sessionid='1' action='cancel'"));
  CHECK(has(answer("c2"), "status='canceled'"));
  until([&] { return !transport->dialogues().is_under_way(jid("u1@x.test")); });
  CHECK_FALSE(find(1));
}

TEST_CASE_FIXTURE(CommandWorld, "There is no way back, and an unknown action is refused") {
  register_users(1, 0);
  start();
  receive(command("c1", "node='remove'"));
  answer("c1");
  for (const char* action : {"prev", "explode"}) {
    const std::string id = std::string("c-") + action;
    receive(command(id, "node='remove' sessionid='1' action='" + std::string(action) + "'"));
    CHECK(has(answer(id), "<bad-action"));
  }
  receive(command("c2", "node='nonsense'"));
  CHECK(has(answer("c2"), "<item-not-found"));
}

TEST_CASE_FIXTURE(CommandWorld, "Who is not registered may not ask for a status") {
  start();
  receive(command("c1", "node='status'"));
  CHECK(has(answer("c1"), "<registration-required"));
}

// Messages that refer to other messages, both ways: under which name each side hears of them.
#include "tests/unit/queues/outbox_world.hpp"

using namespace wherry;
using namespace wherry::tests;
using connector::Stage;
using connector::Support;
using Texts = std::vector<std::string>;

namespace {

const base::AccountId romeo{1};
const base::ChatId juliet = base::ContactId{"+1"};

connector::Target target(std::string name) {
  connector::Target target;
  target.ids.push_back({std::move(name)});
  return target;
}

Origin sent_as(std::string stanza_id) {
  Origin origin = by_somebody();
  origin.stanza_id = std::move(stanza_id);
  return origin;
}

connector::Event edited(std::string of_message, std::string id = "e1") {
  connector::MessageEdited edit;
  edit.chat = juliet;
  edit.sender = {"+1"};
  edit.id = {std::move(id)};
  edit.target = {std::move(of_message)};
  edit.content.text = "at nine";
  return edit;
}

// A network whose messages have names and parts, and which does all that refers to them.
struct Referring : OutboxWorld {
  explicit Referring(bool refers = true) : OutboxWorld(OutboxLimits{}) {
    connector::Network described = network.describe();
    described.refers_to_messages = refers;
    described.redelivers = true;
    messages->use(described);
    run(loop, inbox->load(described));
    network.can.edit = network.can.retract = network.can.react = network.can.reply = Support::full;
    network.release();
  }
  void send_named(std::string stanza_id, Texts names) {
    network.name_of_sent = names.front();
    network.names_of_parts.assign(names.begin() + 1, names.end());
    const std::size_t before = network.sent.size();
    send(1, "+1", "at eight", std::move(stanza_id));
    until([&] { return network.sent.size() == before + 1; });
    until_committed();
  }
  void receive(std::string name) {
    connector::MessageReceived message;
    message.chat = juliet;
    message.sender = {"+1"};
    message.id = {std::move(name)};
    message.content.text = "hello";
    run(loop, inbox->publish(romeo, std::move(message)));
  }
  // What the user is told, as JSON, but for the first `known` rows.
  Texts told_beyond(std::size_t known) {
    Texts rows;
    db::Database::Closure read = [&](db::Transaction& t) {
      rows.clear();
      for (const db::Row& row : t.query("SELECT payload FROM inbox ORDER BY id")) rows.push_back(row.text(0));
    };
    run(loop, database->transact(std::move(read)));
    return {rows.begin() + static_cast<std::ptrdiff_t>(known), rows.end()};
  }
  std::int64_t newest_inbox_row() {
    std::int64_t id = 0;
    db::Database::Closure read = [&](db::Transaction& t) {
      id = t.query("SELECT MAX(id) FROM inbox").at(0).integer(0);
    };
    run(loop, database->transact(std::move(read)));
    return id;
  }
  // What the network is asked when the user wants it.
  std::string asked(connector::Action action, std::string stanza_id) {
    const std::size_t before = network.done.size() + network.sent.size();
    REQUIRE(put(1, std::move(action), sent_as(std::move(stanza_id))).has_value());
    until([&] { return network.done.size() + network.sent.size() == before + 1 || stored() == 0; });
    if (network.done.empty()) return network.sent.empty() ? "" : network.sent.back();
    std::string done = network.done.back();
    const auto key = done.find("\"key\":\""), end = done.find('"', key + 7);
    return key == std::string::npos ? done : done.erase(key, end + 2 - key);
  }
};

}  // namespace

TEST_CASE("A correction names all parts of what it corrects as the network does") {
  Referring f;
  f.send_named("m1", {"n1", "n2"});
  connector::EditMessage edit{juliet, "", target("m1"), {"at nine"}};
  CHECK(f.asked(edit, "m2") ==
        R"({"type":"edit_message","chat":"c:+1","target":{"ids":["n1","n2"],"from_me":true},"text":"at nine"})");
  CHECK(f.stored() == 0);
}

TEST_CASE("A correction that waits behind its message goes to it all the same") {
  Referring f;
  f.network.name_of_sent = "n1";
  f.send(1, "+1", "at eight", "m1");
  connector::EditMessage edit{juliet, "", target("m1"), {"at nine"}};
  REQUIRE(f.put(1, edit, sent_as("m2")).has_value());
  f.until([&] { return f.network.done.size() == 1; });
  CHECK(f.network.done.front().find(R"("ids":["n1"])") != std::string::npos);
}

TEST_CASE("What the network names by our key is named so") {
  Referring f;
  f.send(1, "+1", "at eight", "m1");
  f.until([&] { return f.network.sent.size() == 1; });
  connector::RetractMessage retraction{juliet, "", target("m1")};
  CHECK(f.asked(retraction, "m2") == R"({"type":"retract_message","chat":"c:+1","target":{"ids":[")" +
                                         f.network.keys.front() + R"("],"from_me":true}})");
}

TEST_CASE("What may not have been sent is not named by our key, until the network does so") {
  Referring f;
  f.network.answer = connector::Error{connector::Errc::uncertain, ""};
  f.send(1, "+1", "at eight", "m1");
  f.until([&] { return f.stored() == 0; });
  f.network.answer.reset();
  std::string key;
  db::Database::Closure read = [&](db::Transaction& t) {
    key = f.keys.of(t.query("SELECT id FROM messages").at(0).integer(0));
  };
  run(f.loop, f.database->transact(std::move(read)));
  connector::EditMessage edit{juliet, "", target("m1"), {"at nine"}};
  CHECK(f.asked(edit, "m2") == "✎ at nine");
  f.report(1, key, Stage::delivered);
  CHECK(f.asked(edit, "m3").find(key) != std::string::npos);
}

TEST_CASE("A reaction to what came names it as the network does") {
  Referring f;
  f.receive("x1");
  const std::string name = "w" + f.keys.of(f.newest_inbox_row());
  connector::React reaction{juliet, "", target(name), {"👍"}};
  CHECK(f.asked(reaction, "m1") == R"({"type":"react","chat":"c:+1","target":{"ids":["x1"]},"reactions":["👍"]})");
  connector::React to_a_part{juliet, "", target(name + "-2"), {"♥"}};
  CHECK(f.asked(to_a_part, "m2").find(R"("ids":["x1"])") != std::string::npos);
}

TEST_CASE("What names a message of another chat, of another account, or nobody's, names none") {
  Referring f;
  f.send_named("m1", {"n1"});
  connector::EditMessage edit{base::ContactId{"+2"}, "", target("m1"), {"at nine"}};
  CHECK(f.asked(edit, "m2") == "✎ at nine");
  REQUIRE(f.put(2, connector::EditMessage{juliet, "", target("m1"), {"at ten"}}, sent_as("m3")).has_value());
  f.until([&] { return f.network.sent.back() == "✎ at ten"; });
  CHECK(f.network.done.empty());
  connector::RetractMessage retraction{juliet, "", target("unknown")};
  CHECK(f.asked(retraction, "m4") == "✎ at ten");  // nothing more
  CHECK(f.told_beyond(0).back().find("not known here any more") != std::string::npos);
}

TEST_CASE("A network that does not refer to messages costs no row, and shows a correction as a message") {
  Referring f(false);
  f.network.can = {};
  f.receive("x1");
  connector::EditMessage edit{juliet, "", target("m1"), {"at nine"}};
  CHECK(f.asked(edit, "m2") == "✎ at nine");
  std::int64_t received = -1;
  db::Database::Closure read = [&](db::Transaction& t) {
    received = t.query("SELECT COUNT(*) FROM messages WHERE kind = 1 OR stanza_hash IS NOT NULL").at(0).integer(0);
  };
  run(f.loop, f.database->transact(std::move(read)));
  CHECK(received == 0);
}

TEST_CASE("A message of several parts is delivered when all its parts are, and has failed when one has") {
  Referring f;
  f.send_named("m1", {"n1", "n2"});
  f.report(1, "n2", Stage::delivered);
  f.report(1, "n2", Stage::delivered);
  CHECK(f.told().empty());
  f.report(1, "n1", Stage::delivered);
  CHECK(f.told() == Texts{"delivered"});
  f.send_named("m2", {"n3", "n4"});
  f.report(1, "n4", Stage::failed, "no");
  f.report(1, "n3", Stage::delivered);
  CHECK(f.told() == Texts{"delivered", "no"});
}

TEST_CASE("A report on a further part that comes before the message is on the disk is not lost") {
  Referring f;
  f.network.name_of_sent = "n1";
  f.network.names_of_parts = {"n2"};
  f.send(1, "+1", "at eight", "m1");
  f.until([&] { return f.messages->find_recent(romeo, "n2").has_value(); });
  base::TaskGroup tasks(f.loop.get_executor());
  for (const char* part : {"n2", "n1"}) {
    connector::MessageProgressed progress{{part}, Stage::delivered, ""};
    tasks.spawn("report", f.reports->publish(romeo, std::move(progress)));
  }
  run(f.loop, tasks.join());
  CHECK(f.told() == Texts{"delivered"});
}

TEST_CASE("Reports on the parts of one message that come at once are both counted") {
  Referring f;
  f.send_named("m1", {"n1", "n2"});
  Messages of_another_run(f.loop.get_executor(), *f.journal, *f.database, *f.underway,
                          f.keys);  // its memory knows nothing of it
  Reports reports(*f.journal, *f.database, *f.inbox, *f.repeats, of_another_run, *f.underway, f.keys);
  base::TaskGroup tasks(f.loop.get_executor());
  for (const char* part : {"n1", "n2"}) {
    connector::MessageProgressed progress{{part}, Stage::delivered, ""};
    tasks.spawn("report", reports.publish(romeo, std::move(progress)));
  }
  run(f.loop, tasks.join());
  CHECK(f.told() == Texts{"delivered"});
}

TEST_CASE("What the network says of a message before its send has returned waits for the message's name") {
  Referring f;
  f.network.name_of_sent = "n1";
  base::TaskGroup tasks(f.loop.get_executor());
  f.network.on_sent = [&] {
    connector::Reacted reacted{juliet, {"+1"}, {"e1"}, {"n1"}, {"👍"}};
    tasks.spawn("reaction", f.inbox->publish(romeo, std::move(reacted)));
  };
  f.send(1, "+1", "at eight", "m1");
  f.until([&] { return f.network.sent.size() == 1; });
  run(f.loop, tasks.join());
  const Texts told = f.told_beyond(0);
  REQUIRE(told.size() == 1);
  CHECK(told.front().find(R"("target":"m1")") != std::string::npos);
}

TEST_CASE("What follows an event of its chat that waits for a name comes after it") {
  Referring f;
  f.network.name_of_sent = "n1";
  base::TaskGroup tasks(f.loop.get_executor());
  f.network.on_sent = [&] {
    connector::MessageReceived later;
    later.chat = juliet;
    later.sender = {"+1"};
    later.id = {"x2"};
    later.content.text = "later";
    connector::Reacted reacted{juliet, {"+1"}, {"e1"}, {"n1"}, {"👍"}};
    tasks.spawn("reaction", f.inbox->publish(romeo, std::move(reacted)));
    tasks.spawn("message", f.inbox->publish(romeo, std::move(later)));
  };
  f.send(1, "+1", "at eight", "m1");
  f.until([&] { return f.network.sent.size() == 1; });
  run(f.loop, tasks.join());
  const Texts told = f.told_beyond(0);
  REQUIRE(told.size() == 2);
  CHECK(told[0].find(R"("target":"m1")") != std::string::npos);
  CHECK(told[1].find("later") != std::string::npos);
}

TEST_CASE("What waits for a name while its account is removed is noted nowhere") {
  Referring f;
  base::TaskGroup tasks(f.loop.get_executor());
  f.network.on_sent = [&] {
    tasks.spawn("correction", f.inbox->publish(romeo, edited("n9")));
    tasks.spawn("removal", f.accounts->remove(romeo));
  };
  f.send(1, "+1", "at eight", "m1");
  f.until([&] { return f.network.sent.size() == 1; });
  run(f.loop, tasks.join());
  CHECK(f.told_beyond(0).empty());
}

TEST_CASE("Sends under way are those of a chat that began before, until they end") {
  boost::asio::io_context loop;
  SendsUnderway sends(loop.get_executor());
  sends.began(romeo, 7, "c:+1");
  const SendsUnderway::Turn then = sends.last(romeo);
  sends.began(romeo, 8, "c:+1");
  sends.began(romeo, 7, "c:+1");  // again, since its outcome is unknown
  CHECK(sends.has_any(romeo, "c:+1", then));
  const auto until = sends.awaited_until(romeo, "c:+1", then);
  REQUIRE(until.has_value());
  CHECK(*until <= std::chrono::steady_clock::now() + std::chrono::seconds(5));  // also for who comes later
  CHECK_FALSE(sends.awaited_until(romeo, "c:+2", then).has_value());
  CHECK_FALSE(sends.has_any(romeo, "c:+2", then));
  CHECK_FALSE(sends.has_any(base::AccountId{2}, "c:+1", then));
  sends.ended(romeo, 7);
  CHECK_FALSE(sends.has_any(romeo, "c:+1", then));
  CHECK(sends.has_any(romeo));
  CHECK(sends.oldest(romeo) > then);
}

TEST_CASE("A correction from the network names what it corrects as the user's program does") {
  Referring f;
  f.receive("x1");
  const std::string name = "w" + f.keys.of(f.newest_inbox_row());
  run(f.loop, f.inbox->publish(romeo, edited("x1")));
  run(f.loop, f.inbox->publish(romeo, edited("x1")));  // the same again
  const Texts told = f.told_beyond(1);
  REQUIRE(told.size() == 1);
  CHECK(told.front().find(R"("type":"message_edited")") != std::string::npos);
  CHECK(told.front().find(R"("target":")" + name + '"') != std::string::npos);
}

TEST_CASE("A reaction from the network to what the user sent names it by its stanza's id") {
  Referring f;
  f.send_named("m1", {"n1", "n2"});
  connector::Reacted reacted{juliet, {"+1"}, {"e1"}, {"n2"}, {"👍"}};
  run(f.loop, f.inbox->publish(romeo, std::move(reacted)));
  const Texts told = f.told_beyond(0);
  REQUIRE(told.size() == 1);
  CHECK(told.front().find(R"("target":"m1")") != std::string::npos);
}

TEST_CASE("What the network says of a message that nobody knows is said in words") {
  Referring f;
  run(f.loop, f.inbox->publish(romeo, edited("unknown")));
  connector::MessageRetracted retracted{juliet, {"+1"}, {"e2"}, {"unknown"}};
  run(f.loop, f.inbox->publish(romeo, std::move(retracted)));
  connector::Reacted reacted{juliet, {"+1"}, {"e3"}, {"unknown"}, {"👍"}};
  run(f.loop, f.inbox->publish(romeo, std::move(reacted)));
  connector::Reacted taken_off{juliet, {"+1"}, {"e4"}, {"unknown"}, {}};
  run(f.loop, f.inbox->publish(romeo, std::move(taken_off)));
  const Texts told = f.told_beyond(0);
  REQUIRE(told.size() == 3);
  CHECK(told[0].find("✎ at nine") != std::string::npos);
  CHECK(told[1].find("(An older message was taken back.)") != std::string::npos);
  CHECK(told[2].find("👍") != std::string::npos);
}

TEST_CASE("A reply from the network names what it answers to, or keeps its quotation alone") {
  Referring f;
  f.send_named("m1", {"n1"});
  connector::MessageReceived answer{juliet, {"+1"}, {"x1"}, {"yes"}, base::from_milliseconds(1)};
  answer.content.reply_to = connector::Reply{{{"n1"}}, {}, "at eight"};
  run(f.loop, f.inbox->publish(romeo, answer));
  answer.id = {"x2"};
  answer.content.reply_to = connector::Reply{{{"unknown"}}, {}, "at eight"};
  run(f.loop, f.inbox->publish(romeo, answer));
  const Texts told = f.told_beyond(0);
  REQUIRE(told.size() == 2);
  CHECK(told[0].find(R"("reply_to":{"ids":["m1"],"text":"at eight"})") != std::string::npos);
  CHECK(told[1].find(R"("reply_to":{"text":"at eight"})") != std::string::npos);
}

TEST_CASE("What a client sends again is sent once, also a correction and a reaction") {
  Referring f;
  f.send_named("m1", {"n1"});
  for (int i = 0; i < 2; ++i) {
    REQUIRE(f.put(1, connector::EditMessage{juliet, "", target("m1"), {"at nine"}}, sent_as("m2")).has_value());
    REQUIRE(f.put(1, connector::React{juliet, "", target("m1"), {"👍"}}, sent_as("m3")).has_value());
  }
  f.until([&] { return f.network.done.size() == 2; });
  CHECK(f.stored() == 0);
  CHECK(f.network.done.size() == 2);
}

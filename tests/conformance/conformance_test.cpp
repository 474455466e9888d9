// Every promise of gateway/connector/connector.hpp, as a test that runs over every network.
#include "tests/conformance/lab.hpp"

using namespace wherry;
using namespace wherry::connector;
using namespace wherry::tests;
using namespace std::chrono_literals;

namespace {

bool is_sentence(const std::string& text) {
  return text.size() > 3 && (text.back() == '.' || text.back() == '!' || text.back() == '?');
}

// Brings until the connector acknowledges, as a network with redelivery does.
asio::awaitable<void> bring_in_order(Lab& lab, std::size_t contact, int count) {
  for (int i = 0; i < count; ++i) {
    const bool acknowledged = co_await lab.harness->bring(
        *lab.session, lab.contact(contact), std::to_string(contact) + "-" + std::to_string(i), std::to_string(i));
    if (!acknowledged) throw std::logic_error("not acknowledged");
  }
}

}  // namespace

// ---- Connector: what it is and how it is configured ----

TEST_CASE("describe() says who the network is, before anything runs") {
  Lab lab(any_network());
  const Network network = lab.network->describe();
  CHECK_FALSE(network.id.empty());
  CHECK(network.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == network.id.npos);
  CHECK_FALSE(network.name.empty());
  CHECK_FALSE(network.disco_type.empty());
  CHECK_FALSE(network.contact_prompt.empty());
  CHECK(is_sentence(network.contact_help));
}

TEST_CASE("A configuration that is wrong gives an error that begins with the key's path (Plugin::make)") {
  const auto harness = any_network();
  for (const BadConfiguration& bad : harness->bad_configurations) {
    Bench bench;
    std::optional<Result<std::unique_ptr<Connector>>> made;
    run(bench.loop, Lab::into(harness->make(bad.configuration, bench.services), made));
    CAPTURE(bad.path);
    REQUIRE_FALSE(made->has_value());
    CHECK(made->error().code == Errc::bad_input);
    CHECK_MESSAGE(made->error().text.starts_with(bad.path), made->error().text);
  }
}

TEST_CASE("A configuration of garbage gives an error, whatever it is") {
  const auto harness = any_network();
  for (const char* garbage : {"null", "[]", "5", "\"x\"", R"({"":{}})", R"({"\u0000":[[[[]]]]})"}) {
    Bench bench;
    std::optional<Result<std::unique_ptr<Connector>>> made;
    run(bench.loop, Lab::into(harness->make(nlohmann::json::parse(garbage), bench.services), made));
    CAPTURE(garbage);
    REQUIRE_FALSE(made->has_value());
    CHECK(made->error().code == Errc::bad_input);
    CHECK_FALSE(made->error().text.empty());
  }
}

TEST_CASE("run() ends within seconds when it is cancelled, and can be run again") {
  Lab lab(any_network());
  for (int i = 0; i < 2; ++i) {
    lab.group.spawn("run", lab.network->run());
    run(lab.loop, base::sleep(50ms));
    CHECK_FALSE(lab.group.empty());
    lab.group.cancel();
    run(lab.loop, lab.group.join(), 7s);
  }
}

// ---- Contacts ----

TEST_CASE("parse_contact gives a contact's one true id, and takes that id itself again") {
  Lab lab(any_network());
  lab.start();
  for (const auto& [typed, id] : lab.harness->contacts) {
    for (const std::int64_t account : {0, 1}) {
      CHECK(lab.get(lab.network->parse_contact(typed, AccountId{account})).value() == ContactId{id});
      CHECK(lab.get(lab.network->parse_contact(id, AccountId{account})).value() == ContactId{id});
    }
  }
}

TEST_CASE("parse_contact refuses what cannot be one, with a sentence for the person who typed it") {
  Lab lab(any_network());
  lab.start();
  for (const std::string& typed : lab.harness->no_contacts) {
    CAPTURE(typed.substr(0, 100));
    const auto refused = lab.get(lab.network->parse_contact(typed, AccountId{0}));
    REQUIRE_FALSE(refused.has_value());
    CHECK((refused.error().code == Errc::bad_input || refused.error().code == Errc::not_found));
    CHECK(is_sentence(refused.error().text));
  }
}

// ---- Registration ----

TEST_CASE("log_in() asks and returns the credentials to keep") {
  Lab lab(any_network());
  lab.start();
  User user;
  user.answers = lab.harness->answers;
  const auto credentials = lab.get(lab.network->log_in(Applicant{"romeo@example.org", nullptr}, user));
  CHECK(credentials.value() == lab.harness->credentials);
  REQUIRE_FALSE(user.asked.empty());
  for (const Form& form : user.asked) {
    CHECK_FALSE(form.title.empty());
    for (const Field& field : form.fields) {
      CHECK_FALSE(field.name.empty());
      CHECK_FALSE(field.label.empty());
      CHECK((field.type == Field::Type::choice) == !field.choices.empty());
    }
  }
}

TEST_CASE("log_in() shows what is on record, but never a secret") {
  Lab lab(any_network());
  lab.start();
  const Account present = lab.account(1);
  User user;  // leaves every field as it is
  for (const auto& [name, value] : lab.harness->answers) user.answers[name] = value;
  lab.get(lab.network->log_in(Applicant{present.user, &present}, user));
  REQUIRE_FALSE(user.asked.empty());
  for (const Field& field : user.asked.front().fields) {
    if (field.type == Field::Type::secret)
      CHECK(field.value.empty());
    else if (present.credentials.contains(field.name))
      CHECK(field.value == present.credentials.at(field.name));
  }
}

TEST_CASE("log_in() refuses with a text for the user") {
  Lab lab(any_network());
  lab.start();
  if (lab.harness->refused_answers.empty()) return;
  User user;
  user.answers = lab.harness->refused_answers;
  const auto refused = lab.get(lab.network->log_in(Applicant{"romeo@example.org", nullptr}, user));
  REQUIRE_FALSE(refused.has_value());
  CHECK(is_sentence(refused.error().text));
}

TEST_CASE("log_in() returns the error of a user who gives up") {
  Lab lab(any_network());
  lab.start();
  User user;
  user.gives_up = true;
  const auto refused = lab.get(lab.network->log_in(Applicant{"romeo@example.org", nullptr}, user));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::rejected);
  CHECK(refused.error().text == "The user gave up.");
}

TEST_CASE("log_in() ends when it is cancelled while the user thinks, and the next one works") {
  Lab lab(any_network());
  lab.start();
  User thinker;
  thinker.silent = true;
  base::TaskGroup logins(lab.loop.get_executor());
  std::optional<Result<Answers>> none;
  logins.spawn("log_in", Lab::into(lab.network->log_in(Applicant{"romeo@example.org", nullptr}, thinker), none));
  for (int i = 0; i < 1000 && thinker.asked.empty(); ++i) run(lab.loop, base::sleep(10ms));
  REQUIRE_FALSE(thinker.asked.empty());
  logins.cancel();
  run(lab.loop, logins.join(), 7s);
  CHECK_FALSE(none);
  User user;
  user.answers = lab.harness->answers;
  CHECK(lab.get(lab.network->log_in(Applicant{"romeo@example.org", nullptr}, user)).has_value());
}

// ---- Sessions ----

TEST_CASE(
    "Session::run() publishes AccountChanged{online} when it is up, ends within seconds when cancelled, and runs "
    "again") {
  Lab lab(any_network());
  lab.start();
  CHECK(lab.sink.all<AccountChanged>().at(0).online);
  CHECK_FALSE(lab.sink.all<AccountChanged>().at(0).needs_login);
  CHECK_FALSE(lab.sessions.empty());
  lab.sessions.cancel();
  run(lab.loop, lab.sessions.join(), 7s);
  lab.session.reset();
  lab.session = lab.open(1, lab.sink);
  CHECK(lab.sink.all<AccountChanged>().back().online);
  CHECK(lab.send("k", "again").has_value());
}

TEST_CASE("perform() carries a text as it was written, and its events name the chat and the sender") {
  Lab lab(any_network());
  lab.start();
  const std::string text = "Zoë says: \"5 < 6\" & 'x'\\ \n second line\t😀";
  REQUIRE(lab.send("k1", text).has_value());
  run(lab.loop, lab.sink.wait_for<MessageReceived>(1));
  const auto received = lab.sink.all<MessageReceived>().at(0);
  CHECK(received.content.text == text);
  CHECK(received.chat == lab.chat());
  CHECK(received.sender == lab.contact());
  CHECK_FALSE(received.id.value.empty());
  CHECK(std::chrono::abs(received.sent_at - lab.clock.now()) < 1min);
}

TEST_CASE("A network that reports delivery names the receipt's id, or the key, in its report") {
  Lab lab(any_network());
  lab.start();
  if (!lab.network->describe().reports_delivery) return;
  const auto receipt = lab.send("k1", "x").value();
  run(lab.loop, lab.sink.wait_for<MessageProgressed>(1));
  const auto progress = lab.sink.all<MessageProgressed>().at(0);
  CHECK((progress.id == MessageId{"k1"} || progress.id == receipt.id));
  CHECK(progress.stage == Stage::delivered);
}

TEST_CASE("An action that the network does not know is answered unsupported, with a sentence") {
  Lab lab(any_network());
  lab.start();
  for (const Action& action : lab.harness->unsupported) {
    const auto refused = lab.get(lab.session->perform(action));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::unsupported);
    CHECK(is_sentence(refused.error().text));
  }
}

TEST_CASE("A send to a room that does not exist is refused for good") {
  Lab lab(any_network());
  lab.start();
  SendMessage message;
  message.chat = RoomId{"no-such-room"};
  message.key = "k";
  const auto refused = lab.get(lab.session->perform(std::move(message)));
  REQUIRE_FALSE(refused.has_value());
  CHECK((refused.error().code == Errc::not_found || refused.error().code == Errc::unsupported));
}

TEST_CASE("Where sends are idempotent by key, the same key is sent once, however often it is asked for") {
  auto harness = any_network();
  Lab lab(std::move(harness));
  if (lab.network->describe().idempotency != Idempotency::by_key) return;
  lab.start();
  for (int i = 0; i < 3; ++i) CHECK(lab.send("same", "once").has_value());
  CHECK(lab.send("other", "twice").has_value());
  CHECK(lab.send("another", "twice").has_value());
  run(lab.loop, lab.sink.wait_for<MessageReceived>(3));
  CHECK(lab.harness->taken(lab.sink, "once") == 1);
  CHECK(lab.harness->taken(lab.sink, "twice") == 2);
}

// ---- Events ----

TEST_CASE("publish() before acknowledge: what is not yet durable is not acknowledged to the network") {
  Lab lab(any_network());
  lab.start();
  lab.sink.held = true;
  const auto asked = lab.sink.asked;
  std::optional<bool> acknowledged;
  lab.group.spawn("bring", Lab::into(lab.harness->bring(*lab.session, lab.contact(), "n1", "hello"), acknowledged));
  run(lab.loop, lab.sink.wait_asked(asked + 1));
  run(lab.loop, base::sleep(200ms));  // it has every chance to be wrong
  CHECK_FALSE(acknowledged);
  lab.sink.release();
  run(lab.loop, lab.sink.wait_for<MessageReceived>(1));
  for (int i = 0; i < 1000 && !acknowledged; ++i) run(lab.loop, base::sleep(10ms));
  CHECK(acknowledged == true);
}

TEST_CASE("What could not be stored is not acknowledged, and is published again when the network brings it again") {
  Lab lab(any_network());
  lab.start();
  lab.sink.broken = true;
  CHECK_FALSE(lab.get(lab.harness->bring(*lab.session, lab.contact(), "n1", "hello")));
  CHECK(lab.sink.all<MessageReceived>().empty());
  lab.sink.broken = false;
  CHECK(lab.get(lab.harness->bring(*lab.session, lab.contact(), "n1", "hello")));
  CHECK(lab.harness->taken(lab.sink, "hello") == 1);
}

TEST_CASE("10,000 messages keep their order in each chat") {
  auto harness = any_network();
  const std::size_t chats = std::min<std::size_t>(3, harness->contacts.size());
  const int each = 10'000 / static_cast<int>(chats);
  Lab lab(std::move(harness));
  lab.start();
  base::TaskGroup network(lab.loop.get_executor());
  for (std::size_t i = 0; i < chats; ++i) network.spawn("chat", bring_in_order(lab, i, each));
  run(lab.loop, network.join(), 300s);
  std::map<ContactId, int> next;
  for (const auto& event : lab.sink.all<MessageReceived>()) {
    const int expected = next[event.sender]++;
    if (event.content.text != std::to_string(expected))
      FAIL("out of order: ", event.content.text, " instead of ", expected);
  }
  for (std::size_t i = 0; i < chats; ++i) CHECK(next[lab.contact(i)] == each);
}

// ---- Accounts ----

TEST_CASE("Events go to the account that they are for") {
  Lab lab(any_network());
  lab.start();
  Sink other(lab.loop.get_executor());
  lab.network->know_account(lab.account(2), other);
  const auto second = lab.open(2, other);
  CHECK(lab.get(lab.harness->bring(*second, lab.contact(), "n2", "for two")));
  CHECK(other.all<MessageReceived>().size() == 1);
  CHECK(lab.sink.all<MessageReceived>().empty());
  lab.sessions.cancel();
  run(lab.loop, lab.sessions.join());
}

TEST_CASE("forget_account: nothing more is published for it, and the others go on; it may come back") {
  Lab lab(any_network());
  lab.start();
  auto other = std::make_unique<Sink>(lab.loop.get_executor());
  lab.network->know_account(lab.account(2), *other);
  base::TaskGroup sessions(lab.loop.get_executor());
  auto second = lab.network->open(AccountId{2});
  sessions.spawn("session", second->run());
  run(lab.loop, other->wait_for<AccountChanged>(1));
  sessions.cancel();
  run(lab.loop, sessions.join());
  second.reset();
  lab.network->forget_account(AccountId{2});
  other.reset();  // the sanitizer tells if it is used again
  CHECK(lab.send("k1", "still here").has_value());
  run(lab.loop, lab.sink.wait_for<MessageReceived>(1));

  Sink again(lab.loop.get_executor());
  lab.network->know_account(lab.account(2), again);
  second = lab.open(2, again);
  CHECK(lab.get(lab.harness->bring(*second, lab.contact(), "n3", "back")));
  lab.sessions.cancel();
  run(lab.loop, lab.sessions.join());
}

TEST_CASE("know_account may tell changed credentials while a session is open") {
  Lab lab(any_network());
  lab.start();
  lab.network->know_account(lab.account(1), lab.sink);
  CHECK(lab.send("k1", "x").has_value());
}

TEST_CASE("An account that is told before run() is known when it runs") {
  Lab lab(any_network());
  Sink second(lab.loop.get_executor());
  lab.network->know_account(lab.account(2), second);
  lab.start();
  const auto session = lab.open(2, second);
  CHECK(lab.get(lab.harness->bring(*session, lab.contact(), "n1", "x")));
  lab.sessions.cancel();
  run(lab.loop, lab.sessions.join());
}

TEST_CASE("A connector that was stopped is made anew and carries on") {
  Lab lab(any_network());
  lab.start();
  CHECK(lab.send("k1", "before").has_value());
  lab.stop();
  lab.network = lab.get(lab.harness->make(lab.harness->configuration, lab.services)).value();
  lab.start();
  CHECK(lab.send("k2", "after").has_value());
  if (lab.network->describe().idempotency == Idempotency::by_key) {
    CHECK(lab.send("k1", "before").has_value());
    run(lab.loop, lab.sink.wait_for<MessageReceived>(3));
    CHECK(lab.harness->taken(lab.sink, "before") == 1);
  }
}

// Every promise of gateway/connector/contract.hpp, as a test that runs over every network.
#include "gateway/conformance/words.hpp"
#include "tests/conformance/lab.hpp"

#include <algorithm>
#include <set>

using namespace wherry;
using namespace wherry::connector;
using wherry::conformance::is_sentence;
using namespace wherry::tests;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> bring_in_order(Lab& lab, std::size_t contact, int count) {
  for (int i = 0; i < count; ++i) {
    std::string number = std::to_string(contact) + "-" + std::to_string(i), text = std::to_string(i);
    const bool acknowledged = co_await lab.bring(std::move(number), std::move(text), 1, contact);
    if (!acknowledged) throw std::logic_error("not acknowledged");
  }
}

// Those with that text, as the inbox counts them: it drops an id that it has seen.
std::size_t received(const Sink& sink, const std::string& text) {
  std::set<MessageId> ids;
  for (const auto& message : sink.all<MessageReceived>()) {
    if (message.content.text == text) ids.insert(message.id);
  }
  return ids.size();
}

const std::string hard_text = "Zoë says: \"5 < 6\" & 'x'\\ \n second line\t😀";

bool is_one_of(const MessageId& id, const std::vector<MessageId>& ids) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
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
  for (const auto& [language, words] : network.contact_prompts) {
    CAPTURE(language);
    CHECK(language.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == language.npos);
    CHECK((language.size() == 2 || language.size() == 3));
    CHECK_FALSE(words.prompt.empty());
    CHECK(is_sentence(words.help));
  }
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
  lab.know(1);
  for (int i = 0; i < 2; ++i) {
    lab.group.spawn("run", lab.network->run());
    lab.open(1);
    CHECK_FALSE(lab.group.empty());
    lab.close(1);
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
  User user(lab.loop.get_executor());
  user.answers = lab.harness->answers;
  const auto credentials = lab.get(lab.network->log_in(Applicant{"romeo@example.org", nullptr}, user));
  CHECK(credentials.value() == lab.harness->credentials.front());
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
  User user(lab.loop.get_executor());  // leaves every field as it is
  for (const auto& [name, value] : lab.harness->answers) user.answers[name] = value;
  lab.get(lab.network->log_in(Applicant{present.user, &present}, user));
  REQUIRE_FALSE(user.asked.empty());
  for (const Field& field : user.asked.front().fields) {
    if (field.type == Field::Type::secret) CHECK(field.value.empty());
    else if (present.credentials.contains(field.name)) CHECK(field.value == present.credentials.at(field.name));
  }
}

TEST_CASE("log_in() refuses with a text for the user") {
  Lab lab(any_network());
  lab.start();
  User user(lab.loop.get_executor());
  user.answers = lab.harness->refused_answers;
  const auto refused = lab.get(lab.network->log_in(Applicant{"romeo@example.org", nullptr}, user));
  REQUIRE_FALSE(refused.has_value());
  CHECK(is_sentence(refused.error().text));
}

TEST_CASE("log_in() returns the error of a user who gives up") {
  Lab lab(any_network());
  lab.start();
  User user(lab.loop.get_executor());
  user.gives_up = true;
  const auto refused = lab.get(lab.network->log_in(Applicant{"romeo@example.org", nullptr}, user));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::rejected);
  CHECK(refused.error().text == "The user gave up.");
}

TEST_CASE("log_in() ends when it is cancelled while the user thinks, and the next one works") {
  Lab lab(any_network());
  lab.start();
  User thinker(lab.loop.get_executor());
  thinker.silent = true;
  base::TaskGroup logins(lab.loop.get_executor());
  std::optional<Result<Answers>> none;
  logins.spawn("log_in", Lab::into(lab.network->log_in(Applicant{"romeo@example.org", nullptr}, thinker), none));
  run(lab.loop, thinker.wait_asked());
  logins.cancel();
  run(lab.loop, logins.join(), 7s);
  CHECK_FALSE(none);
  User user(lab.loop.get_executor());
  user.answers = lab.harness->answers;
  CHECK(lab.get(lab.network->log_in(Applicant{"romeo@example.org", nullptr}, user)).has_value());
}

// ---- Sessions ----

TEST_CASE(
    "Session::run() publishes AccountChanged{online} when it is up, ends within seconds when cancelled, and runs "
    "again") {
  Lab lab(any_network());
  lab.start();
  for (int i = 0; i < 2; ++i) {
    CHECK(lab.sink.all<AccountChanged>().back().online);
    for (const auto& state : lab.sink.all<AccountChanged>()) CHECK_FALSE(state.needs_login);
    CHECK(lab.is_running(1));
    lab.close(1);
    lab.open(1);
  }
  CHECK(lab.send("k", "again").has_value());
}

TEST_CASE("perform() carries a text as it was written to the contact that it names") {
  Lab lab(any_network());
  lab.start();
  REQUIRE(lab.send("k1", hard_text).has_value());
  const auto taken = lab.harness->taken(lab.sink);
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].text == hard_text);
  CHECK(taken[0].to == lab.contact());
}

TEST_CASE("Every action is done, or answered unsupported with a sentence") {
  Lab lab(any_network());
  lab.start();
  std::set<std::size_t> kinds{Action(SendMessage()).index()};
  for (const Action& action : lab.harness->done) {
    kinds.insert(action.index());
    CHECK(lab.get(lab.session().perform(action)).has_value());
  }
  for (const Action& action : lab.harness->unsupported) {
    kinds.insert(action.index());
    const auto refused = lab.get(lab.session().perform(action));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::unsupported);
    CHECK(is_sentence(refused.error().text));
  }
  CHECK(kinds.size() == std::variant_size_v<Action>);
}

TEST_CASE("A send to a room that does not exist is refused for good") {
  Lab lab(any_network());
  lab.start();
  SendMessage message;
  message.chat = RoomId{"no-such-room"};
  message.key = "k";
  message.content.text = "hello";
  const auto refused = lab.get(lab.session().perform(std::move(message)));
  REQUIRE_FALSE(refused.has_value());
  CHECK((refused.error().code == Errc::not_found || refused.error().code == Errc::unsupported));
  CHECK(is_sentence(refused.error().text));
  CHECK(lab.harness->taken(lab.sink).empty());
}

TEST_CASE("Where a repeat is safe, the same key is sent once, however often it is asked for (Idempotency)") {
  Lab lab(any_network());
  lab.start();
  const bool is_safe = lab.network->describe().idempotency != Idempotency::none;
  for (int i = 0; i < (is_safe ? 3 : 1); ++i) CHECK(lab.send("same", "once").has_value());
  CHECK(lab.send("other", "twice").has_value());
  CHECK(lab.send("another", "twice").has_value());
  CHECK(lab.taken("once") == 1);
  CHECK(lab.taken("twice") == 2);
}

// ---- Reports ----

TEST_CASE("A network that reports delivery names the receipt's id, or the key, in its report") {
  Lab lab(any_network());
  lab.start();
  REQUIRE(lab.network->describe().reports_delivery);
  const auto receipt = lab.send("k1", "x").value();
  CHECK(lab.get(lab.report("k1", "x")));
  const auto told = lab.sink.all<MessageProgressed>();
  REQUIRE_FALSE(told.empty());
  for (const auto& progress : told) {
    CHECK((progress.id == MessageId{"k1"} || is_one_of(progress.id, receipt.ids)));
    CHECK(progress.stage == Stage::delivered);
  }
}

TEST_CASE("A report that could not be stored is not acknowledged, and counts when the network makes it again") {
  Lab lab(any_network());
  lab.start();
  REQUIRE(lab.send("k1", "x").has_value());
  const auto before = lab.sink.all<MessageProgressed>().size();
  lab.sink.broken = true;
  CHECK_FALSE(lab.get(lab.report("k1", "x")));
  CHECK(lab.sink.all<MessageProgressed>().size() == before);
  lab.sink.broken = false;
  CHECK(lab.get(lab.report("k1", "x")));
  CHECK(lab.sink.all<MessageProgressed>().size() == before + 1);
}

// ---- Events ----

TEST_CASE("What the network brings has its text, its chat, its sender and its time") {
  Lab lab(any_network());
  lab.start();
  CHECK(lab.get(lab.bring("n1", hard_text)));
  REQUIRE(lab.sink.all<MessageReceived>().size() == 1);
  const auto message = lab.sink.all<MessageReceived>().at(0);
  CHECK(message.content.text == hard_text);
  CHECK(message.chat == lab.chat());
  CHECK(message.sender == lab.contact());
  CHECK_FALSE(message.id.value.empty());
  CHECK(std::chrono::abs(message.sent_at - lab.clock.now()) < 1min);
}

TEST_CASE("publish() before acknowledge: what is not yet durable is not acknowledged to the network") {
  Lab lab(any_network());
  lab.start();
  lab.know(2);
  lab.open(2);
  lab.sink.held = true;
  const auto asked = lab.sink.asked;
  std::optional<bool> acknowledged;
  base::TaskGroup network(lab.loop.get_executor());
  network.spawn("bring", Lab::into(lab.bring("n1", "hello"), acknowledged));
  run(lab.loop, lab.sink.wait_asked(asked + 1));
  // Another account's message goes to the network and is answered meanwhile: an acknowledgement would have gone before
  // it.
  CHECK(lab.send("k1", "marker", 2).has_value());
  CHECK_FALSE(acknowledged);
  lab.sink.release();
  run(lab.loop, network.join());
  CHECK(acknowledged == true);
  CHECK(received(lab.sink, "hello") == 1);
}

TEST_CASE("What could not be stored is not acknowledged, and is published again when the network brings it again") {
  Lab lab(any_network());
  lab.start();
  lab.sink.broken = true;
  CHECK_FALSE(lab.get(lab.bring("n1", "hello")));
  CHECK(lab.sink.all<MessageReceived>().empty());
  lab.sink.broken = false;
  CHECK(lab.get(lab.bring("n1", "hello")));
  CHECK(received(lab.sink, "hello") == 1);
}

TEST_CASE("10,000 messages keep their order in each chat") {
  constexpr std::size_t chats = 3;
  constexpr int each = 10'000 / static_cast<int>(chats);
  Lab lab(any_network());
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
  Sink& other = lab.know(2);
  lab.open(2);
  CHECK(lab.get(lab.bring("n2", "for two", 2)));
  CHECK(other.all<MessageReceived>().size() == 1);
  CHECK(lab.sink.all<MessageReceived>().empty());
  if (!lab.harness->brings_without_session) return;
  lab.close(2);
  CHECK(lab.get(lab.bring("n3", "for two, whose session is closed", 2)));
  CHECK(other.all<MessageReceived>().size() == 2);
  CHECK(lab.sink.all<MessageReceived>().empty());
}

TEST_CASE("forget_account: nothing more is published for it, and the others go on; it may come back") {
  Lab lab(any_network());
  lab.start();
  lab.know(2);
  lab.open(2);
  lab.close(2);
  lab.forget(2);
  if (lab.harness->brings_without_session) CHECK_FALSE(lab.get(lab.bring("n1", "for nobody", 2)));
  CHECK(lab.send("k1", "still here").has_value());
  CHECK(lab.get(lab.bring("n2", "here too")));
  CHECK(received(lab.sink, "here too") == 1);
  CHECK(received(lab.sink, "for nobody") == 0);

  Sink& again = lab.know(2);
  lab.open(2);
  CHECK(lab.get(lab.bring("n3", "back", 2)));
  CHECK(received(again, "back") == 1);
}

TEST_CASE("know_account may tell changed credentials while a session is open") {
  Lab lab(any_network());
  lab.start();
  lab.know(1);
  CHECK(lab.send("k1", "x").has_value());
}

TEST_CASE("An account that is told before run() is known when it runs") {
  Lab lab(any_network());
  Sink& second = lab.know(2);
  lab.start();
  lab.open(2);
  CHECK(lab.get(lab.bring("n1", "x", 2)));
  CHECK(received(second, "x") == 1);
}

// ---- Restarts ----

TEST_CASE("A connector that is made anew over the same storage carries on where the other was stopped") {
  Lab lab(any_network());
  lab.start();
  const auto receipt = lab.send("k1", "before").value();
  lab.sink.broken = true;
  CHECK_FALSE(lab.get(lab.bring("n1", "not stored")));
  lab.sink.broken = false;

  lab.restart();
  CHECK(lab.get(lab.bring("n1", "not stored")));
  CHECK(received(lab.sink, "not stored") == 1);
  CHECK(lab.send("k2", "after").has_value());
  if (lab.network->describe().idempotency != Idempotency::none) CHECK(lab.send("k1", "before").has_value());
  CHECK(lab.taken("before") == 1);
  CHECK(lab.taken("after") == 1);
  CHECK(lab.get(lab.report("k1", "before")));
  const auto told = lab.sink.all<MessageProgressed>();
  REQUIRE_FALSE(told.empty());
  CHECK((told.back().id == MessageId{"k1"} || is_one_of(told.back().id, receipt.ids)));
}

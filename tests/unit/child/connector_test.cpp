// ChildConnector against processes that misbehave (fake_child.py). The well-behaved one is in tests/conformance.
#include "tests/unit/child/child.hpp"

using namespace wherry;
using namespace wherry::connector;
using namespace wherry::child;
using namespace wherry::tests;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

// The error that making such a child gives.
struct Unmade : tests::Bench {
  Error error(json configuration, ChildLimits limits = {}) {
    tests::run(loop, make(std::move(configuration), limits));
    return made->error();
  }
  asio::awaitable<void> make(json configuration, ChildLimits limits) {
    made = co_await make_child_connector(std::move(configuration), services, limits);
  }
  std::optional<Made> made;
};

}  // namespace

TEST_CASE("ChildConnector's configuration errors begin with the key's path") {
  Unmade bench;
  CHECK(bench.error(json::parse("{}")).text.starts_with("command: "));
  CHECK(bench.error(json::parse(R"({"command":"python3 x.py"})")).text.starts_with("command: "));
  CHECK(bench.error(json::parse(R"({"command":["a",5]})")).text.starts_with("command[1]: "));
  CHECK(bench.error(json::parse(R"({"command":["no-such-program-anywhere"]})"))
            .text.starts_with("command: cannot start"));
  CHECK(bench.error(json::parse(R"({"command":["a"],"environment":{"A":1}})")).text.starts_with("environment.A: "));
  CHECK(bench.error(json::parse(R"({"comand":["a"]})")).text.starts_with("comand: "));
  CHECK(bench.error(json::parse("[]")).code == Errc::bad_input);
}

TEST_CASE("make_child_connector says why a process that starts badly cannot be used, and leaves none behind") {
  Unmade bench;
  ChildLimits hasty;
  hasty.hello = 1s;
  CHECK(bench.error(settings("silent"), hasty).text.find("did not answer hello within 1 s") != std::string::npos);
  CHECK(bench.error(settings("dies_at_once")).text.find("ended before it answered hello") != std::string::npos);
  CHECK(bench.error(settings("speaks_first")).text.find("not its protocol") != std::string::npos);
  CHECK(bench.error(settings("bad_greeting")).text.find("network.id") != std::string::npos);
  CHECK(bench.error(settings("old")).text.find("to change from 1, answer `hello` with 2") != std::string::npos);
  CHECK(bench.error(settings("long_hello")).text.find("bytes") != std::string::npos);
}

TEST_CASE("ChildConnector hands its environment to the process") {
  json configuration = settings("environment");
  configuration["environment"]["COLOUR"] = "blue";
  Child child(configuration, {});
  CHECK(child.parse().value() == ContactId{"blue"});
}

TEST_CASE("A send is uncertain when the process dies before answering it, and unavailable while it is gone") {
  Child child("dies");
  CHECK(child.perform("k").error().code == Errc::uncertain);
  tests::run(child.loop, child.wait_failures(1));
  CHECK(child.failures[0].find("ended") != std::string::npos);
  CHECK(child.perform("k").error().code == Errc::unavailable);
  CHECK(child.parse().error().code == Errc::unavailable);
}

TEST_CASE("A send is uncertain when the process does not answer it in time") {
  ChildLimits hasty;
  hasty.perform = 1s;
  Child child(settings("never_answers"), hasty);
  CHECK(child.perform("k").error().code == Errc::uncertain);
}

TEST_CASE("A process that no longer reads is ended, and what it never took is unavailable") {
  ChildLimits hasty;
  hasty.ping = 1s;
  Child child(settings("hangs"), hasty);
  child.session = child.connector->open(seven);
  // More than a pipe holds, so that the last of them certainly stay here.
  std::vector<std::optional<Result<Receipt>>> results(40);
  for (auto& result : results) {
    SendMessage message{ContactId{"a"}, "k", Content{std::string(10'000, 'x'), {}}};
    child.group.spawn("perform", Child::into(child.session->perform(std::move(message)), result));
  }
  tests::run(child.loop, child.wait_failures(1));
  tests::run(child.loop, child.group.join());
  CHECK(results.front()->error().code == Errc::uncertain);
  CHECK(results.back()->error().code == Errc::unavailable);
}

TEST_CASE("A bad line ends the process, and run() starts a new one that is told the accounts again") {
  for (const std::string mode : {"garbage", "answers_nothing_asked", "batch", "long_line"}) {
    CAPTURE(mode);
    Child child(mode);
    child.restarts = true;
    tests::run(child.loop, child.wait_failures(3));  // each new process is told the account, and fails at that again
    CHECK(child.failures[2].find(mode == "long_line" ? "bytes" : "bad line") != std::string::npos);
  }
}

TEST_CASE("Error codes of a process are understood, and what is unclear is uncertain") {
  Child child("odd_errors");
  CHECK(child.perform("0").error().code == Errc::unsupported);
  CHECK(child.perform("1").error().code == Errc::bad_input);
  CHECK(child.perform("2").error().code == Errc::uncertain);
  CHECK(child.perform("3").error().code == Errc::not_found);
  CHECK(child.perform("3").error().text == "n");
  CHECK(child.perform("4").error().code == Errc::unavailable);
  CHECK(child.perform("4").error().retry_after == 30s);
  CHECK(child.perform("5").error().code == Errc::uncertain);
}

TEST_CASE("A send that is answered with nonsense is uncertain") {
  Child child("odd_results");
  for (const char* key : {"0", "1", "2"}) CHECK(child.perform(key).error().code == Errc::uncertain);
}

TEST_CASE("A contact that is nonsense is refused") {
  Child child("odd_contact");
  CHECK(child.parse().error().code == Errc::unavailable);
}

TEST_CASE("A process that publishes faster than the store commits is held back, and nothing is lost or reordered") {
  Child child("floods");
  child.sink.held = true;
  tests::run(child.loop, child.sink.wait_asked(1000));
  tests::run(child.loop, base::sleep(300ms));  // it would go on, were it read
  CHECK(child.sink.most_waiting == 1000);
  child.sink.release();
  tests::run(child.loop, child.sink.wait_for<MessageReceived>(5000));
  const auto events = child.sink.all<MessageReceived>();
  for (std::size_t i = 0; i < events.size(); ++i) CHECK(events[i].id.value == "m" + std::to_string(i));
}

TEST_CASE("Events that cannot be taken are answered with the reason") {
  Child child("bad_publish");
  const auto reasons = child.parse().value().value;
  CHECK(reasons ==
        "event.contact: is missing|account: not registered (any more)|event.needs_login: answer `open` with the error "
        "not_authorized instead|event.type: no such event: dance|account: must be a whole number");
  CHECK(child.sink.events.empty());
}

TEST_CASE("A method that the gateway does not know is answered so (JSON-RPC 2.0 §5.1)") {
  Child child("unknown_method");
  CHECK(child.parse().value() == ContactId{"-32601"});
}

TEST_CASE("A process keeps texts in the gateway's store") {
  Child child("asks_store");
  const auto answers = json::parse(child.parse().value().value);
  CHECK(answers[0]["result"] == json::object());
  CHECK(answers[1]["result"] == json::parse(R"({"entries":[{"key":"a/1","value":"one"}]})"));
  CHECK(answers[2]["error"]["data"]["code"] == "bad_input");
  CHECK(child.storage.values.at("b") == "x");
}

TEST_CASE("A session that needs a new login says so and ends; one whose link breaks throws") {
  Child refused("not_authorized");
  auto session = refused.connector->open(seven);
  tests::run(refused.loop, session->run());
  const auto changed = refused.sink.all<AccountChanged>();
  REQUIRE(changed.size() == 1);
  CHECK(changed[0] == AccountChanged{false, true, "Log in again."});

  Child broken("link_breaks");
  session = broken.connector->open(seven);
  CHECK_THROWS_WITH(tests::run(broken.loop, session->run()), "lost");
}

TEST_CASE("A session throws when the process dies, waits for the next one, and opens there") {
  Child child("dies");
  child.restarts = true;
  auto session = child.connector->open(seven);
  base::TaskGroup sessions(child.loop.get_executor());
  sessions.spawn("session", session->run());
  tests::run(child.loop, child.sink.wait_for<AccountChanged>(1));
  CHECK(child.perform("k").error().code == Errc::uncertain);
  tests::run(child.loop, sessions.join());  // it threw
  sessions.spawn("session", session->run());
  tests::run(child.loop, child.sink.wait_for<AccountChanged>(2));
  sessions.cancel();
  tests::run(child.loop, sessions.join());
}

TEST_CASE("A cancelled session is cancelled in the process") {
  Child child("well");
  auto session = child.connector->open(seven);
  base::TaskGroup sessions(child.loop.get_executor());
  sessions.spawn("session", session->run());
  tests::run(child.loop, child.sink.wait_for<AccountChanged>(1));
  sessions.cancel();
  tests::run(child.loop, sessions.join());
  tests::run(child.loop, child.sink.wait_for<ContactRemoved>(1));
  CHECK(child.sink.all<ContactRemoved>()[0].contact.value.starts_with("cancelled-"));
}

TEST_CASE("Questions of a login reach its user, and no other") {
  Child child("asks_user");
  tests::User user(child.loop.get_executor());
  user.answers["phone"] = "+15550100";
  const auto credentials = child.get(child.connector->log_in(Applicant{"romeo@example.org", nullptr}, user));
  CHECK(credentials.value() == Answers{{"phone", "+15550100"}});
  CHECK(user.asked.size() == 1);  // the stray question of login 12345 went nowhere

  user.gives_up = true;
  const auto given_up = child.get(child.connector->log_in(Applicant{"romeo@example.org", nullptr}, user));
  CHECK(given_up.value().at("error").find("The user gave up.") != std::string::npos);
}

TEST_CASE("A login ends when the process does, or answers while it asks; the question is withdrawn") {
  Child dies("dies");
  tests::User user(dies.loop.get_executor());
  user.silent = true;
  CHECK(dies.get(dies.connector->log_in(Applicant{"r", nullptr}, user)).error().code == Errc::uncertain);
  Child early("does_not_wait");
  CHECK(early.get(early.connector->log_in(Applicant{"r", nullptr}, user)).value() == Answers{{"early", "yes"}});
  Child twice("asks_twice");
  user.silent = false;
  user.asked.clear();
  base::TaskGroup group(twice.loop.get_executor());
  std::optional<Result<Answers>> unused;
  group.spawn("log_in", Child::into(twice.connector->log_in(Applicant{"r", nullptr}, user), unused));
  tests::run(twice.loop, base::sleep(300ms));
  group.cancel();
  tests::run(twice.loop, group.join());
  CHECK(user.asked.size() <= 2);
}

TEST_CASE("What is longer than a line may be is rejected, not sent") {
  Child child("well");
  child.session = child.connector->open(seven);
  SendMessage message{ContactId{"a"}, "k", Content{std::string(1 << 20, 'x'), {}}};
  CHECK(child.get(child.session->perform(std::move(message))).error().code == Errc::rejected);
  CHECK(child.perform("k").value().ids == std::vector{MessageId{"n-k"}});
}

// ---- What version 2 asks ----

namespace {

// Keeps what it is given, or refuses at a piece.
struct Pieces final : FileSink {
  explicit Pieces(const asio::any_io_executor& executor) : changed(executor) {}
  asio::awaitable<Result<void>> write(std::string piece) override {
    ++begun;
    changed.notify();
    while (held) co_await changed.wait();
    if (begun == refused_at) co_return Error{Errc::rejected, "The file is too large for this server."};
    bytes += piece.size();
    co_return base::ok();
  }
  base::Signal changed;
  bool held = false;
  int begun = 0, refused_at = 0;
  std::size_t bytes = 0;
};

asio::awaitable<void> wait_begun(Pieces& pieces, int count) {
  while (pieces.begun < count) co_await base::within(60s, pieces.changed.wait());
}

struct Fetching : Child {
  explicit Fetching(const std::string& mode, ChildLimits child_limits = {}) : Child(settings(mode), child_limits) {
    session = connector->open(seven);
  }
  Result<void> fetch() { return get(session->fetch("a-handle", pieces)); }
  Pieces pieces{loop.get_executor()};
};

}  // namespace

TEST_CASE("A file comes in pieces, each asked for when the one before is taken, and has one outcome") {
  Fetching child("well");
  child.pieces.held = true;
  std::optional<Result<void>> outcome;
  child.group.spawn("fetch", Child::into(child.session->fetch("a-handle", child.pieces), outcome));
  tests::run(child.loop, wait_begun(child.pieces, 1));
  CHECK(child.parse().error().code == Errc::not_found);  // the process has done what it would
  CHECK(child.pieces.begun == 1);
  child.pieces.held = false;
  child.pieces.changed.notify();
  tests::run(child.loop, wait_begun(child.pieces, 3));
  while (!outcome) tests::run(child.loop, base::sleep(1ms));
  CHECK(outcome->has_value());
  CHECK(child.pieces.bytes == 300'000);
}

TEST_CASE("A file that is refused on the way is fetched no further, and the reason is the sink's") {
  Fetching child("well");
  child.pieces.refused_at = 2;
  CHECK(child.fetch().error().text == "The file is too large for this server.");
  CHECK(child.pieces.begun == 2);
}

TEST_CASE("A fetch that fails says why; one that stops is given up; what is no piece is refused") {
  CHECK(Fetching("fetch_fails").fetch().error().code == Errc::not_found);
  Fetching hurries("fetch_hurries");
  hurries.pieces.held = true;
  CHECK(hurries.fetch().error().text.find("one piece at a time") != std::string::npos);
  CHECK(Fetching("fetch_large_piece").fetch().error().text.find("data: must be base64") != std::string::npos);
  ChildLimits hasty;
  hasty.piece = 1s;
  CHECK(Fetching("fetch_stops", hasty).fetch().error().code == Errc::unavailable);
}

TEST_CASE("A fetch that is cancelled is cancelled in the process, and a late piece has nowhere to go") {
  Fetching child("well");
  child.pieces.held = true;
  base::TaskGroup fetches(child.loop.get_executor());
  std::optional<Result<void>> none;
  fetches.spawn("fetch", Child::into(child.session->fetch("a-handle", child.pieces), none));
  tests::run(child.loop, wait_begun(child.pieces, 1));
  fetches.cancel();
  tests::run(child.loop, fetches.join());
  CHECK_FALSE(none);
  tests::run(child.loop, child.sink.wait_for<ContactRemoved>(1));
  CHECK(child.sink.all<ContactRemoved>()[0].contact.value.starts_with("cancelled-"));
}

TEST_CASE("A query is answered by what it asks for; nonsense is no answer") {
  Child child("well");
  child.session = child.connector->open(seven);
  const Answer profile = child.get(child.session->query(ProfileQuery{ContactId{"juliet"}})).value();
  CHECK(std::get<Profile>(profile) == Profile{"Juliet", "", {{"phone", "+1"}}});
  const Answer history = child.get(child.session->query(HistoryQuery{ContactId{"a"}, std::nullopt, 5})).value();
  CHECK(std::get<std::vector<MessageReceived>>(history).at(0).id == MessageId{"m1"});
  const Answer rooms = child.get(child.session->query(RoomsQuery{})).value();
  CHECK(std::get<std::vector<RoomListed>>(rooms) == std::vector{RoomListed{RoomId{"tea"}, "Tea"}});
  CHECK(child.get(child.session->probe()).has_value());

  Child odd("odd_answers");
  odd.session = odd.connector->open(seven);
  for (const Query& query : {Query(ProfileQuery{ContactId{"a"}}), Query(SearchQuery{"a"}), Query(AvatarQuery{"a"}),
                             Query(ParticipantsQuery{RoomId{"r"}})})
    CHECK(odd.get(odd.session->query(query)).error().code == Errc::unavailable);
}

TEST_CASE(
    "Capabilities of a chat are the greeting's until the child has answered, and are asked anew when they change") {
  Child child("varies");
  child.session = child.connector->open(seven);
  const ChatId chat = ContactId{"a"};
  const auto ask = [&](std::size_t count) {
    child.session->capabilities(chat);
    child.session->capabilities(chat);  // it is asked once
    tests::run(child.loop, child.sink.wait_for<ContactRemoved>(count));
  };
  CHECK(child.session->capabilities(chat).text.most == 160);
  ask(1);
  CHECK(child.sink.all<ContactRemoved>()[0].contact == ContactId{"asked-c:a-1"});
  CHECK(child.session->capabilities(chat).text.most == 1001);
  CHECK(child.session->capabilities(chat).edit == Support::full);
  child.parse();  // they change
  tests::run(child.loop, child.sink.wait_for<CapabilitiesChanged>(1));
  CHECK(child.session->capabilities(chat).text.most == 160);
  ask(2);
  CHECK(child.session->capabilities(chat).text.most == 1002);
}

TEST_CASE("Capabilities that do not vary are the greeting's, and nobody is asked") {
  Child child("well");
  child.session = child.connector->open(seven);
  CHECK(child.session->capabilities(ContactId{"a"}).text.most == 160);
  CHECK(child.parse().error().code == Errc::not_found);
  CHECK(child.sink.all<ContactRemoved>().empty());
}

TEST_CASE("What a repeated send costs may be said of each account (Connector::idempotency)") {
  Child child("well");
  const Account account{seven, "romeo@example.org", {}};
  CHECK(child.connector->idempotency(account) == Idempotency::none);
  auto session = child.connector->open(seven);
  base::TaskGroup sessions(child.loop.get_executor());
  sessions.spawn("session", session->run());  // only after the account is told
  tests::run(child.loop, child.sink.wait_for<AccountChanged>(1));
  CHECK(child.connector->idempotency(account) == Idempotency::queryable);
  sessions.cancel();
  tests::run(child.loop, sessions.join());
}

TEST_CASE("A child with a shared link is asked to run it, and again after it broke; the process stays") {
  ChildLimits hasty;
  hasty.link = {std::chrono::milliseconds(1), std::chrono::milliseconds(1), 0};
  Child child(settings("link"), hasty);
  tests::run(child.loop, child.sink.wait_for<ContactRemoved>(3));
  CHECK(child.sink.all<ContactRemoved>()[2].contact == ContactId{"run-3"});
  CHECK(child.failures.empty());
}

// ---- The module that children in Python copy ----

namespace {

json careless() {
  json configuration;
  configuration["command"] = {"/usr/bin/python3", WHERRY_SOURCE_DIR "/tests/unit/child/careless_child.py"};
  return configuration;
}

Result<ContactId> look_up(Child& child, const std::string& typed) {
  return child.get(child.connector->parse_contact(typed, seven));
}

}  // namespace

TEST_CASE("wherry_connector.py: what is printed is not of the protocol, and every error code goes through") {
  Child child(careless(), {});
  CHECK(look_up(child, "juliet").value() == ContactId{"juliet"});
  for (int code = 0; code < static_cast<int>(Errc::uncertain); ++code) {  // which a look-up never is
    const auto expected = static_cast<Errc>(code);
    CAPTURE(base::to_string(expected));
    const auto refused = look_up(child, std::string(base::to_string(expected)));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == expected);
  }
  CHECK(child.failures.empty());
}

TEST_CASE("wherry_connector.py: a bug ends one request, and its place is said without people's data") {
  Child child(careless(), {});
  CHECK(look_up(child, "bug").error().code == Errc::unavailable);
  CHECK(look_up(child, "no such code").error().code == Errc::unavailable);
  const std::string where = look_up(child, "where").value().value;
  CHECK(where.starts_with("KeyError at careless_child.py:"));
  CHECK(where.find("romeo") == std::string::npos);
  CHECK(child.failures.empty());
}

TEST_CASE("wherry_connector.py: parameters that a method does not take are ignored") {
  Child child(careless(), {});
  auto session = child.connector->open(seven);
  base::TaskGroup sessions(child.loop.get_executor());
  sessions.spawn("session", session->run());  // when know_account is answered; there is no `open`
  tests::run(child.loop, sessions.join());
  CHECK(look_up(child, "juliet").value() == ContactId{"juliet"});
}

// A child connector under strain, end to end: what one side does too much of, or what a process does when it should be
// gone, harms nobody else. Real processes (fake_child.py); the parts by themselves are in the other tests of this
// folder.
#include "tests/support/log_capture.hpp"
#include "tests/unit/child/child.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

using namespace wherry;
using namespace wherry::connector;
using namespace wherry::child;
using namespace wherry::tests;
using namespace std::chrono_literals;

namespace {

// Counts; keeping every event of ten thousand accounts would be slow.
struct Online final : EventSink {
  explicit Online(const asio::any_io_executor& executor) : changed(executor) {}
  asio::awaitable<void> publish(Event event, connector::Changes) override {
    const auto* state = std::get_if<AccountChanged>(&event);
    if (state && state->online) ++online;
    if (state && state->needs_login) ++refused;
    changed.notify();
    co_return;
  }
  asio::awaitable<void> wait(std::size_t count) {
    while (online + refused < count) co_await base::within(60s, changed.wait());
  }
  std::size_t online = 0, refused = 0;
  base::Signal changed;
};

// So many accounts with their sessions, beside the fixture's one.
struct Crowd {
  Crowd(Child& c, std::int64_t count, std::size_t credential_bytes)
      : child(c), events(c.loop.get_executor()), running(c.loop.get_executor()) {
    for (std::int64_t id = 1001; id <= 1000 + count; ++id) {
      child.connector->know_account(Account{AccountId{id},
                                            "u" + std::to_string(id) + "@example.org",
                                            {{"token", std::string(credential_bytes, 't')}}},
                                    events);
      sessions.push_back(child.connector->open(AccountId{id}));
    }
    for (const auto& session : sessions) running.spawn("session", session->run());
    tests::run(child.loop, events.wait(sessions.size()), 300s);
  }
  ~Crowd() {
    running.cancel();
    tests::run(child.loop, running.join());
  }
  Child& child;
  Online events;
  std::vector<std::unique_ptr<Session>> sessions;
  base::TaskGroup running;
};

// What the process wrote of what it performed.
std::set<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::set<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.insert(line);
  return lines;
}

}  // namespace

TEST_CASE("What is called not done never reaches the process that misbehaved, by that process's own record") {
  char path[] = "/tmp/wherry-record-XXXXXX";
  ::close(::mkstemp(path));
  json configuration = settings("reads_on");
  configuration["environment"]["RECORD"] = path;
  std::vector<std::optional<Result<Receipt>>> results(60);
  {
    Child child(configuration, {});
    child.session = child.connector->open(seven);
    for (std::size_t i = 0; i < results.size(); ++i) {
      // more than a pipe holds
      SendMessage message{ContactId{"a"}, "k" + std::to_string(i), Content{std::string(10'000, 'x'), {}}};
      child.group.spawn("perform", Child::into(child.session->perform(std::move(message)), results[i]));
    }
    tests::run(child.loop, child.wait_failures(1));
    tests::run(child.loop, child.group.join());
  }
  const auto performed = lines_of(path);
  ::unlink(path);
  CHECK(!performed.empty());
  std::size_t not_done = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    REQUIRE(results[i]);
    const Errc code = results[i]->error().code;
    CAPTURE(i);
    if (performed.contains("k" + std::to_string(i))) CHECK(code == Errc::uncertain);
    if (code == Errc::unavailable) ++not_done;
  }
  CHECK(not_done > 0);
}

TEST_CASE(
    "A process that brings its history while much waits to be written to it is read on: neither side waits for the "
    "other") {
  std::vector<std::optional<Result<Receipt>>> results(60);  // more than a pipe and what may wait for it hold
  Child child("brings_history");
  child.session = child.connector->open(seven);
  base::TaskGroup performing(child.loop.get_executor());
  for (std::size_t i = 0; i < results.size(); ++i) {
    SendMessage message{ContactId{"a"}, "k" + std::to_string(i), Content{std::string(100'000, 'x'), {}}};
    performing.spawn("perform", Child::into(child.session->perform(std::move(message)), results[i]));
  }
  tests::run(child.loop, performing.join());
  CHECK(results.front()->has_value());
  CHECK(child.failures.empty());
}

TEST_CASE("With more than 10,000 sessions open, messages, registration and ping go on") {
  ChildLimits hasty;
  hasty.ping = 1s;
  hasty.answer = 60s;
  Child child(settings("asks_user"), hasty);
  Crowd crowd(child, 10'050, 1);
  CHECK(crowd.events.online == 10'050);
  CHECK(child.perform("k").value().ids == std::vector{MessageId{"n-k"}});
  CHECK(child.get(crowd.sessions.back()->perform(SendMessage{ContactId{"a"}, "last", Content{"x", {}}})).value().ids ==
        std::vector{MessageId{"n-last"}});
  CHECK(child.parse().error().code == Errc::not_found);
  tests::User user(child.loop.get_executor());
  user.answers["phone"] = "+15550100";
  CHECK(child.get(child.connector->log_in(Applicant{"juliet@example.org", nullptr}, user)).value() ==
        Answers{{"phone", "+15550100"}});
  const auto until = std::chrono::steady_clock::now() + 2500ms;  // some pings
  while (std::chrono::steady_clock::now() < until) child.loop.run_one_for(100ms);
  CHECK(child.failures.empty());
}

TEST_CASE("The end of a process is noticed though a helper of its own holds its pipes, and another one is started") {
  Child child("leaves_helper");
  child.restarts = true;
  CHECK(child.perform("k").error().code == Errc::uncertain);
  tests::run(child.loop, child.wait_failures(1));
  Result<ContactId> parsed = Error{Errc::unavailable, ""};
  while (!parsed && parsed.error().code == Errc::unavailable) {  // until the next one is up
    parsed = child.parse();
    child.loop.run_one_for(10ms);
  }
  CHECK(parsed.error().code == Errc::not_found);
}

TEST_CASE(
    "Five hundred look-ups of strangers at a slow process delay no session, no ping and no message beyond their own "
    "places") {
  ChildLimits hasty;
  hasty.ping = 1s;
  Child child(settings("slow_look_ups"), hasty);
  auto session = child.connector->open(seven);
  child.group.spawn("session", session->run());
  tests::run(child.loop, child.sink.wait_for<AccountChanged>(1));
  std::vector<std::optional<Result<ContactId>>> found(500);
  for (auto& result : found)
    child.group.spawn("parse", Child::into(child.connector->parse_contact("x", AccountId{0}), result));
  child.loop.poll();
  const auto refused = std::count_if(found.begin(), found.end(), [](const auto& r) { return r && !*r; });
  CHECK(refused == 400);  // at once; the others are with the process
  CHECK(child.perform("k").value().ids == std::vector{MessageId{"n-k"}});
  CHECK(child.parse().value() == ContactId{"c"});
  const auto answered = [&] {
    return std::count_if(found.begin(), found.end(), [](const auto& r) { return r.has_value(); });
  };
  while (answered() < 500) child.loop.run_one_for(100ms);
  CHECK(child.failures.empty());
  CHECK(child.sink.all<AccountChanged>().size() == 1);
}

TEST_CASE("A process, and the one after it, has its three pipes and no other descriptor of the gateway's") {
  // as a library may open them
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0), file = ::open("/dev/null", O_RDONLY);
  Child child("descriptors");
  CHECK(child.parse().value().value == "0 1 2");
  child.restarts = true;
  ::kill(static_cast<pid_t>(std::stol(child.get(child.connector->parse_contact("pid", seven)).value().value)), SIGKILL);
  tests::run(child.loop, child.wait_failures(1));
  Result<ContactId> parsed = child.parse();
  while (!parsed) {
    child.loop.run_one_for(10ms);
    parsed = child.parse();
  }
  CHECK(parsed.value().value == "0 1 2");
  ::close(socket);
  ::close(file);
}

TEST_CASE("Three thousand accounts with long credentials are all known to the process before their sessions open") {
  Child child("must_know");
  Crowd crowd(child, 3000, 2000);
  CHECK(crowd.events.refused == 0);
  CHECK(crowd.events.online == 3000);
}

TEST_CASE("What a process keeps has a quota, and the refusal says so") {
  Child child("fills_store");
  for (int i = 0; i < 126; ++i) child.storage.values["old" + std::to_string(i)] = std::string(1 << 19, 'x');  // 63 MiB
  const auto answer = child.parse().value().value;
  CHECK(answer == "rejected 2");
}

TEST_CASE("What could not be stored is offered again by wherry_connector.py, until it is; what is refused is not") {
  json configuration = settings("");
  configuration["command"] = {"/usr/bin/python3", WHERRY_SOURCE_DIR "/tests/unit/child/keeping_child.py"};
  ChildLimits patient;
  patient.answer = 60s;
  Child child(configuration, patient);
  for (int i = 0; i < 127; ++i) child.storage.values["old" + std::to_string(i)] = std::string(1 << 19, 'x');
  child.storage.values["older"] = std::string(1 << 18, 'x');  // 63.75 MiB in all
  child.storage.failures = 2;
  CHECK(child.get(child.connector->parse_contact("a", seven)).value() == ContactId{"a"});
  CHECK(child.storage.values.at("a") == "kept");
  CHECK(child.get(child.connector->parse_contact("large", seven)).value() == ContactId{"rejected"});
}

TEST_CASE("A process that floods the log gets some lines into it, and word of how many were left out") {
  LogCapture log;
  Child child("floods_log");
  const auto sent = child.perform("k");  // behind the flood
  CHECK(sent.value().ids == std::vector{MessageId{"n-k"}});
  CHECK(log.count("child.log ") >= 200);
  CHECK(log.count("child.log ") < 5000);
  CHECK(log.count("child.log_skipped") > 0);
}

TEST_CASE("A message of a room is refused as unsupported, where rooms are not carried") {
  Child child("room");
  CHECK(child.parse().value().value == "-32601 event.chat: rooms are not carried");
  CHECK(child.sink.events.empty());
}

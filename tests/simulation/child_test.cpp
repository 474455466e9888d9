// The connector for child processes against a process that is played here, in virtual time: hours pass at once, and
// nothing depends on how fast the machine is. Real processes are in tests/unit/child.
#include "gateway/child/connector.hpp"
#include "gateway/child/listening.hpp"
#include "gateway/child/look_ups.hpp"
#include "gateway/child/requests.hpp"

#include "tests/conformance/fakes.hpp"
#include "tests/simulation/virtual_time.hpp"
#include "tests/support/played_process.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

using namespace wherry;
using namespace wherry::connector;
using namespace wherry::tests;
using namespace std::chrono_literals;
using nlohmann::json;
namespace virtual_time = simulation::virtual_time;

namespace {

constexpr AccountId stranger{0}, seven{7};

struct VirtualTime {
  VirtualTime() { virtual_time::begin(1h, std::chrono::seconds(1'795'000'000)); }
};

// The process answers hello, know_account and pings; everything else is kept in `asked` for the test to answer.
struct Played : VirtualTime, Bench {
  Played() {
    group.spawn("make", make());
    pass(1s);
    connector->know_account(Account{seven, "romeo@example.org", {}}, sink);
    group.spawn("run", run());
    pass(1s);
  }
  ~Played() {
    group.cancel();
    sink.release();
    pass(1h);
    CHECK(group.empty());
    virtual_time::abandon(virtual_time::newest_timer());
  }

  asio::awaitable<void> make() {
    json configuration;
    configuration["command"] = {"played"};
    child::StartProcess start = [this](asio::any_io_executor executor, auto, auto, std::size_t most_line_bytes) {
      pipes = std::make_shared<Pipes>(executor, pipe_bytes);
      pipes->woken = [this, of = pipes, executor] { asio::post(executor, [this, of] { play(*of); }); };
      ++starts;
      return Result<std::unique_ptr<net::LineProcess>>(std::make_unique<PlayedProcess>(pipes, most_line_bytes));
    };
    auto made = co_await child::make_child_connector(std::move(configuration), services, limits, std::move(start));
    connector = std::move(*made);
  }
  asio::awaitable<void> run() {
    for (;;) {
      try {
        co_await connector->run();
      } catch (const boost::system::system_error&) {
        throw;
      } catch (const std::exception& e) {
        failures.push_back(e.what());
      }
    }
  }
  void play(Pipes& of) {
    while (const auto line = of.read()) {
      json said = json::parse(*line);
      const std::string method = said.value("method", "");
      if (method == "hello")
        answer(of, said, R"({"protocol":2,"network":{"id":"fake","name":"Fake","disco_type":"x"}})");
      else if (method == "know_account" || method == "ping") answer(of, said, "{}");
      else if (said.contains("id") && !method.empty()) asked.push_back(std::move(said));
    }
    if (of.has_input_ended()) of.exit(0);
  }
  static void answer(Pipes& of, const json& said, const std::string& result) {
    of.say(R"({"jsonrpc":"2.0","id":)" + said["id"].dump() + R"(,"result":)" + result + "}");
  }
  void answer(const json& said, const std::string& result) { answer(*pipes, said, result); }

  void pass(std::chrono::nanoseconds time) {
    const auto until = virtual_time::now() + time;
    for (;;) {
      while (loop.poll() > 0) {}
      const auto next = virtual_time::next_expiry();
      if (!next || *next > until) break;
      virtual_time::advance_to(*next);
    }
    virtual_time::advance_to(until);
  }

  template <class T>
  using Later = std::shared_ptr<std::optional<Result<T>>>;
  template <class T>
  Later<T> begin(asio::awaitable<Result<T>> work) {
    const auto result = std::make_shared<std::optional<Result<T>>>();
    last = &group.spawn("work", into(std::move(work), result));
    pass(0s);
    return result;
  }
  template <class T>
  static asio::awaitable<void> into(asio::awaitable<Result<T>> work, Later<T> result) {
    *result = co_await std::move(work);
  }
  Later<ContactId> look_up(AccountId account) { return begin(connector->parse_contact("x", account)); }
  Later<Receipt> send(std::size_t bytes = 1) {
    if (!session) session = connector->open(seven);
    return begin(session->perform(SendMessage{ContactId{"a"}, "k", Content{std::string(bytes, 'x'), {}}}));
  }
  bool is_refused(const auto& result) { return *result && !**result && (**result).error().code == Errc::unavailable; }

  // it looks at its timers to the end
  asio::executor_work_guard<asio::io_context::executor_type> guard{loop.get_executor()};
  child::ChildLimits limits;
  std::size_t pipe_bytes = 64 << 10;
  std::shared_ptr<Pipes> pipes;
  std::vector<json> asked;
  int starts = 0;
  std::vector<std::string> failures;
  Sink sink{loop.get_executor()};
  std::unique_ptr<Connector> connector;
  std::unique_ptr<Session> session;
  asio::cancellation_signal* last = nullptr;
  base::TaskGroup group{loop.get_executor()};
};

}  // namespace

TEST_CASE("A user's look-up that was given up keeps its place until the process has answered it") {
  Played child;
  std::vector<Played::Later<ContactId>> found;
  for (std::size_t i = 0; i < child::LookUps::most_of_account; ++i) found.push_back(child.look_up(seven));
  child.pass(21s);
  for (const auto& one : found) CHECK(child.is_refused(one));
  const auto next = child.look_up(seven);
  child.pass(21s);
  CHECK(child.is_refused(next));
  CHECK(child.asked.size() == child::LookUps::most_of_account);
  child.answer(child.asked.front(), R"({"contact":"c"})");
  const auto last = child.look_up(seven);
  CHECK(child.asked.size() == child::LookUps::most_of_account + 1);
  child.answer(child.asked.back(), R"({"contact":"d"})");
  child.pass(1s);
  CHECK((*last)->value() == ContactId{"d"});
}

TEST_CASE(
    "Strangers' look-ups have their places until the process has answered them, and beyond them strangers are refused "
    "at once") {
  Played child;
  for (std::size_t i = 0; i < child::LookUps::most_of_strangers - 1; ++i) child.look_up(stranger);
  const auto last = child.look_up(stranger);
  child.last->emit(asio::cancellation_type::terminal);  // who asked is gone
  child.pass(1h);
  // and nothing was cancelled: that need not be answered
  CHECK(child.asked.size() == child::LookUps::most_of_strangers);
  CHECK(child.is_refused(child.look_up(stranger)));
  child.answer(child.asked.back(), R"({"contact":"c"})");
  child.pass(1s);
  CHECK(!*child.look_up(stranger));
  CHECK(child.asked.size() == child::LookUps::most_of_strangers + 1);
}

TEST_CASE("The places of look-ups are free when the process is gone") {
  Played child;
  for (std::size_t i = 0; i < child::LookUps::most_of_strangers; ++i) child.look_up(stranger);
  child.pipes->exit(1);
  child.pass(1min);
  CHECK(child.starts == 2);
  CHECK(!*child.look_up(stranger));
}

TEST_CASE("A send is not made uncertain by the look-ups that a slow process works off before it") {
  Played child;
  for (int i = 0; i < 4; ++i) child.look_up(stranger);
  const auto sent = child.send();
  for (std::size_t i = 0; i < 4; ++i) {
    child.pass(100s);
    child.answer(child.asked[i], R"({"contact":"c"})");
  }
  child.pass(100s);
  CHECK(!*sent);
  child.answer(child.asked[4], R"({"ids":["n"]})");
  child.pass(1s);
  CHECK((*sent)->has_value());
}

TEST_CASE("A send that a process forgets is uncertain, whatever it answers of what came later") {
  Played child;
  child.look_up(stranger);
  const auto sent = child.send();
  for (int i = 0; i < 10; ++i) {
    child.look_up(stranger);
    child.pass(13s);
    child.answer(child.asked.back(), R"({"contact":"c"})");
  }
  REQUIRE(*sent);
  CHECK((*sent)->error().code == Errc::uncertain);
}

TEST_CASE("What a process has not answered is bounded in bytes") {
  Played child;
  std::vector<Played::Later<Receipt>> sent;
  for (int i = 0; i < 300; ++i) sent.push_back(child.send(100'000));
  CHECK(child.is_refused(sent.back()));
  CHECK((child.asked.size() - 1) * 100'000 <= child::RpcPeer::most_unanswered_bytes);
  CHECK(child.asked.size() > 100);
  child.answer(child.asked.front(), "{}");
  child.pass(1s);
  CHECK(!*child.send());
}

TEST_CASE("What a process has asked and was not answered is bounded in bytes") {
  Played child;
  child.sink.held = true;
  for (int i = 0; i < 20; ++i) {
    json message = {
        {"type", "message_received"}, {"chat", "c:a"}, {"sender", "a"}, {"id", std::to_string(i)}, {"sent_at", 1}};
    message["text"] = std::string(1'000'000, 'x');
    json request = {
        {"jsonrpc", "2.0"}, {"id", i}, {"method", "publish"}, {"params", {{"account", 7}, {"event", message}}}};
    child.pipes->say(request.dump());
  }
  child.pass(1s);
  CHECK(child.sink.waiting == 9);  // of a million bytes each: read until there are eight MiB
  child.sink.release();
  child.pass(1s);
  CHECK(child.sink.events.size() == 20);
}

TEST_CASE("A process is not taken for hung while the gateway does not read what it says") {
  Played child;
  child.sink.held = true;
  for (std::size_t i = 0; i < child::Requests::most; ++i) {
    child.pipes->say(R"({"jsonrpc":"2.0","id":)" + std::to_string(i) +
                     R"(,"method":"publish","params":{"account":7,"event":{"type":"contact_removed","contact":"a"}}})");
  }
  child.pass(1h);  // the store is slow, say
  CHECK(child.starts == 1);
  child.sink.release();
  child.pass(1h);
  CHECK(child.starts == 1);
  CHECK(child.failures.empty());
}

TEST_CASE("A process that says nothing for as long as a ping may take is ended") {
  Played child;
  child.pipes->woken = nullptr;  // it reads nothing any more
  child.pass(61s);
  CHECK(child.starts == 2);
}

TEST_CASE("Listening: a time in which the gateway itself did nothing counts as one look only") {
  child::Listening listening;
  const child::Listening::Time start{};
  listening.begin(start);
  CHECK(listening.take(start + 2s, 3s) == 2s);
  CHECK(listening.take(start + 600s, 3s) == 3s);
  listening.end(start + 601s);
  CHECK(listening.take(start + 700s, 3s) == 1s);
  CHECK(listening.take(start + 800s, 3s) == 0s);
}

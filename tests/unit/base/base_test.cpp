#include "gateway/base/backoff.hpp"
#include "gateway/base/log_limit.hpp"
#include "gateway/base/secret.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/run.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace wherry;
using namespace std::chrono_literals;

TEST_CASE("Backoff tries at once, then waits longer and longer up to its limit (house.md §2)") {
  base::Backoff backoff({1000ms, 8000ms, 0.2}, 7);
  CHECK(backoff.next() == 0ms);
  const int plain[] = {1000, 2000, 4000, 8000, 8000, 8000};
  for (const int expected : plain) {
    const auto delay = backoff.next();
    CHECK(delay.count() >= expected * 8 / 10);
    CHECK(delay.count() <= expected * 12 / 10);
  }
  backoff.reset();
  CHECK(backoff.next() == 0ms);
  CHECK(backoff.next_at_least(10s) >= 10s);
}

TEST_CASE("Backoff spreads the delays of different links") {
  base::Backoff a({1000ms, 60000ms, 0.2}, 1), b({1000ms, 60000ms, 0.2}, 2);
  a.next(), b.next();
  CHECK(a.next() != b.next());
}

TEST_CASE("Sealer opens what it sealed, for the same context only") {
  const auto sealer = base::Sealer::from_key_text(base::Sealer::generate_key() + "\n");
  REQUIRE(sealer.has_value());
  const std::string sealed = sealer->seal("secret word", "account:1:credentials");
  CHECK(sealed.find("secret") == std::string::npos);
  CHECK(sealer->open(sealed, "account:1:credentials").value() == "secret word");
  CHECK_FALSE(sealer->open(sealed, "account:2:credentials").has_value());
  std::string damaged = sealed;
  damaged[damaged.size() / 2] = damaged[damaged.size() / 2] == 'A' ? 'B' : 'A';
  CHECK_FALSE(sealer->open(damaged, "account:1:credentials").has_value());
  CHECK_FALSE(sealer->open("", "account:1:credentials").has_value());
}

TEST_CASE("Sealer rotates: the first key seals, the others still open") {
  const std::string old_key = base::Sealer::generate_key(), new_key = base::Sealer::generate_key();
  const auto before = base::Sealer::from_key_text(old_key);
  const auto after = base::Sealer::from_key_text(new_key + "\n" + old_key + "\n");
  const std::string sealed = before->seal("x", "c");
  CHECK_FALSE(after->is_current(sealed));
  CHECK(after->open(sealed, "c").value() == "x");
  CHECK(after->is_current(after->seal("x", "c")));
  CHECK_FALSE(base::Sealer::from_key_text("abc").has_value());
  CHECK_FALSE(base::Sealer::from_key_text("\n").has_value());
}

TEST_CASE("is_utf8 refuses surrogates, overlong forms and what is cut off (RFC 3629 §3)") {
  CHECK(base::is_utf8("plain, é, ✓, 🌹"));
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x9C", "\x80", "\xF8\x88\x80\x80\x80"})
    CHECK_FALSE(base::is_utf8(bad));
}

TEST_CASE("utf8_prefix never cuts a character") {
  const std::string text = "aé🌹";
  CHECK(base::utf8_prefix(text, 100) == text);
  CHECK(base::utf8_prefix(text, 6) == "aé");
  CHECK(base::utf8_prefix(text, 2) == "a");
  CHECK(base::utf8_prefix(text, 0).empty());
}

TEST_CASE("nearest finds what was meant: a letter more, less, other or swapped in three") {
  const std::set<std::string, std::less<>> words = {"host", "port", "secret", "secret_file", "connector"};
  for (const char* typed : {"conector", "connectorr", "konnector", "conenctor", "CONNECTOR", "connectors"})
    CHECK(base::nearest(typed, words) == "connector");
  CHECK(base::nearest("hots", words) == "host");
  CHECK(base::nearest("secretfile", words) == "secret_file");
  CHECK(base::nearest("secrt", words) == "secret");
  for (const char* typed : {"", "x", "child", "pots_and", "secret_of_mine"}) CHECK(base::nearest(typed, words).empty());
}

TEST_CASE("hexadecimal and base64 are read back, and refused where they are none") {
  CHECK(base::from_hex(base::to_hex("\xff wherry")).value() == "\xff wherry");
  CHECK_FALSE(base::from_hex("abc").has_value());
  CHECK_FALSE(base::from_hex("zz").has_value());
  CHECK(base::from_base64(base::to_base64("wherry")).value() == "wherry");
  CHECK_FALSE(base::from_base64("***").has_value());
  CHECK(base::to_rfc3339(std::chrono::system_clock::time_point(1796000523456ms)) == "2026-11-30T01:02:03.456Z");
  CHECK(base::to_rfc3339(std::chrono::system_clock::time_point(-1ms)) == "1969-12-31T23:59:59.999Z");
  CHECK(base::to_rfc3339(std::chrono::system_clock::time_point(-1us)) == "1969-12-31T23:59:59.999Z");
  CHECK(base::to_rfc3339(std::chrono::system_clock::time_point(-1000ms)) == "1969-12-31T23:59:59.000Z");
}

namespace {

asio::awaitable<void> fail_after(std::chrono::milliseconds pause) {
  co_await base::sleep(pause);
  throw std::runtime_error("broken");
}
asio::awaitable<void> forever() { co_await base::sleep(std::chrono::hours(1)); }
asio::awaitable<int> answer() { co_return 42; }

asio::awaitable<void> check_within(bool& done) {
  CHECK(co_await base::within(10s, answer()) == 42);
  bool timed_out = false;
  try {
    co_await base::within(1ms, forever());
  } catch (const base::TimedOut&) {
    timed_out = true;
  }
  CHECK(timed_out);
  std::string error;
  try {
    co_await base::within(10s, fail_after(1ms));
  } catch (const std::runtime_error& e) {
    error = e.what();
  }
  CHECK(error == "broken");
  done = true;
}

asio::awaitable<void> check_together(bool& done) {
  std::string error;
  try {
    co_await base::together(forever(), fail_after(1ms));
  } catch (const std::runtime_error& e) {
    error = e.what();
  }
  CHECK(error == "broken");
  done = true;
}

asio::awaitable<void> check_group(base::TaskGroup& group, bool& done) {
  group.spawn("a", forever());
  group.spawn("b", fail_after(0ms));
  group.cancel();
  co_await group.join();
  CHECK(group.empty());
  done = true;
}

}  // namespace

TEST_CASE("within gives the result, the failure, or TimedOut, whichever comes first") {
  asio::io_context loop;
  bool done = false;
  tests::run(loop, check_within(done));
  CHECK(done);
}

TEST_CASE("together throws the first failure and cancels the other") {
  asio::io_context loop;
  bool done = false;
  tests::run(loop, check_together(done));
  CHECK(done);
}

asio::awaitable<void> note(std::string& seen, char what) {
  seen += what;
  co_return;
}
asio::awaitable<void> note_and_wait(std::string& seen, char what) {
  seen += what;
  co_await forever();
  seen += '!';
}
// On the loop, where co_spawn alone would run a task inside the call.
asio::awaitable<void> check_beginning(base::TaskGroup& group, std::string& seen) {
  group.spawn("ends at once", note(seen, 'a'));
  asio::cancellation_signal& cancel = group.spawn("cancelled before it begins", note_and_wait(seen, 'b'));
  group.spawn("ends at once", note(seen, 'c'));
  CHECK(seen.empty());
  CHECK(!group.empty());
  cancel.emit(asio::cancellation_type::terminal);
  CHECK(seen.empty());
  co_await group.join();
  CHECK(seen == "abc");
  CHECK(group.empty());
}
TEST_CASE("TaskGroup::spawn runs nothing inside the call; tasks begin in order, also one that was cancelled before") {
  asio::io_context loop;
  base::TaskGroup group(loop.get_executor());
  std::string seen;
  tests::run(loop, check_beginning(group, seen));
}
TEST_CASE("Those who wait for one thing are continued in one turn of the loop, in their order") {
  asio::io_context loop;
  base::TaskGroup group(loop.get_executor());
  struct Waiters {
    asio::awaitable<void> wait(int number) {
      auto start = [this](base::Resume resume) { waiting.push_back(std::move(resume)); };
      try {
        co_await base::suspend(std::move(start));
      } catch (const std::runtime_error&) {
        number = -number;
      }
      ended.push_back(number);
    }
    std::vector<base::Resume> waiting;
    std::vector<int> ended;
  } waiters;
  for (int number = 1; number <= 3; ++number) group.spawn("wait", waiters.wait(number));
  while (waiters.waiting.size() < 3) loop.run_one();
  base::Resume::all(std::exchange(waiters.waiting, {}), nullptr);
  CHECK(waiters.ended.empty());
  loop.run_one();
  CHECK(waiters.ended == std::vector{1, 2, 3});
  group.spawn("wait", waiters.wait(4));
  loop.restart();
  while (waiters.waiting.empty()) loop.run_one();
  base::Resume::all(std::exchange(waiters.waiting, {}), std::make_exception_ptr(std::runtime_error("lost")));
  loop.run();
  CHECK(waiters.ended.back() == -4);
  base::Resume::all({}, nullptr);  // nobody waits
}

TEST_CASE("TaskGroup cancels and joins; a failing task ends alone") {
  asio::io_context loop;
  base::TaskGroup group(loop.get_executor());
  bool done = false;
  tests::run(loop, check_group(group, done));
  CHECK(done);
}

TEST_CASE("LogLimit takes its burst and then its rate, and counts what was left out") {
  const base::LogLimit::Time start{};
  base::LogLimit lines(start, 1, 3);
  for (int i = 0; i < 3; ++i) CHECK(lines.admit(start) == 0);
  for (int i = 0; i < 5; ++i) CHECK(!lines.admit(start));
  CHECK(lines.admit(start + std::chrono::seconds(1)) == 5);
  CHECK(!lines.admit(start + std::chrono::seconds(1)));
  CHECK(lines.admit(start + std::chrono::seconds(60)) == 1);
}

namespace {

asio::awaitable<void> wait_for(base::Signal& signal) { co_await signal.wait(); }

// Its name for each waking, a capital one when it is cancelled.
asio::awaitable<void> note_wakings(base::Signal& signal, std::string& seen, char name, int times) {
  try {
    for (; times > 0; --times) {
      co_await signal.wait();
      seen += name;
    }
  } catch (const boost::system::system_error&) {
    seen += static_cast<char>(name - 'a' + 'A');
    throw;
  }
}

// Cancelled, it writes what it has to write all the same.
asio::awaitable<void> end_in_good_order(std::string& seen) {
  seen += 'a';
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await base::sleep(1ms);
  seen += 'b';
}
asio::awaitable<void> keep_apart(std::string& seen) {
  co_await base::apart(end_in_good_order(seen));
  try {
    co_await forever();
  } catch (const boost::system::system_error&) {
    seen += 'c';
    throw;
  }
}

asio::awaitable<void> cancel_at_once(base::TaskGroup& group, std::string& seen) {
  group.spawn("apart", keep_apart(seen));
  group.cancel();
  CHECK(seen.empty());
  co_await group.join();
}

asio::awaitable<void> wait_then_spawn(base::TaskGroup& group, int left) {
  try {
    co_await forever();
  } catch (const boost::system::system_error&) {
    if (left > 0) group.spawn("another", wait_then_spawn(group, left - 1));
    throw;
  }
}
asio::awaitable<void> end_twice(base::TaskGroup& group) {
  for (int round = 0; round < 2; ++round) {
    group.spawn("first", wait_then_spawn(group, 3));
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_await group.end();
    CHECK(group.empty());
  }
}

}  // namespace

TEST_CASE("TaskGroup::end cancels what is spawned meanwhile, too, and the group may be used anew") {
  asio::io_context loop;
  base::TaskGroup group(loop.get_executor());
  tests::run(loop, end_twice(group));
}

TEST_CASE("A Signal wakes those who wait, once and in their order; who is cancelled waits no longer") {
  asio::io_context loop;
  base::Signal signal(loop.get_executor());
  std::string seen;
  base::TaskGroup group(loop.get_executor()), cancelled(loop.get_executor());
  group.spawn("a", note_wakings(signal, seen, 'a', 2));
  cancelled.spawn("b", note_wakings(signal, seen, 'b', 2));
  group.spawn("c", note_wakings(signal, seen, 'c', 1));
  loop.poll();
  signal.notify();
  signal.notify();  // nobody waits any more
  CHECK(seen.empty());
  loop.restart();
  loop.poll();
  CHECK(seen == "abc");
  cancelled.cancel();
  loop.restart();
  loop.poll();
  CHECK(seen == "abcB");
  CHECK(cancelled.empty());
  signal.notify();
  tests::run(loop, group.join());
  CHECK(seen == "abcBa");
}

TEST_CASE("Who is woken by a Signal and cancelled in the same moment is cancelled, once") {
  asio::io_context loop;
  base::Signal signal(loop.get_executor());
  std::string seen;
  base::TaskGroup group(loop.get_executor());
  group.spawn("a", note_wakings(signal, seen, 'a', 1));
  loop.poll();
  group.cancel();
  signal.notify();
  loop.restart();
  tests::run(loop, group.join());
  CHECK(seen == "A");
}

TEST_CASE("A Signal that goes wakes those who wait for it") {
  asio::io_context loop;
  auto signal = std::make_unique<base::Signal>(loop.get_executor());
  std::string seen;
  base::TaskGroup group(loop.get_executor());
  group.spawn("a", note_wakings(*signal, seen, 'a', 1));
  loop.poll();
  signal.reset();
  loop.restart();
  tests::run(loop, group.join());
  CHECK(seen == "a");
}

TEST_CASE("TaskGroup::cancel may be called off the loop, also where a task is about to end by itself") {
  asio::io_context loop;
  base::TaskGroup group(loop.get_executor());
  base::Signal signal(loop.get_executor());
  group.spawn("ends", wait_for(signal));
  group.spawn("waits", forever());
  loop.poll();
  signal.notify();
  group.cancel();
  tests::run(loop, group.join());
  CHECK(group.empty());
  loop.restart();
  loop.poll();
  {
    base::TaskGroup gone(loop.get_executor());
    gone.cancel();
  }
  loop.restart();
  loop.poll();
}

TEST_CASE(
    "What runs apart begins before a cancellation can reach it, and ends as it likes; then the cancellation is the "
    "caller's") {
  asio::io_context loop;
  base::TaskGroup group(loop.get_executor());
  std::string seen;
  tests::run(loop, cancel_at_once(group, seen));
  CHECK(seen == "abc");
}

TEST_CASE("What is masked looks the same under one key, and otherwise under another") {
  log::set_mask_key({1});
  const std::string one = log::masked("+14155550132");
  CHECK(one.size() == 11);
  CHECK(log::masked("+14155550132") == one);
  CHECK(log::masked("+14155550133") != one);
  log::set_mask_key({2});
  CHECK(log::masked("+14155550132") != one);
}

TEST_CASE("Numbers in a sentence are masked, short ones are not") {
  CHECK(log::without_numbers("") == "");
  CHECK(log::without_numbers("code 4004, part 2 of 3") == "code 4004, part 2 of 3");
  CHECK(log::without_numbers("“+14155550132” is off") == "“" + log::masked("+14155550132") + "” is off");
  CHECK(log::without_numbers("+ 1 + 72404") == "+ 1 + " + log::masked("72404"));
  CHECK(log::without_numbers("12345") == log::masked("12345"));
}

TEST_CASE("Lines are held back while a Hold lives, and then written in their order") {
  tests::LogCapture log;
  {
    const log::Hold outer;
    log::warn("test.first");
    {
      const log::Hold inner;
      log::warn("test.second");
    }
    CHECK(log.text().empty());
  }
  log::warn("test.third");
  const std::string text = log.text();
  CHECK(text.find("test.first") < text.find("test.second"));
  CHECK(text.find("test.second") < text.find("test.third"));
  CHECK(text.find("test.third") != std::string::npos);
}

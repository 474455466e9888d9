#include "gateway/db/commit_pace.hpp"
#include "gateway/db/worker.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_database.hpp"

#include <boost/asio/steady_timer.hpp>
#include <doctest/doctest.h>

#include <atomic>

using namespace wherry;
using namespace wherry::tests;
using db::Database;
using db::DatabaseLost;
using db::StatementFailed;
using db::Transaction;

namespace {

// A real driver, with its commits counted and its connection lost on demand.
struct Faults {
  std::atomic<int> begun = 0, committed = 0;
  std::atomic<int> lose_begins = 0;   // so many begin() fail
  std::atomic<int> lose_answers = 0;  // so many commits happen, and nobody learns it
};
class FaultyDriver final : public db::Driver {
 public:
  FaultyDriver(std::unique_ptr<db::Driver> driver, std::shared_ptr<Faults> faults)
      : driver_(std::move(driver)), faults_(std::move(faults)) {}
  void begin() override {
    ++faults_->begun;
    if (faults_->lose_begins > 0 && faults_->lose_begins-- > 0) throw DatabaseLost("unplugged");
    driver_->begin();
  }
  Transaction& transaction() override { return driver_->transaction(); }
  void commit() override {
    driver_->commit();
    ++faults_->committed;
    if (faults_->lose_answers > 0 && faults_->lose_answers-- > 0) throw DatabaseLost("unplugged during the commit");
  }
  void rollback() noexcept override { driver_->rollback(); }
  void abandon() noexcept override { driver_->abandon(); }
  void run_script(const std::string& sql) override { driver_->run_script(sql); }
  std::string_view dialect() const override { return driver_->dialect(); }

 private:
  std::unique_ptr<db::Driver> driver_;
  std::shared_ptr<Faults> faults_;
};

struct Fixture {
  explicit Fixture(DatabaseKind kind, db::DatabasePolicy policy = {}, db::DriverLimits limits = {}) : temp(kind) {
    auto driver = temp.open(limits);
    REQUIRE(driver->claim(std::chrono::milliseconds(200)).has_value());
    driver->begin();
    driver->run_script("CREATE TABLE t (id BIGINT PRIMARY KEY, body TEXT NOT NULL)");
    if (kind == DatabaseKind::postgres)
      backend = static_cast<pid_t>(driver->transaction().query("SELECT pg_backend_pid()").at(0).integer(0));
    driver->commit();
    database.emplace(loop.get_executor(), std::make_unique<FaultyDriver>(std::move(driver), faults), policy);
  }

  static Database::Closure insert(std::int64_t id) {
    return
        [id](Transaction& t) { t.execute("INSERT INTO t (id, body) VALUES ($1, 'x') ON CONFLICT DO NOTHING", {id}); };
  }
  // Submits, and notes how it ended: "" or the error's text.
  void submit(Database::Closure closure) {
    const std::size_t at = outcomes.size();
    outcomes.emplace_back();
    database->submit(std::move(closure), [this, at](std::exception_ptr error) {
      ended.push_back(at);
      outcomes[at] = "";
      try {
        if (error) std::rethrow_exception(error);
      } catch (const std::exception& e) {
        outcomes[at] = e.what();
      }
    });
  }
  void run_until_all_ended() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (ended.size() < outcomes.size() && std::chrono::steady_clock::now() < deadline) {
      if (loop.stopped()) loop.restart();
      loop.run_one_for(std::chrono::milliseconds(100));
    }
    REQUIRE(ended.size() == outcomes.size());
  }
  std::vector<std::int64_t> ids() {
    std::vector<std::int64_t> found;
    run(loop, read_ids(*database, found));
    return found;
  }
  static asio::awaitable<void> read_ids(Database& database, std::vector<std::int64_t>& found) {
    auto read = [](Transaction& t) { return t.query("SELECT id FROM t ORDER BY id"); };
    const auto rows = co_await database.fetch(std::move(read));
    for (const auto& row : rows) found.push_back(row.integer(0));
  }

  TempDatabase temp;
  asio::io_context loop;
  std::shared_ptr<Faults> faults = std::make_shared<Faults>();
  std::optional<Database> database;
  std::vector<std::optional<std::string>> outcomes;
  std::vector<std::size_t> ended;  // in the order of the callbacks
  pid_t backend = 0;               // PostgreSQL's process for us
};

// A process that stands still, as on a machine that is out of breath: it is there, and answers nothing.
struct Stopped {
  explicit Stopped(pid_t p) : process(p) { REQUIRE(::kill(process, SIGSTOP) == 0); }
  ~Stopped() { ::kill(process, SIGCONT); }
  pid_t process;
};

std::vector<std::int64_t> range(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> numbers;
  for (; first <= last; ++first) numbers.push_back(first);
  return numbers;
}

asio::awaitable<void> expect_statement_failed(Database& database) {
  Database::Closure closure = [](Transaction& t) { t.execute("INSERT INTO nowhere (id) VALUES (1)"); };
  bool failed = false;
  try {
    co_await database.transact(std::move(closure));
  } catch (const StatementFailed&) {
    failed = true;
  }
  CHECK(failed);
}

}  // namespace

TEST_CASE("Closures that arrive together share one commit, and their callbacks come in order (house.md §7)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(kind);
    for (std::int64_t id = 1; id <= 500; ++id) f.submit(Fixture::insert(id));
    f.run_until_all_ended();
    CHECK(f.faults->committed == 1);
    CHECK(std::is_sorted(f.ended.begin(), f.ended.end()));
    CHECK(f.ids() == range(1, 500));
  }
}

TEST_CASE("A commit takes no more closures than most_in_one_commit (DatabasePolicy)") {
  db::DatabasePolicy policy;
  policy.most_in_one_commit = 64;
  Fixture f(DatabaseKind::sqlite, policy);
  for (std::int64_t id = 1; id <= 200; ++id) f.submit(Fixture::insert(id));
  f.run_until_all_ended();
  CHECK(f.faults->committed == 4);
  CHECK(f.ids() == range(1, 200));
}

TEST_CASE("What arrives while a commit runs goes into the next one, together (house.md §5)") {
  Fixture f(DatabaseKind::sqlite);
  std::atomic<bool> running = false, may_end = false;
  f.submit([&](Transaction&) {
    running = true;
    running.notify_one();
    may_end.wait(false);
  });
  while (!running) f.loop.run_one_for(std::chrono::milliseconds(10));
  for (std::int64_t id = 1; id <= 50; ++id) f.submit(Fixture::insert(id));
  may_end = true;
  may_end.notify_one();
  f.run_until_all_ended();
  CHECK(f.faults->committed == 2);
}

TEST_CASE("Commits that come seldom begin at once, and many keep their distance (CommitPace)") {
  using std::chrono::microseconds;
  db::CommitPace pace(microseconds(1000), 3);
  db::CommitPace::Time now{std::chrono::hours(1)};
  for (int i = 0; i < 3; ++i) CHECK(pace.begin(now) == microseconds(0));
  CHECK(pace.begin(now) == microseconds(1000));
  CHECK(pace.begin(now += microseconds(400)) == microseconds(600));
  CHECK(pace.begin(now += microseconds(600)) == microseconds(0));
  CHECK(pace.begin(now) == microseconds(1000));
  now += std::chrono::hours(1);  // no more is saved up than at first
  for (int i = 0; i < 3; ++i) CHECK(pace.begin(now) == microseconds(0));
  CHECK(pace.begin(now) == microseconds(1000));
  for (int i = 0; i < 100; ++i) CHECK(pace.begin(now += microseconds(1000)) == microseconds(0));
  db::CommitPace hasty(microseconds(0), 0);
  for (int i = 0; i < 100; ++i) CHECK(hasty.begin(now) == microseconds(0));
}

TEST_CASE("Under load a commit waits for more, and takes all that came meanwhile (DatabasePolicy)") {
  db::DatabasePolicy policy;
  policy.commit_distance = std::chrono::milliseconds(50);
  policy.commit_burst = 2;
  Fixture f(DatabaseKind::sqlite, policy);
  const auto began = std::chrono::steady_clock::now();
  for (std::int64_t id = 1; id <= 2; ++id) {
    f.submit(Fixture::insert(id));
    f.run_until_all_ended();
  }
  for (std::int64_t id = 3; id <= 10; ++id) {  // one in each turn, faster than the pause is over
    f.submit(Fixture::insert(id));
    f.loop.poll();
  }
  f.run_until_all_ended();
  if (std::chrono::steady_clock::now() - began < std::chrono::milliseconds(90)) CHECK(f.faults->committed == 3);
  CHECK(f.faults->committed < 10);
  CHECK(f.ids() == range(1, 10));
}

TEST_CASE(
    "Of a shared commit only the guilty closure fails, whether its statement or its own code threw (database.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(kind);
    for (std::int64_t id = 1; id <= 100; ++id) {
      if (id == 37) {
        f.submit([](Transaction& t) { t.execute("INSERT INTO t (id, body) VALUES (37, NULL)"); });
      } else if (id == 90) {
        f.submit([](Transaction& t) {
          t.execute("INSERT INTO t (id, body) VALUES (90, 'half done')");
          throw std::runtime_error("changed my mind");
        });
      } else {
        f.submit(Fixture::insert(id));
      }
    }
    f.run_until_all_ended();
    for (std::size_t i = 0; i < 100; ++i) {
      CAPTURE(i);
      CHECK(f.outcomes[i]->empty() == (i != 36 && i != 89));
    }
    CHECK(f.outcomes[89] == "changed my mind");
    CHECK(std::is_sorted(f.ended.begin(), f.ended.end()));
    auto expected = range(1, 100);
    std::erase_if(expected, [](std::int64_t id) { return id == 37 || id == 90; });
    CHECK(f.ids() == expected);
    CHECK(f.faults->begun < 40);  // by halving; one by one it would be over a hundred
  }
}

TEST_CASE("transact throws what the closure threw, in the coroutine that waits (database.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(kind);
    run(f.loop, expect_statement_failed(*f.database));
  }
}

TEST_CASE("A group whose database is lost is run again when it is back (DatabaseLost)") {
  Fixture f(DatabaseKind::sqlite);
  f.faults->lose_begins = 3;
  for (std::int64_t id = 1; id <= 20; ++id) f.submit(Fixture::insert(id));
  f.run_until_all_ended();
  for (const auto& outcome : f.outcomes) CHECK(outcome == "");
  CHECK(f.faults->begun == 4);
  CHECK(f.ids() == range(1, 20));
}

TEST_CASE(
    "A commit whose answer is lost is run again, and what it inserted by known ids is there once (database.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(kind);
    f.faults->lose_answers = 1;
    for (std::int64_t id = 1; id <= 20; ++id) f.submit(Fixture::insert(id));
    f.run_until_all_ended();
    for (const auto& outcome : f.outcomes) CHECK(outcome == "");
    CHECK(f.faults->committed == 2);
    CHECK(f.ids() == range(1, 20));
  }
}

TEST_CASE(
    "A database lost for longer than give_up_after fails what waits, then works again once it is back "
    "(DatabasePolicy)") {
  db::DatabasePolicy policy;
  policy.give_up_after = std::chrono::seconds(1);
  Fixture f(DatabaseKind::sqlite, policy);
  f.faults->lose_begins = 1'000'000;
  int told = 0;
  f.database->on_given_up([&] { ++told; });
  f.submit(Fixture::insert(1));
  f.submit(Fixture::insert(2));
  f.run_until_all_ended();
  CHECK(told == 1);
  CHECK(f.outcomes[0] == "unplugged");
  CHECK(f.outcomes[1] == "unplugged");
  const int begun = f.faults->begun;
  f.submit(Fixture::insert(3));  // the time is over: one attempt
  f.run_until_all_ended();
  CHECK(f.outcomes[2] == "unplugged");
  CHECK(f.faults->begun == begun + 1);
  f.faults->lose_begins = 0;
  f.submit(Fixture::insert(4));
  f.run_until_all_ended();
  CHECK(f.outcomes[3] == "");
  CHECK(f.ids() == range(4, 4));
  CHECK(told == 2);
}

TEST_CASE("~Database waits for the group that runs and drops what has not begun (database.hpp)") {
  Fixture f(DatabaseKind::sqlite);
  std::atomic<bool> running = false, may_end = false;
  std::atomic<int> ran = 0;
  f.submit([&](Transaction&) {
    running = true;
    may_end.wait(false);
    ++ran;
  });
  while (!running) f.loop.run_one_for(std::chrono::milliseconds(10));
  f.submit([&](Transaction&) { ran += 100; });
  may_end = true;
  may_end.notify_one();
  f.database.reset();
  CHECK(ran == 1);
  CHECK(f.faults->committed == 1);
  f.loop.restart();
  f.loop.poll();
  CHECK(f.ended.empty());  // and calls nobody back
}

TEST_CASE("~Database does not wait for a database that is lost") {
  Fixture f(DatabaseKind::sqlite);
  f.faults->lose_begins = 1'000'000;
  f.submit(Fixture::insert(1));
  while (f.faults->begun < 2) f.loop.run_one_for(std::chrono::milliseconds(10));
  const auto start = std::chrono::steady_clock::now();
  f.database.reset();
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));  // give_up_after is 60
}

TEST_CASE(
    "A worker on the caller's loop needs no other thread: closures run between the loop's turns, failures halve, "
    "losses are retried") {
  Fixture f(DatabaseKind::sqlite);
  f.database.reset();
  const auto here = std::this_thread::get_id();
  auto driver = std::make_unique<FaultyDriver>(f.temp.open(), f.faults);
  const auto executor = f.loop.get_executor();
  f.database.emplace(executor, std::make_unique<db::Worker>(std::move(driver), db::DatabasePolicy{}, executor));
  f.faults->lose_begins = 1;
  bool was_here = false;
  f.submit([&](Transaction&) { was_here = std::this_thread::get_id() == here; });
  f.submit(Fixture::insert(1));
  f.submit([](Transaction& t) { t.execute("INSERT INTO nowhere (id) VALUES (1)"); });
  f.run_until_all_ended();
  CHECK(was_here);
  CHECK(f.outcomes[1] == "");
  CHECK(f.outcomes[2] != "");
  CHECK(f.ids() == range(1, 1));
  f.submit(Fixture::insert(2));
  f.database.reset();  // what was not yet begun is dropped, here too
  f.loop.restart();
  f.loop.poll();
  CHECK(f.ended.size() == 3);
}

TEST_CASE(
    "PostgreSQL killed with -9 and started again: nothing committed is lost, nothing is doubled, every closure "
    "succeeds") {
  Fixture f(DatabaseKind::postgres);
  constexpr std::int64_t rounds = 3, rows = 400;
  for (std::int64_t round = 0; round < rounds; ++round) {
    // One closure's commit is known before the server dies; others are under way.
    f.submit(Fixture::insert(round * rows + 1));
    f.run_until_all_ended();
    for (std::int64_t i = 2; i <= rows / 2; ++i) f.submit(Fixture::insert(round * rows + i));
    f.loop.poll();  // sends the group off
    postgres_server().kill();
    for (std::int64_t i = rows / 2 + 1; i <= rows; ++i) f.submit(Fixture::insert(round * rows + i));
    f.loop.poll();
    postgres_server().start();
    f.run_until_all_ended();
  }
  for (const auto& outcome : f.outcomes) CHECK(outcome == "");
  CHECK(f.ids() == range(1, rounds * rows));
}

TEST_CASE(
    "A PostgreSQL that stands still is given up as if it were gone, and works again once it goes on (DriverLimits)") {
  db::DatabasePolicy policy;
  policy.give_up_after = std::chrono::seconds(2);
  Fixture f(DatabaseKind::postgres, policy, {std::chrono::milliseconds(250), std::chrono::milliseconds(500)});
  int told = 0;
  f.database->on_given_up([&] { ++told; });
  {
    const Stopped backend(f.backend);
    f.submit(Fixture::insert(1));
    f.run_until_all_ended();
    CHECK(f.outcomes[0]->starts_with("PostgreSQL: "));
    CHECK(told == 1);
  }
  // The old session ends now, and with it its claim; what it was sent it may have committed or not.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  do {
    f.submit(Fixture::insert(2));
    f.run_until_all_ended();
  } while (!f.outcomes.back()->empty() && std::chrono::steady_clock::now() < deadline);
  CHECK(f.outcomes.back() == "");
  CHECK(f.ids().back() == 2);
}

TEST_CASE(
    "A table that somebody holds locked for ever counts as a lost database (DriverLimits, PostgreSQL manual §13.3)") {
  db::DatabasePolicy policy;
  policy.give_up_after = std::chrono::seconds(1);
  Fixture f(DatabaseKind::postgres, policy, {std::chrono::milliseconds(250), std::chrono::milliseconds(20'000)});
  const auto other = f.temp.open();
  other->begin();
  other->transaction().query("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  f.submit(Fixture::insert(1));
  f.run_until_all_ended();
  CHECK(f.outcomes[0]->find("statement timeout") != std::string::npos);
  CHECK(f.faults->begun > 1);  // it was tried again
  other->rollback();
  f.submit(Fixture::insert(2));
  f.run_until_all_ended();
  CHECK(f.outcomes[1] == "");
  CHECK(f.ids() == range(2, 2));
}

TEST_CASE("In a hurry neither a PostgreSQL that stands still nor a lost database is waited for (Database::hurry)") {
  const auto began = std::chrono::steady_clock::now();
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    // give_up_after is 60 s
    Fixture f(kind, {}, {std::chrono::milliseconds(600'000), std::chrono::milliseconds(600'000)});
    std::optional<Stopped> backend;
    if (kind == DatabaseKind::postgres) backend.emplace(f.backend);
    else f.faults->lose_begins = 1'000'000;
    f.submit(Fixture::insert(1));
    f.loop.poll();
    f.database->hurry(std::chrono::milliseconds(100));
    f.submit(Fixture::insert(2));  // and what comes later is not tried for long either
    f.run_until_all_ended();
    CHECK_FALSE(f.outcomes[0]->empty());
    CHECK_FALSE(f.outcomes[1]->empty());
    f.database->close();
  }
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(50));
}

TEST_CASE("In a hurry a database that works is waited for, and close() ends what runs (Database::hurry, close)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(kind);
    f.database->hurry(std::chrono::seconds(60));
    for (std::int64_t id = 1; id <= 20; ++id) f.submit(Fixture::insert(id));
    f.run_until_all_ended();
    for (const auto& outcome : f.outcomes) CHECK(outcome == "");
    f.database->close();
    const auto again = f.temp.open();
    again->begin();
    CHECK(again->transaction().query("SELECT id FROM t").size() == 20);
    again->commit();
  }
}

TEST_CASE("What the database refuses as a whole is done in parts, in their order and before what was submitted later") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    Fixture f(kind);
    std::vector<std::string> told;
    const auto part = [&told](std::string name, std::string sql) {
      return Database::Part{
          [sql](Transaction& t) {
            if (sql.empty()) throw StatementFailed("refused");
            t.execute("INSERT INTO t (id, body) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                      {sql});
          },
          [&told, name](const std::exception_ptr& error) { told.push_back(name + (error ? " refused" : "")); }};
    };
    const auto parts = [part] {
      return std::vector<Database::Part>{part("a", "of a"), part("b", ""), part("c", "of c")};
    };
    Database::Closure whole = [parts](Transaction& t) {
      for (const auto& each : parts()) each.closure(t);
    };
    f.database->submit(std::move(whole), parts, [&](const std::exception_ptr&) { told.push_back("whole"); });
    std::string seen;
    f.submit([&seen](Transaction& t) { seen = t.query("SELECT body FROM t").at(0).text(0); });
    f.submit([](Transaction& t) { t.execute("UPDATE t SET body = $1", {std::string("of a later one")}); });
    f.run_until_all_ended();
    CHECK(told == std::vector<std::string>{"a", "b refused", "c"});
    CHECK(seen == "of c");
    f.submit([&seen](Transaction& t) { seen = t.query("SELECT body FROM t").at(0).text(0); });
    f.run_until_all_ended();
    CHECK(seen == "of a later one");
  }
}

#include "tests/support/temp_database.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <limits>

using namespace wherry;
using namespace wherry::tests;
using db::StatementFailed;

namespace {

constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

std::chrono::seconds passed{0};  // for steady_clock, more than really

// Whether a word is in SQLite's file or its log.
bool holds(const TempDatabase& database, const std::string& word) {
  std::ostringstream bytes;
  for (const std::string& name : {database.file().string(), database.file().string() + "-wal"}) {
    if (std::filesystem::exists(name) && std::filesystem::file_size(name) > 0)
      bytes << std::ifstream(name, std::ios::binary).rdbuf();
  }
  return bytes.str().find(word) != std::string::npos;
}

std::unique_ptr<db::Driver> open_with_table(const TempDatabase& database) {
  auto driver = database.open();
  driver->begin();
  driver->run_script("CREATE TABLE t (id BIGINT PRIMARY KEY, body TEXT); CREATE TABLE other (id BIGINT);");
  driver->commit();
  return driver;
}

std::int64_t count(db::Driver& driver) {
  driver.begin();
  const auto found = driver.transaction().query("SELECT COUNT(*) FROM t").at(0).integer(0);
  driver.commit();
  return found;
}

void insert(db::Driver& driver, std::int64_t id, db::Value body) {
  driver.transaction().execute("INSERT INTO t (id, body) VALUES ($1, $2)", {id, std::move(body)});
}

void insert_and_keep(db::Driver& driver) {
  driver.begin();
  insert(driver, 1000, "kept");
  driver.commit();
}

std::string open_error(const std::string& url) {
  const auto driver = db::open_driver(url);
  REQUIRE_FALSE(driver.has_value());
  return driver.error().text;
}

// A port of the loopback that refuses: taken, and not listened on.
struct RefusingPort {
  RefusingPort() : socket(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    number = ntohs(address.sin_port);
  }
  ~RefusingPort() { ::close(socket); }
  int socket;
  int number = 0;
};

}  // namespace

// This program's own, so that a test need not wait for hours.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long failed = ::syscall(SYS_clock_gettime, clock, time);
  if (clock == CLOCK_MONOTONIC) time->tv_sec += passed.count();
  return static_cast<int>(failed);
}

TEST_CASE(
    "Both drivers give values back as they took them: NULL, the ends of 64 bits, empty and foreign text "
    "(database.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    const TempDatabase database(kind);
    const auto driver = open_with_table(database);
    driver->begin();
    insert(*driver, smallest, "");
    insert(*driver, 0, std::monostate());
    insert(*driver, largest, "Привет 😀 'quoted' \"\\ \n\t$1");
    const auto rows = driver->transaction().query("SELECT id, body FROM t ORDER BY id");
    driver->commit();
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].integer(0) == smallest);
    CHECK(rows[0].text(1).empty());
    CHECK(rows[1].is_null(1));
    CHECK(rows[2].integer(0) == largest);
    CHECK(rows[2].text(1) == "Привет 😀 'quoted' \"\\ \n\t$1");
  }
}

TEST_CASE("Both drivers bind $n by its number, in whatever order and however often it stands (house.md §7)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    const TempDatabase database(kind);
    const auto driver = open_with_table(database);
    driver->begin();
    driver->transaction().execute("INSERT INTO t (body, id) VALUES ($2, $1)", {std::int64_t{7}, "seven"});
    const auto rows = driver->transaction().query("SELECT id FROM t WHERE body = $2 AND id >= $1 AND id <= $1",
                                                  {std::int64_t{7}, "seven"});
    CHECK(rows.size() == 1);
    CHECK_THROWS_AS(driver->transaction().query("SELECT id FROM t WHERE id = $1", {}), StatementFailed);
    driver->rollback();
  }
}

TEST_CASE("Both drivers refuse text that a database cannot hold, and say which parameter (PostgreSQL manual §8.3)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    const TempDatabase database(kind);
    const auto driver = open_with_table(database);
    driver->begin();
    CHECK_THROWS_WITH_AS(insert(*driver, 1, std::string("a\0b", 3)), doctest::Contains("parameter $2 holds a NUL"),
                         StatementFailed);
    CHECK_THROWS_AS(driver->commit(), StatementFailed);  // also where the closure swallowed it
    driver->rollback();
    driver->begin();
    CHECK_THROWS_WITH_AS(insert(*driver, 1, "caf\xE9 au lait"), doctest::Contains("parameter $2 is not UTF-8"),
                         StatementFailed);
    driver->rollback();
    CHECK(count(*driver) == 0);
  }
}

TEST_CASE(
    "Both drivers refuse to commit a transaction in which a statement failed, and work on after the rollback "
    "(database.hpp)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    const TempDatabase database(kind);
    const auto driver = open_with_table(database);
    // the second time with statements that the first one's failure interrupted
    for (int round = 0; round < 2; ++round) {
      driver->begin();
      insert(*driver, 1, "one");
      try {
        insert(*driver, 1, "again");
        driver->transaction().execute("DELETE FROM other");
      } catch (const StatementFailed&) {
        // swallowed, as a careless closure might
      }
      CHECK_THROWS_AS(driver->commit(), StatementFailed);
      driver->rollback();
      CHECK(count(*driver) == 0);
    }
    driver->begin();
    insert(*driver, 1, "one");
    driver->transaction().execute("DELETE FROM other");
    driver->commit();
    CHECK(count(*driver) == 1);
    driver->begin();
    CHECK_THROWS_AS(driver->transaction().query("SELECT nonsense FROM nowhere"), StatementFailed);
    driver->rollback();
  }
}

TEST_CASE("A transaction may be larger than every buffer on its way, in both directions (PostgreSQL manual §34.5.1)") {
  for (const auto kind : every_database) {
    CAPTURE(name_of(kind));
    const TempDatabase database(kind);
    const auto driver = open_with_table(database);
    const std::string body(8000, 'x');
    driver->begin();
    for (std::int64_t id = 0; id < 2500; ++id) {
      driver->transaction().execute("INSERT INTO t (id, body) VALUES ($1, $2) RETURNING body", {id, body});
    }
    const auto rows = driver->transaction().query("SELECT body FROM t");
    driver->commit();
    CHECK(rows.size() == 2500);
    CHECK(rows.back().text(0) == body);
  }
}

TEST_CASE("open_driver says what to do about a URL that it cannot use, and never shows the password") {
  CHECK(open_error("mysql://u:hunter2@h/d") ==
        "The database must be given as sqlite:/path/to/file or postgresql://user:password@host/name.");
  CHECK(open_error("sqlite:").find("sqlite:/path/to/file") != std::string::npos);
  CHECK(open_error("sqlite::memory:").find("needs a file") != std::string::npos);

  const std::string unreadable = open_error("postgresql://u:hunter2@h:port:x/d?nonsense=hunter2");
  CHECK(unreadable.find("%XX") != std::string::npos);
  CHECK(unreadable.find("hunter2") == std::string::npos);

  for (const char* port : {"0", "99999", "5432x", "-1", "99999999999"}) {
    CHECK(open_error("postgresql://u:hunter2@h:" + std::string(port) + "/d") ==
          "The port in the database's URI must be from 1 to 65535.");
  }

  const RefusingPort port;
  const std::string refused = open_error("postgresql://u:hunter2@127.0.0.1:" + std::to_string(port.number) + "/d");
  CHECK(refused.find("Connection refused") != std::string::npos);
  CHECK(refused.find("hunter2") == std::string::npos);
  const std::string unknown = open_error(postgres_server().url("nobody_made_it"));
  CHECK(unknown.find("\"nobody_made_it\" does not exist") != std::string::npos);
}

TEST_CASE("SQLite's files belong to their owner alone, also where the file was there before") {
  const TempDatabase database(DatabaseKind::sqlite);
  { std::ofstream(database.file()).flush(); }
  REQUIRE(::chmod(database.file().c_str(), 0644) == 0);
  const auto driver = open_with_table(database);
  for (const std::string& name : {database.file().string(), database.file().string() + "-wal"}) {
    CAPTURE(name);
    struct stat status = {};
    REQUIRE(::stat(name.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
}

TEST_CASE("A second process is refused the SQLite file while the first one lives, and told why") {
  const TempDatabase database(DatabaseKind::sqlite);
  auto driver = open_with_table(database);
  const auto in_child = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto second = db::open_driver(database.url());
      ::_exit(second ? 0 : second.error().text.find("another process has it open") != std::string::npos ? 3 : 4);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  CHECK(in_child() == 3);
  driver.reset();
  CHECK(in_child() == 0);
}

TEST_CASE("A second wherry is refused the PostgreSQL database while the first one's session lives, and told why") {
  const TempDatabase database(DatabaseKind::postgres);
  constexpr std::chrono::milliseconds patience(50);
  auto first = database.open();
  REQUIRE(first->claim(patience).has_value());
  const auto refused = database.open()->claim(patience);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text.starts_with("Only one wherry may use a database: stop the other one first. "));
  // It comes again with a new connection.
  const auto work = [&] {
    first->begin();
    first->transaction().query("SELECT 1");
    first->commit();
  };
  postgres_server().kill();
  postgres_server().start();
  CHECK_THROWS_AS(work(), db::DatabaseLost);
  first->rollback();
  work();
  CHECK_FALSE(database.open()->claim(patience).has_value());
  first.reset();
  CHECK(database.open()->claim(std::chrono::seconds(10)).has_value());
}

TEST_CASE("SQLite tells a missing folder and a foreign file apart") {
  const TempFolder folder;
  CHECK(open_error("sqlite:" + (folder.path() / "none" / "w.sqlite").string()).find("Its folder must exist") !=
        std::string::npos);
  CHECK(open_error("sqlite:" + folder.path().string()).find("not a regular file") != std::string::npos);
  { std::ofstream(folder.path() / "letter.txt") << std::string(5000, 'x'); }
  CHECK(open_error("sqlite:" + (folder.path() / "letter.txt").string()).find("not an SQLite database") !=
        std::string::npos);
}

TEST_CASE(
    "What was deleted is in no byte of SQLite's files: at once in the file, and after wipe_deleted() in its log "
    "(database.hpp)") {
  const TempDatabase database(DatabaseKind::sqlite);
  auto driver = open_with_table(database);
  driver->begin();
  for (std::int64_t id = 1; id <= 300; ++id) insert(*driver, id, "meet me at the tomb, Juliet");
  driver->commit();
  driver->begin();
  driver->transaction().execute("DELETE FROM t WHERE id < 300");  // whole pages become free
  driver->commit();
  insert_and_keep(*driver);
  CHECK(holds(database, "the tomb"));
  driver->begin();
  driver->transaction().execute("DELETE FROM t WHERE body LIKE '%tomb%'");
  driver->commit();
  driver.reset();  // the log is worked into the file and goes
  CHECK_FALSE(holds(database, "the tomb"));
  CHECK(holds(database, "kept"));
  driver = database.open();
  driver->begin();
  driver->transaction().execute("DELETE FROM t");
  driver->commit();
  CHECK(holds(database, "kept"));  // in the log
  driver->wipe_deleted();
  CHECK_FALSE(holds(database, "kept"));
  CHECK(std::filesystem::file_size(database.file().string() + "-wal") == 0);
}

TEST_CASE("SQLite's log keeps what was deleted for an hour, while the gateway runs (DECISIONS.md 37)") {
  const TempDatabase database(DatabaseKind::sqlite);
  const auto driver = open_with_table(database);
  driver->begin();
  insert(*driver, 1, "meet me at the tomb, Juliet");
  driver->commit();
  driver->begin();
  driver->transaction().execute("DELETE FROM t");
  driver->commit();
  insert_and_keep(*driver);
  CHECK(holds(database, "the tomb"));
  passed = std::chrono::minutes(61);
  driver->begin();
  driver->transaction().execute("DELETE FROM t");
  driver->commit();
  passed = std::chrono::seconds(0);
  CHECK_FALSE(holds(database, "the tomb"));
  CHECK_FALSE(holds(database, "kept"));
}

TEST_CASE("A database file that was removed or replaced while it is open counts as lost (database.hpp)") {
  const TempDatabase database(DatabaseKind::sqlite);
  const auto driver = open_with_table(database);
  const auto aside = database.file().string() + ".aside";
  std::filesystem::rename(database.file(), aside);
  CHECK_THROWS_WITH_AS(driver->begin(), doctest::Contains("was removed or replaced"), db::DatabaseLost);
  { std::ofstream(database.file()).flush(); }
  CHECK_THROWS_AS(driver->begin(), db::DatabaseLost);
  std::filesystem::rename(aside, database.file());
  CHECK(count(*driver) == 0);
}

TEST_CASE(
    "SQLite's log that was removed or replaced while it is open counts as lost, and a commit that empties it does not "
    "(database.hpp)") {
  const TempDatabase database(DatabaseKind::sqlite);
  const auto driver = open_with_table(database);
  const std::filesystem::path log = database.file().string() + "-wal", aside = log.string() + ".aside";
  REQUIRE(std::filesystem::exists(log));
  std::filesystem::rename(log, aside);
  CHECK_THROWS_WITH_AS(driver->begin(), doctest::Contains("was removed or replaced"), db::DatabaseLost);
  { std::ofstream(log).flush(); }
  CHECK_THROWS_AS(driver->begin(), db::DatabaseLost);
  std::filesystem::rename(aside, log);
  CHECK(count(*driver) == 0);
  driver->wipe_deleted();
  CHECK(std::filesystem::file_size(log) == 0);
  CHECK(count(*driver) == 0);
}

TEST_CASE("SQLite's log that is not yet made is not lost") {
  const TempDatabase database(DatabaseKind::sqlite);
  { const auto driver = open_with_table(database); }
  const auto driver = database.open();
  driver->begin();
  driver->transaction().execute("INSERT INTO t (id, body) VALUES (1, 'first')");
  driver->commit();
  CHECK(count(*driver) == 1);
}

namespace {

std::int64_t number(db::Driver& driver, std::string_view sql) {
  driver.begin();
  const auto found = driver.transaction().query(sql).at(0).integer(0);
  driver.commit();
  return found;
}

void fill_and_empty(db::Driver& driver, std::int64_t rows) {
  driver.begin();
  for (std::int64_t id = 1; id <= rows; ++id) insert(driver, id, std::string(3000, 'x'));
  driver.commit();
  driver.begin();
  driver.transaction().execute("DELETE FROM t");
  driver.commit();
}

}  // namespace

TEST_CASE("A SQLite file that has shrunk gives its room back, a little at a time, but for a reserve (database.hpp)") {
  const TempDatabase database(DatabaseKind::sqlite);
  auto driver = open_with_table(database);
  fill_and_empty(*driver, 5'000);
  std::int64_t pages = number(*driver, "PRAGMA page_count");
  CHECK(pages > 5'000);
  for (bool more = true; more;) {
    driver->begin();
    driver->transaction().give_back_room();
    driver->commit();
    const std::int64_t left = number(*driver, "PRAGMA page_count");
    CHECK(pages - left <= 1'100);
    more = left < pages;
    pages = left;
  }
  CHECK(pages < 1'100);
  driver.reset();
  CHECK(std::filesystem::file_size(database.file()) < 1'100 * 4096);
}

TEST_CASE("A small SQLite file of an earlier release is made to give its room back when it is opened (database.hpp)") {
  const TempDatabase database(DatabaseKind::sqlite);
  auto driver = open_with_table(database);
  insert_and_keep(*driver);
  driver->run_script("PRAGMA auto_vacuum = NONE");
  driver->wipe_deleted();
  CHECK(number(*driver, "PRAGMA auto_vacuum") == 0);
  driver.reset();
  driver = database.open();
  CHECK(number(*driver, "PRAGMA auto_vacuum") == 2);
  CHECK(count(*driver) == 1);
}

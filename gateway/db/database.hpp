// The database: one thread, one closure per transaction, closures that arrive together share a commit.
//
// SQL is written once for both drivers, with $1 $2 …; only store/ contains SQL.
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/suspend.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace wherry::db {

namespace asio = boost::asio;

// NULL, a 64-bit integer, or UTF-8 text.
using Value = std::variant<std::monostate, std::int64_t, std::string>;

class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
  std::int64_t integer(std::size_t column) const { return std::get<std::int64_t>(values_.at(column)); }
  const std::string& text(std::size_t column) const { return std::get<std::string>(values_.at(column)); }
  bool is_null(std::size_t column) const { return std::holds_alternative<std::monostate>(values_.at(column)); }

 private:
  std::vector<Value> values_;
};
using Rows = std::vector<Row>;

// A statement failed by its own fault (constraint, syntax): the transaction is rolled back.
struct StatementFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The database cannot be reached; nothing of the transaction happened, as far as we know.
struct DatabaseLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What a closure works with, on the database thread, for the time of its call.
class Transaction {
 public:
  virtual ~Transaction() = default;

  // `sql` must be a string literal: statements are prepared once and found again by the literal's address.
  // Parameters are bound by position; the views must live only for the call.
  virtual Rows query(std::string_view sql, std::span<const Value> parameters) = 0;
  // As query, for statements whose rows nobody needs: PostgreSQL pipelines them, so a failure may come out of a later
  // statement or the commit.
  virtual void execute(std::string_view sql, std::span<const Value> parameters) = 0;

  // Of the room that deleted rows have left, some goes back to the file system; a reserve stays, for what comes next.
  // Bounded: call it now and then. (PostgreSQL does it by itself: manual §25.1.)
  virtual void give_back_room() {}

  Rows query(std::string_view sql, std::initializer_list<Value> p = {}) {
    return query(sql, std::span(p.begin(), p.size()));
  }
  void execute(std::string_view sql, std::initializer_list<Value> p = {}) {
    execute(sql, std::span(p.begin(), p.size()));
  }
};

// A connection of one driver. Blocking; used on the database thread only.
class Driver {
 public:
  virtual ~Driver() = default;
  virtual void begin() = 0;
  virtual Transaction& transaction() = 0;  // valid between begin and commit or rollback
  virtual void commit() = 0;               // returns once it is on disk
  virtual void rollback() noexcept = 0;
  virtual void run_script(const std::string& sql) = 0;  // several statements, inside a transaction: migrations
  virtual std::string_view dialect() const = 0;         // "sqlite" or "postgres"
  // Between transactions: from now on this is the one wherry on the database, also after a reconnect. Waits for as long
  // as `patience` for an earlier one's session to end: a killed process's goes on with what it was sent, and its
  // commits must come before our first read. (Whoever has SQLite's file open has claimed it.)
  virtual base::Result<void> claim(std::chrono::milliseconds /*patience*/) { return base::ok(); }
  // Between transactions: nothing that was deleted stays readable in the files. Takes as long as copying the database
  // does. (PostgreSQL does it by itself, in its own time: manual §25.1.)
  virtual void wipe_deleted() {}
  // From any thread, for good: whatever waits for a server, now or later, throws DatabaseLost. (A file is not waited
  // for.)
  virtual void abandon() noexcept {}
};

// What a server may take, which could hang rather than die. What is slower counts as lost.
struct DriverLimits {
  std::chrono::milliseconds statement{20'000};  // of one statement, by the server's own clock; from claim() on
  std::chrono::milliseconds answer{30'000};     // longer, so that a server which works says so itself
};

// "sqlite:/path/to/file" or a libpq connection URI ("postgresql://…"). Opens at once; an error says what to do.
base::Result<std::unique_ptr<Driver>> open_driver(const std::string& url, DriverLimits limits = {});

// What a Database does with a lost connection: it retries with back-off for this long, counted from the beginning of
// the first attempt that failed, before it throws DatabaseLost.
struct DatabasePolicy {
  std::chrono::seconds give_up_after{60};
  std::size_t most_in_one_commit = 2048;  // closures
  // A commit costs as much as twenty messages. So under load it waits for more to share it: no longer than this, and
  // not at all while few come (commit_burst at once, after a rest).
  std::chrono::microseconds commit_distance{1000};
  int commit_burst = 16;
};

class GroupRunner;  // worker.hpp

class Database {
 public:
  using Closure = std::function<void(Transaction&)>;

  // `loop`: where results come back. The driver moves to a thread of its own.
  Database(asio::any_io_executor loop, std::unique_ptr<Driver> driver, DatabasePolicy policy = {});
  // As above, with another way to run the groups.
  Database(asio::any_io_executor loop, std::unique_ptr<GroupRunner> runner, DatabasePolicy policy = {});
  ~Database();  // waits for what was begun; what was not yet begun is dropped

  // Whether nothing is to be written at this moment.
  bool is_idle() const;

  // Runs `closure` in a transaction and returns once it is durable, or throws what it threw. A closure may be run again
  // (when its neighbour in the shared commit failed, or the connection was lost before the commit), so it must only
  // write through its Transaction and assign, not append to, what it captured.
  asio::awaitable<void> transact(Closure closure);

  // `told` is called on the loop when something has failed with DatabaseLost, behind the callbacks of all that failed.
  void on_given_up(std::function<void()> told);

  // From now on a transaction that takes longer than `patience` is given up with DatabaseLost, and so is all that comes
  // after it: for the end of the process, which must not wait for a database that is lost or hangs.
  void hurry(std::chrono::milliseconds patience);

  // Waits for the transaction that runs, and closes the database; nobody is called back any more. What was not yet
  // begun is dropped. (An SQLite database is then wholly in its one file.)
  void close();

  using Done = std::function<void(std::exception_ptr)>;
  // As transact, without a coroutine: `done` is called on the loop with what was thrown, or null.
  void submit(Closure closure, Done done);

  // The same work once more, in parts, each with what its own end calls.
  struct Part {
    Closure closure;
    Done done;
  };
  // As submit, for a closure of several parts that need not stand or fall together. Where the database refuses the
  // whole, `parts` is called on the database's thread, and what it gives is done instead: each for itself, in their
  // order, before anything that was submitted later. Then their `done` are called, and not the first one.
  void submit(Closure whole, std::function<std::vector<Part>()> parts, Done done);

  // As transact, for a closure that returns something: any callable of a Transaction&.
  template <class Read>
  asio::awaitable<std::invoke_result_t<Read&, Transaction&>> fetch(Read closure);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

template <class Read>
asio::awaitable<std::invoke_result_t<Read&, Transaction&>> Database::fetch(Read closure) {
  auto result = std::make_shared<std::optional<std::invoke_result_t<Read&, Transaction&>>>();
  Closure run = [result, closure = std::move(closure)](Transaction& t) mutable { result->emplace(closure(t)); };
  co_await transact(std::move(run));
  co_return std::move(**result);
}

}  // namespace wherry::db

// SQLite: one file, one process, a write-ahead log that is on disk before commit() returns.
#include "gateway/db/values.hpp"

#include "gateway/base/files/owner.hpp"
#include "gateway/base/log.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <utility>

namespace wherry::db {

namespace {

// In order: the lock comes first, so that the log never needs shared memory (sqlite.org/wal.html §8) and a second
// process is refused at its first read. What is deleted is overwritten: pages that become free would keep messages for
// ever, and no cost was to be measured (80,000 rows in commits of 20 and removed again: 1.7 s of CPU either way). How a
// file gives pages back is settled before its first page is written; of an older file, VACUUM settles it.
constexpr const char* settings = R"(
  PRAGMA busy_timeout = 1000;
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA cache_size = -1000;
  PRAGMA wal_autocheckpoint = 2000;
  PRAGMA journal_size_limit = 16777216;
  PRAGMA secure_delete = ON;
  BEGIN EXCLUSIVE;
  COMMIT;
)";

// Pages of 4 KiB: so many stay free for what comes next, and so many go back at once, in about 10 ms.
constexpr std::int64_t pages_reserved = 1024;
constexpr char give_back_pages[] = "PRAGMA incremental_vacuum(1024)";
// A file of an earlier release, which gives nothing back, is converted when it is opened, where that takes no time.
constexpr std::int64_t most_bytes_converted = 32 << 20;

// The log keeps what was overwritten until it is begun anew; so old is the oldest that it keeps.
constexpr std::chrono::hours log_kept(1);

struct Close {
  void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Handle = std::unique_ptr<sqlite3, Close>;

struct Statement {
  std::unique_ptr<sqlite3_stmt, Close> handle;
  std::vector<int> indexes;  // of parameter $1, $2 …: SQLite takes $1 as a name
};

// Faults of the file or the machine rather than of a statement: the same statement may succeed later.
bool is_lost(int code) {
  switch (code & 0xFF) {
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_NOMEM:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
    case SQLITE_PERM: return true;
    default: return false;
  }
}

// A file that SQLite has open. Its descriptor outlives its name, and what is written to it then is gone at the
// process's end.
class OpenFile {
 public:
  explicit OpenFile(std::string path) : path_(std::move(path)), identity_(identity()) {}
  void require_same() {
    const Identity now = identity();
    if (identity_ == Identity()) identity_ = now;  // it had not been made yet
    if (now != identity_) throw DatabaseLost("SQLite: the database file " + path_ + " was removed or replaced");
  }

 private:
  using Identity = std::pair<dev_t, ino_t>;  // zeros: there is none
  Identity identity() const {
    struct stat status = {};
    return ::stat(path_.c_str(), &status) == 0 ? Identity{status.st_dev, status.st_ino} : Identity();
  }

  std::string path_;
  Identity identity_;
};

class Sqlite final : public Driver, private Transaction {
 public:
  Sqlite(Handle handle, std::string path)
      : handle_(std::move(handle)),
        file_(std::move(path)),
        log_(sqlite3_filename_wal(sqlite3_db_filename(handle_.get(), "main"))) {}

  void begin() override {
    file_.require_same();
    log_.require_same();
    failed_.clear();
    run("BEGIN", {});
  }
  Transaction& transaction() override { return *this; }
  void commit() override {
    // As PostgreSQL does it: a transaction in which a statement failed cannot be committed.
    if (!failed_.empty()) throw StatementFailed(failed_);
    run("COMMIT", {});
    if (std::chrono::steady_clock::now() - log_begun_ >= log_kept) empty_log();
  }
  void rollback() noexcept override {
    // SQLite itself has rolled back after a full disk or an input/output error (sqlite.org/lang_transaction.html §3.1).
    if (sqlite3_get_autocommit(handle_.get()) == 0) sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  void run_script(const std::string& sql) override {
    const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code, sql);
  }
  std::string_view dialect() const override { return "sqlite"; }
  void wipe_deleted() override {
    run("VACUUM", {});
    empty_log();
  }
  void convert_small() {
    const bool gives_back = number("PRAGMA auto_vacuum") != 0;
    if (gives_back || number("PRAGMA page_count") * number("PRAGMA page_size") > most_bytes_converted) return;
    wipe_deleted();
  }

 private:
  // Brings everything into the file. Where that fails, the log stays as it is, and the next commit finds out.
  void empty_log() noexcept {
    log_begun_ = std::chrono::steady_clock::now();
    sqlite3_exec(handle_.get(), "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr);
  }

  Rows query(std::string_view sql, std::span<const Value> parameters) override { return run(sql, parameters); }
  void execute(std::string_view sql, std::span<const Value> parameters) override { run(sql, parameters); }
  void give_back_room() override {
    if (number("PRAGMA freelist_count") > pages_reserved) run(give_back_pages, {});
  }
  std::int64_t number(std::string_view sql) { return run(sql, {}).at(0).integer(0); }

  Rows run(std::string_view sql, std::span<const Value> parameters);
  Statement& prepared(std::string_view sql);
  void bind(Statement& statement, std::string_view sql, std::span<const Value> parameters);
  Row read_row(sqlite3_stmt* statement) const;
  [[noreturn]] void fail(int code, std::string_view sql);

  Handle handle_;
  OpenFile file_, log_;  // the log keeps its identity for as long as it is open, also where it is emptied
  std::chrono::steady_clock::time_point log_begun_ = std::chrono::steady_clock::now();
  std::unordered_map<Literal, Statement, LiteralHash> statements_;  // before the handle goes
  std::string failed_;                                              // the transaction's first failure
};

Rows Sqlite::run(std::string_view sql, std::span<const Value> parameters) {
  Statement& statement = prepared(sql);
  bind(statement, sql, parameters);
  Rows rows;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement.handle.get())) == SQLITE_ROW) rows.push_back(read_row(statement.handle.get()));
  sqlite3_reset(statement.handle.get());
  if (code != SQLITE_DONE) fail(code, sql);
  return rows;
}

Statement& Sqlite::prepared(std::string_view sql) {
  if (const auto found = statements_.find(literal(sql)); found != statements_.end()) return found->second;
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  Statement statement{std::unique_ptr<sqlite3_stmt, Close>(handle), {}};
  if (code != SQLITE_OK) fail(code, sql);
  for (int i = 1; i <= sqlite3_bind_parameter_count(handle); ++i) {
    statement.indexes.push_back(sqlite3_bind_parameter_index(handle, ("$" + std::to_string(i)).c_str()));
  }
  return statements_.emplace(literal(sql), std::move(statement)).first->second;
}

void Sqlite::bind(Statement& statement, std::string_view sql, std::span<const Value> parameters) {
  try {
    if (parameters.size() != statement.indexes.size()) {
      throw StatementFailed("a statement with " + std::to_string(statement.indexes.size()) + " parameters was given " +
                            std::to_string(parameters.size()) + ": " + std::string(sql.substr(0, 100)));
    }
    require_storable(parameters, sql);
  } catch (const StatementFailed& error) {
    if (failed_.empty()) failed_ = error.what();
    throw;
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const int at = statement.indexes[i];
    int code = SQLITE_OK;
    if (const auto* number = std::get_if<std::int64_t>(&parameters[i])) {
      code = sqlite3_bind_int64(statement.handle.get(), at, *number);
    } else if (const auto* text = std::get_if<std::string>(&parameters[i])) {
      // Not copied: the statement has run and is reset before the parameters end.
      code = sqlite3_bind_text64(statement.handle.get(), at, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    } else {
      code = sqlite3_bind_null(statement.handle.get(), at);
    }
    if (code != SQLITE_OK) fail(code, sql);
  }
}

Row Sqlite::read_row(sqlite3_stmt* statement) const {
  std::vector<Value> values(static_cast<std::size_t>(sqlite3_column_count(statement)));
  for (int i = 0; i < sqlite3_column_count(statement); ++i) {
    Value& value = values[static_cast<std::size_t>(i)];
    switch (sqlite3_column_type(statement, i)) {
      case SQLITE_NULL: break;
      case SQLITE_INTEGER: value = sqlite3_column_int64(statement, i); break;
      default: {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        value = std::string(text ? text : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, i)));
      }
    }
  }
  return Row(std::move(values));
}

void Sqlite::fail(int code, std::string_view sql) {
  std::string text = sqlite3_errmsg(handle_.get());
  if (is_lost(code)) throw DatabaseLost("SQLite: " + text);
  text += ", in: " + std::string(sql.substr(0, 100));
  if (failed_.empty()) failed_ = text;
  throw StatementFailed(text);
}

base::Error cannot_open(const std::string& path, const std::string& why) {
  return {base::Errc::bad_input, "The database file " + path + " cannot be used: " + why};
}

// Messages are in it, so it is its owner's alone; SQLite gives the log beside it the same mode. The file is made here
// but not opened again: closing any descriptor of it would drop the locks that SQLite holds (fcntl(2), F_SETLK).
std::optional<base::Error> make_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) {
    const bool given = base::give_to_owner_of(std::filesystem::path(path).parent_path(), fd);
    const int error = errno;
    ::close(fd);
    if (given) return std::nullopt;
    ::unlink(path.c_str());
    return cannot_open(path, std::string("its folder's owner cannot be given it: ") + std::strerror(error) + ".");
  }
  if (errno != EEXIST) {
    return cannot_open(path, std::string(std::strerror(errno)) +
                                 ". Its folder must exist and belong to the user that wherry runs as.");
  }
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return cannot_open(path, std::strerror(errno));
  if (::access(path.c_str(), R_OK | W_OK) != 0 && errno == EACCES) return cannot_open(path, base::no_permission(path));
  if (!S_ISREG(status.st_mode)) return cannot_open(path, "it is not a regular file.");
  if ((status.st_mode & 077) != 0 && ::chmod(path.c_str(), 0600) != 0) {
    return cannot_open(
        path, "others may read it, and its mode cannot be changed to 0600: " + std::string(std::strerror(errno)));
  }
  return std::nullopt;
}

}  // namespace

base::Result<std::unique_ptr<Driver>> open_sqlite(const std::string& path) {
  if (path.empty() || path.starts_with(':')) {
    return base::Error{base::Errc::bad_input, "The database needs a file: sqlite:/path/to/file."};
  }
  if (auto error = make_private(path)) return std::move(*error);
  sqlite3* raw = nullptr;
  // No mutex: the database thread alone uses the connection.
  int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Handle handle(raw);
  if (code == SQLITE_OK) code = sqlite3_exec(handle.get(), settings, nullptr, nullptr, nullptr);
  if ((code & 0xFF) == SQLITE_BUSY) {
    auto in_use =
        cannot_open(path, "another process has it open. Only one wherry may use it: stop the other one first.");
    in_use.code = base::Errc::unavailable;
    return in_use;
  }
  if ((code & 0xFF) == SQLITE_NOTADB) return cannot_open(path, "it is not an SQLite database.");
  if (code != SQLITE_OK) return cannot_open(path, std::string(sqlite3_errmsg(handle.get())) + ".");
  auto driver = std::make_unique<Sqlite>(std::move(handle), path);
  try {
    driver->convert_small();
  } catch (const std::exception& e) {  // a full disk, say: it works as it is
    log::warn("database.not_converted", {{"file", path}, {"error", e.what()}});
  }
  return std::unique_ptr<Driver>(std::move(driver));
}

}  // namespace wherry::db

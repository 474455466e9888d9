// PostgreSQL through libpq's pipeline mode (PostgreSQL manual §34.5): statements whose rows nobody needs are queued, so
// that a transaction of them costs one round trip.
#include "gateway/base/log.hpp"
#include "gateway/db/values.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <unordered_map>

namespace wherry::db {

namespace {

struct Free {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Connection = std::unique_ptr<PGconn, Free>;
using Result = std::unique_ptr<PGresult, Free>;

// Answers that nobody reads fill the socket's buffer until both sides wait for each other, so they are read in time.
constexpr std::size_t most_queued = 512;

std::string first_line(const char* message) {
  const std::string text = message ? message : "";
  return text.substr(0, text.find('\n'));
}

// Faults of the server or the link rather than of a statement (PostgreSQL manual, Appendix A): the same statement may
// succeed later. 08 connection, 40 rolled back in favour of another, 53 resources, 57P01–03 the server shuts down or
// starts, 58 the server's system, 25006 a standby after a failover, 55P03 and 57014 a lock or time limit of the server's.
bool is_lost(std::string_view state) {
  if (state == "08P01") return false;  // protocol_violation: the wrong number of parameters, too
  return state.starts_with("08") || state.starts_with("40") || state.starts_with("53") || state.starts_with("57P0") ||
         state.starts_with("58") || state == "25006" || state == "55P03" || state == "57014";
}
bool link_survives(std::string_view state) { return state.starts_with("40") || state == "55P03" || state == "57014"; }

class Postgres final : public Driver, private Transaction {
 public:
  Postgres(std::string uri, std::string password) : uri_(std::move(uri)), password_(std::move(password)) {}

  void connect();  // throws DatabaseLost
  // Empty when the database can hold our text.
  std::string encoding_fault() const;

  void begin() override {
    if (!connection_ || PQstatus(connection_.get()) != CONNECTION_OK) connect();
    refused_.clear();
    send("BEGIN", {});
  }
  Transaction& transaction() override { return *this; }
  void commit() override;
  void rollback() noexcept override;
  void run_script(const std::string& sql) override;
  std::string_view dialect() const override { return "postgres"; }
  base::Result<void> claim(std::chrono::milliseconds patience) override;

 private:
  // Prepared once per connection, under a name.
  struct Statement {
    std::string name;
    bool sent = false;
  };
  // What an answer will come for, in this order.
  struct Queued {
    Statement* preparing;  // null: an execution
    std::string_view sql;
  };

  Rows query(std::string_view sql, std::span<const Value> parameters) override;
  void execute(std::string_view sql, std::span<const Value> parameters) override {
    send(sql, parameters);
    if (queued_.size() >= most_queued) collect();
  }

  void send(std::string_view sql, std::span<const Value> parameters);
  Result collect();
  void flush();
  void take_claim();
  std::string take_failure(const PGresult* result, std::string_view sql, std::string& state) const;
  void throw_failure(const std::string& text, const std::string& state);
  [[noreturn]] void lost(const char* message);
  std::string redacted(std::string text) const;

  std::string uri_;
  std::string password_;
  Connection connection_;
  std::unordered_map<Literal, Statement, LiteralHash> statements_;
  std::vector<Queued> queued_;
  std::optional<std::chrono::milliseconds> claim_patience_;  // of a claimed database
  std::string refused_;  // why a statement of this transaction did not even reach the server; empty: none
  // Of send(), kept for their capacity.
  std::vector<const char*> texts_;
  std::vector<std::array<char, 24>> numbers_;
};

void Postgres::connect() {
  connection_.reset();
  queued_.clear();
  for (auto& [key, statement] : statements_) statement.sent = false;
  // Before `dbname` the URI may overrule, after it not. A dead link must be noticed in half a minute, not in hours.
  const std::array keywords{"fallback_application_name", "connect_timeout", "keepalives_idle", "keepalives_interval",
                            "keepalives_count", "tcp_user_timeout", "dbname", "client_encoding", static_cast<const char*>(nullptr)};
  const std::array values{"wherry", "5", "15", "5", "3", "30000", uri_.c_str(), "UTF8", static_cast<const char*>(nullptr)};
  connection_.reset(PQconnectdbParams(keywords.data(), values.data(), 1));
  if (!connection_) throw DatabaseLost("PostgreSQL: out of memory");
  if (PQstatus(connection_.get()) != CONNECTION_OK) lost(PQerrorMessage(connection_.get()));
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char* text) { log::debug("database.noticed", {{"text", first_line(text)}}); }, nullptr);
  if (PQsetnonblocking(connection_.get(), 1) != 0 || PQenterPipelineMode(connection_.get()) != 1) {
    lost(PQerrorMessage(connection_.get()));
  }
  if (claim_patience_) take_claim();
}

base::Result<void> Postgres::claim(std::chrono::milliseconds patience) {
  claim_patience_ = patience;
  try {
    take_claim();
  } catch (const std::runtime_error& error) {
    return base::Error{base::Errc::unavailable, std::string("Only one wherry may use a database: stop the other one first. ") + error.what()};
  }
  return base::ok();
}

// A lock of the session's, given back by the server when the session has ended. The server must notice in seconds, not in
// hours, that a session's machine has vanished. The second number: databases may hold one wherry in each schema.
void Postgres::take_claim() {
  try {
    run_script("SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET lock_timeout = " +
               std::to_string(claim_patience_->count()) +
               "; SELECT pg_advisory_lock(2003330418, hashtext(current_schema())); SET lock_timeout = DEFAULT");
  } catch (const std::runtime_error&) {
    connection_.reset();
    throw;
  }
}

std::string Postgres::encoding_fault() const {
  const char* encoding = PQparameterStatus(connection_.get(), "server_encoding");
  if (encoding && std::string_view(encoding) == "UTF8") return {};
  return "The PostgreSQL database has the encoding " + std::string(encoding ? encoding : "unknown") +
         "; create it anew with ENCODING 'UTF8' TEMPLATE template0.";
}

void Postgres::send(std::string_view sql, std::span<const Value> parameters) {
  if (!connection_) throw DatabaseLost("PostgreSQL: there is no connection");
  try {
    require_storable(parameters, sql);
  } catch (const StatementFailed& error) {
    if (refused_.empty()) refused_ = error.what();
    throw;
  }
  const auto [found, is_new] = statements_.try_emplace(literal(sql));
  Statement& statement = found->second;
  if (is_new) statement.name = "s" + std::to_string(statements_.size());
  if (!statement.sent) {
    if (PQsendPrepare(connection_.get(), statement.name.c_str(), std::string(sql).c_str(), 0, nullptr) != 1) {
      lost(PQerrorMessage(connection_.get()));
    }
    statement.sent = true;
    queued_.push_back({&statement, sql});
  }
  // As text, and the server takes each parameter's type from the statement.
  texts_.assign(parameters.size(), nullptr);
  numbers_.resize(std::max(numbers_.size(), parameters.size()));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (const auto* text = std::get_if<std::string>(&parameters[i])) {
      texts_[i] = text->c_str();
    } else if (const auto* number = std::get_if<std::int64_t>(&parameters[i])) {
      auto& digits = numbers_[i];
      *std::to_chars(digits.data(), digits.data() + digits.size() - 1, *number).ptr = '\0';
      texts_[i] = digits.data();
    }
  }
  if (PQsendQueryPrepared(connection_.get(), statement.name.c_str(), static_cast<int>(parameters.size()), texts_.data(), nullptr,
                          nullptr, 0) != 1) {
    lost(PQerrorMessage(connection_.get()));
  }
  queued_.push_back({nullptr, sql});
}

// Sends everything off without waiting on a full socket alone: the server may be waiting for us to read.
void Postgres::flush() {
  for (;;) {
    const int rest = PQflush(connection_.get());
    if (rest == 0) return;
    if (rest < 0) lost(PQerrorMessage(connection_.get()));
    pollfd socket{PQsocket(connection_.get()), POLLIN | POLLOUT, 0};
    if (::poll(&socket, 1, -1) < 0 && errno != EINTR) lost("poll failed");
    if ((socket.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && PQconsumeInput(connection_.get()) != 1) {
      lost(PQerrorMessage(connection_.get()));
    }
  }
}

// Reads the answers to everything queued. Returns the last statement's; throws for the first that failed.
Result Postgres::collect() {
  if (!connection_) throw DatabaseLost("PostgreSQL: there is no connection");
  if (PQpipelineSync(connection_.get()) != 1) lost(PQerrorMessage(connection_.get()));
  flush();
  Result last;
  std::string failure, state;
  for (const Queued& queued : queued_) {
    Result result(PQgetResult(connection_.get()));
    if (!result) lost(PQerrorMessage(connection_.get()));
    switch (PQresultStatus(result.get())) {
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
        if (!queued.preparing) last = std::move(result);
        break;
      case PGRES_PIPELINE_ABORTED:  // follows a failure; was not run
        if (queued.preparing) queued.preparing->sent = false;
        break;
      default:
        if (queued.preparing) queued.preparing->sent = false;
        if (failure.empty()) failure = take_failure(result.get(), queued.sql, state);
    }
    while (Result more{PQgetResult(connection_.get())}) {  // the null that ends a statement's answers
      if (PQstatus(connection_.get()) != CONNECTION_OK) lost(PQresultErrorMessage(more.get()));
    }
    if (PQstatus(connection_.get()) != CONNECTION_OK) lost(failure.empty() ? PQerrorMessage(connection_.get()) : failure.c_str());
  }
  queued_.clear();
  const Result sync(PQgetResult(connection_.get()));
  if (!sync || PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) {
    lost(PQstatus(connection_.get()) == CONNECTION_OK ? "the pipeline lost its step" : PQerrorMessage(connection_.get()));
  }
  if (!failure.empty()) throw_failure(failure, state);
  return last;
}

// The primary message only: the detail quotes the row, which is nobody's business in a log.
std::string Postgres::take_failure(const PGresult* result, std::string_view sql, std::string& state) const {
  const char* code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  state = code ? code : "";
  return redacted(first_line(primary ? primary : PQresultErrorMessage(result))) + " (" + state + "), in: " + std::string(sql.substr(0, 100));
}

void Postgres::throw_failure(const std::string& text, const std::string& state) {
  if (!is_lost(state)) throw StatementFailed(text);
  if (!link_survives(state)) connection_.reset();
  throw DatabaseLost("PostgreSQL: " + text);
}

void Postgres::lost(const char* message) {
  const std::string text = redacted(first_line(message));
  connection_.reset();
  queued_.clear();
  throw DatabaseLost("PostgreSQL: " + (text.empty() ? "the connection was lost" : text));
}

std::string Postgres::redacted(std::string text) const {
  if (password_.empty()) return text;
  constexpr std::string_view shown = "***";
  for (std::size_t at = 0; (at = text.find(password_, at)) != std::string::npos; at += shown.size()) text.replace(at, password_.size(), shown);
  return text;
}

Rows Postgres::query(std::string_view sql, std::span<const Value> parameters) {
  send(sql, parameters);
  const Result result = collect();
  const int columns = PQnfields(result.get());
  Rows rows;
  rows.reserve(static_cast<std::size_t>(PQntuples(result.get())));
  for (int r = 0; r < PQntuples(result.get()); ++r) {
    std::vector<Value> values(static_cast<std::size_t>(columns));
    for (int c = 0; c < columns; ++c) {
      if (PQgetisnull(result.get(), r, c)) continue;
      const std::string_view text(PQgetvalue(result.get(), r, c), static_cast<std::size_t>(PQgetlength(result.get(), r, c)));
      Value& value = values[static_cast<std::size_t>(c)];
      switch (PQftype(result.get(), c)) {
        case 20:    // int8: pg_type.dat
        case 21:    // int2
        case 23: {  // int4
          std::int64_t number = 0;
          std::from_chars(text.data(), text.data() + text.size(), number);
          value = number;
          break;
        }
        default: value = std::string(text);
      }
    }
    rows.emplace_back(std::move(values));
  }
  return rows;
}

void Postgres::commit() {
  if (!refused_.empty()) throw StatementFailed(refused_);
  send("COMMIT", {});
  const Result result = collect();
  // COMMIT of a transaction in which a statement failed succeeds, and is a rollback.
  if (std::string_view(PQcmdStatus(result.get())) != "COMMIT") throw StatementFailed("a statement of the transaction had failed");
}

void Postgres::rollback() noexcept {
  try {
    if (!connection_) return;
    try {
      collect();
    } catch (const StatementFailed&) {
      // known already: it is why we are here
    }
    if (PQtransactionStatus(connection_.get()) == PQTRANS_IDLE) return;
    send("ROLLBACK", {});
    collect();
  } catch (const std::exception&) {
    connection_.reset();  // and with it the transaction
    queued_.clear();
  }
}

void Postgres::run_script(const std::string& sql) {
  collect();
  // Several statements in one text are the simple protocol's, which a pipeline excludes.
  if (PQexitPipelineMode(connection_.get()) != 1) lost(PQerrorMessage(connection_.get()));
  const Result result(PQexec(connection_.get(), sql.c_str()));
  if (PQenterPipelineMode(connection_.get()) != 1) lost(PQerrorMessage(connection_.get()));
  const auto status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
  std::string state;
  const std::string text = take_failure(result.get(), sql, state);
  throw_failure(text, state);
}

}  // namespace

base::Result<std::unique_ptr<Driver>> open_postgres(const std::string& uri) {
  const std::unique_ptr<PQconninfoOption, Free> options(PQconninfoParse(uri.c_str(), nullptr));
  if (!options) {
    // libpq's own text quotes the URI, password and all.
    return base::Error{base::Errc::bad_input,
                       "The database's URI cannot be read: it must be like postgresql://user:password@host:5432/name, with "
                       "special characters of the password as %XX."};
  }
  std::string password;
  for (const PQconninfoOption* option = options.get(); option->keyword; ++option) {
    if (std::string_view(option->keyword) == "password" && option->val) password = option->val;
  }
  auto driver = std::make_unique<Postgres>(uri, std::move(password));
  try {
    driver->connect();
  } catch (const DatabaseLost& error) {
    return base::Error{base::Errc::unavailable, std::string("The database cannot be opened. ") + error.what()};
  }
  if (std::string fault = driver->encoding_fault(); !fault.empty()) return base::Error{base::Errc::bad_input, std::move(fault)};
  return std::unique_ptr<Driver>(std::move(driver));
}

}  // namespace wherry::db

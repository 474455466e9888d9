// PostgreSQL through libpq's pipeline mode (PostgreSQL manual §34.5): statements whose rows nobody needs are queued, so
// that a transaction of them costs one round trip.
#include "gateway/db/postgres_link.hpp"
#include "gateway/db/postgres_uri.hpp"
#include "gateway/db/values.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <unordered_map>

namespace wherry::db {

namespace {

// Answers that nobody reads fill the socket's buffer until both sides wait for each other, so they are read in time.
constexpr std::size_t most_queued = 512;

// What a migration may take; for everything else there are DriverLimits.
constexpr std::chrono::hours migration_limit(1);

// Faults of the server or the link rather than of a statement (PostgreSQL manual, Appendix A): the same statement may
// succeed later. 08 connection, 40 rolled back in favour of another, 53 resources, 57P01–03 the server shuts down or
// starts, 58 the server's system, 25006 a standby after a failover, 55P03 and 57014 a lock or time limit of the
// server's.
bool is_lost(std::string_view state) {
  if (state == "08P01") return false;  // protocol_violation: the wrong number of parameters, too
  return state.starts_with("08") || state.starts_with("40") || state.starts_with("53") || state.starts_with("57P0") ||
         state.starts_with("58") || state == "25006" || state == "55P03" || state == "57014";
}
bool link_survives(std::string_view state) { return state.starts_with("40") || state == "55P03" || state == "57014"; }

class Postgres final : public Driver, private Transaction {
 public:
  Postgres(std::string uri, std::string password, DriverLimits limits)
      : link_(std::move(uri), std::move(password), limits.answer), limits_(limits) {}

  void connect();  // throws DatabaseLost
  // Empty when the database can hold our text.
  std::string encoding_fault() const;

  void begin() override {
    if (!link_.is_up()) connect();
    refused_.clear();
    send("BEGIN", {});
  }
  Transaction& transaction() override { return *this; }
  void commit() override;
  void rollback() noexcept override;
  void run_script(const std::string& sql) override;
  std::string_view dialect() const override { return "postgres"; }
  base::Result<void> claim(std::chrono::milliseconds patience) override;
  void abandon() noexcept override { link_.abandon(); }

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
  PostgresResult collect();
  void run_text(const std::string& sql, std::chrono::milliseconds limit);
  void take_claim();
  std::string take_failure(const PGresult* result, std::string_view sql, std::string& state) const;
  void throw_failure(const std::string& text, const std::string& state);

  PostgresLink link_;
  DriverLimits limits_;
  std::unordered_map<Literal, Statement, LiteralHash> statements_;
  std::vector<Queued> queued_;
  std::optional<std::chrono::milliseconds> claim_patience_;  // of a claimed database
  std::string refused_;  // why a statement of this transaction did not even reach the server; empty: none
  // Of send(), kept for their capacity.
  std::vector<const char*> texts_;
  std::vector<std::array<char, 24>> numbers_;
};

void Postgres::connect() {
  queued_.clear();
  for (auto& [key, statement] : statements_) statement.sent = false;
  link_.connect();
  if (claim_patience_) take_claim();
}

base::Result<void> Postgres::claim(std::chrono::milliseconds patience) {
  claim_patience_ = patience;
  try {
    take_claim();
  } catch (const std::runtime_error& error) {
    return base::Error{base::Errc::unavailable,
                       std::string("Only one wherry may use a database: stop the other one first. ") + error.what()};
  }
  return base::ok();
}

// A lock of the session's, given back by the server when the session has ended. The server must notice in seconds, not
// in hours, that a session's machine has vanished. The second number: databases may hold one wherry in each schema.
void Postgres::take_claim() {
  try {
    run_text(
        "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET lock_timeout "
        "= " +
            std::to_string(claim_patience_->count()) +
            "; SELECT pg_advisory_lock(2003330418, hashtext(current_schema())); SET lock_timeout = DEFAULT; SET "
            "statement_timeout = " +
            std::to_string(limits_.statement.count()),
        *claim_patience_ + limits_.answer);
  } catch (const std::runtime_error&) {
    link_.drop();
    throw;
  }
}

std::string Postgres::encoding_fault() const {
  const char* encoding = PQparameterStatus(link_.get(), "server_encoding");
  if (encoding && std::string_view(encoding) == "UTF8") return {};
  return "The PostgreSQL database has the encoding " + std::string(encoding ? encoding : "unknown") +
         "; create it anew with ENCODING 'UTF8' TEMPLATE template0.";
}

void Postgres::send(std::string_view sql, std::span<const Value> parameters) {
  PGconn* const connection = link_.get();
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
    if (PQsendPrepare(connection, statement.name.c_str(), std::string(sql).c_str(), 0, nullptr) != 1) {
      link_.lost(PQerrorMessage(connection));
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
  if (PQsendQueryPrepared(connection, statement.name.c_str(), static_cast<int>(parameters.size()), texts_.data(),
                          nullptr, nullptr, 0) != 1) {
    link_.lost(PQerrorMessage(connection));
  }
  queued_.push_back({nullptr, sql});
}

// Reads the answers to everything queued. Returns the last statement's; throws for the first that failed.
PostgresResult Postgres::collect() {
  PGconn* const connection = link_.get();
  if (PQpipelineSync(connection) != 1) link_.lost(PQerrorMessage(connection));
  link_.flush();
  PostgresResult last;
  std::string failure, state;
  for (const Queued& queued : queued_) {
    PostgresResult result = link_.next_result();
    if (!result) link_.lost(PQerrorMessage(connection));
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
    while (const PostgresResult more = link_.next_result()) {  // the null that ends a statement's answers
      if (PQstatus(connection) != CONNECTION_OK) link_.lost(PQresultErrorMessage(more.get()));
    }
    if (PQstatus(connection) != CONNECTION_OK)
      link_.lost(failure.empty() ? PQerrorMessage(connection) : failure.c_str());
  }
  queued_.clear();
  const PostgresResult sync = link_.next_result();
  if (!sync || PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) {
    link_.lost(PQstatus(connection) == CONNECTION_OK ? "the pipeline lost its step" : PQerrorMessage(connection));
  }
  if (!failure.empty()) throw_failure(failure, state);
  return last;
}

// The primary message only: the detail quotes the row, which is nobody's business in a log.
std::string Postgres::take_failure(const PGresult* result, std::string_view sql, std::string& state) const {
  const char* code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  state = code ? code : "";
  return link_.redacted(first_line(primary ? primary : PQresultErrorMessage(result))) + " (" + state +
         "), in: " + std::string(sql.substr(0, 100));
}

void Postgres::throw_failure(const std::string& text, const std::string& state) {
  if (!is_lost(state)) throw StatementFailed(text);
  if (!link_survives(state)) link_.drop();
  throw DatabaseLost("PostgreSQL: " + text);
}

Rows Postgres::query(std::string_view sql, std::span<const Value> parameters) {
  send(sql, parameters);
  const PostgresResult result = collect();
  const int columns = PQnfields(result.get());
  Rows rows;
  rows.reserve(static_cast<std::size_t>(PQntuples(result.get())));
  for (int r = 0; r < PQntuples(result.get()); ++r) {
    std::vector<Value> values(static_cast<std::size_t>(columns));
    for (int c = 0; c < columns; ++c) {
      if (PQgetisnull(result.get(), r, c)) continue;
      const std::string_view text(PQgetvalue(result.get(), r, c),
                                  static_cast<std::size_t>(PQgetlength(result.get(), r, c)));
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
  const PostgresResult result = collect();
  // COMMIT of a transaction in which a statement failed succeeds, and is a rollback.
  if (std::string_view(PQcmdStatus(result.get())) != "COMMIT")
    throw StatementFailed("a statement of the transaction had failed");
}

void Postgres::rollback() noexcept {
  try {
    if (!link_.is_up()) return queued_.clear();
    try {
      collect();
    } catch (const StatementFailed&) {
      // known already: it is why we are here
    }
    if (PQtransactionStatus(link_.get()) == PQTRANS_IDLE) return;
    send("ROLLBACK", {});
    collect();
  } catch (const std::exception&) {
    link_.drop();  // and with it the transaction
    queued_.clear();
  }
}

// A migration takes as long as it takes, but does not wait for somebody's lock.
void Postgres::run_script(const std::string& sql) {
  run_text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = " + std::to_string(limits_.statement.count()) +
               "; " + sql,
           migration_limit);
}

void Postgres::run_text(const std::string& sql, std::chrono::milliseconds limit) {
  collect();
  const PostgresResult result = link_.run_text(sql, limit);
  const auto status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
  std::string state;
  const std::string text = take_failure(result.get(), sql, state);
  throw_failure(text, state);
}

}  // namespace

base::Result<std::unique_ptr<Driver>> open_postgres(const std::string& uri, DriverLimits limits) {
  auto read = read_postgres_uri(uri);
  if (!read) return read.error();
  auto driver = std::make_unique<Postgres>(uri, std::move(read->password), limits);
  try {
    driver->connect();
  } catch (const DatabaseLost& error) {
    return base::Error{base::Errc::unavailable, std::string("The database cannot be opened. ") + error.what()};
  }
  if (std::string fault = driver->encoding_fault(); !fault.empty())
    return base::Error{base::Errc::bad_input, std::move(fault)};
  return std::unique_ptr<Driver>(std::move(driver));
}

}  // namespace wherry::db

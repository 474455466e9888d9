// A connection to PostgreSQL through libpq on which nothing waits without a limit (PostgreSQL manual §34.4, §34.5).
//
// Everything that waits throws DatabaseLost once the server has been silent for the limit, or at once after abandon().
#pragma once

#include "gateway/db/database.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <string>

namespace wherry::db {

struct FreePostgres {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using PostgresResult = std::unique_ptr<PGresult, FreePostgres>;

std::string first_line(const char* message);

class PostgresLink {
 public:
  // `password` is that of the URI: no message shows it. `answer_limit`: how long the server may be silent when asked.
  PostgresLink(std::string uri, std::string password, std::chrono::milliseconds answer_limit);
  ~PostgresLink();
  PostgresLink(const PostgresLink&) = delete;
  PostgresLink& operator=(const PostgresLink&) = delete;

  void connect();  // anew, in pipeline mode
  bool is_up() const { return connection_ && PQstatus(connection_.get()) == CONNECTION_OK; }
  void drop() noexcept { connection_.reset(); }
  PGconn* get() const;  // throws DatabaseLost where there is none

  // Sends off what is queued, and reads meanwhile: the server may be waiting for that.
  void flush();
  // The next answer of the pipeline; null ends those of a statement.
  PostgresResult next_result();
  // Several statements in one text, by the simple protocol; no answer may be outstanding. Returns the last answer.
  PostgresResult run_text(const std::string& sql, std::chrono::milliseconds answer_limit);

  // From any thread, for good: every wait ends with DatabaseLost, the present one, too.
  void abandon() noexcept;

  [[noreturn]] void lost(const char* message);
  std::string redacted(std::string text) const;

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  void wait(short events, Deadline deadline);
  void flush(Deadline deadline);
  PostgresResult next_result(Deadline deadline);
  Deadline deadline() const { return std::chrono::steady_clock::now() + answer_limit_; }

  std::string uri_;
  std::string password_;
  std::chrono::milliseconds answer_limit_;
  int abandoned_ = -1;  // an eventfd, readable from abandon() on
  std::unique_ptr<PGconn, FreePostgres> connection_;
};

}  // namespace wherry::db

#include "gateway/db/postgres_link.hpp"

#include "gateway/base/log.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace wherry::db {

std::string first_line(const char* message) {
  const std::string text = message ? message : "";
  return text.substr(0, text.find('\n'));
}

PostgresLink::PostgresLink(std::string uri, std::string password, std::chrono::milliseconds answer_limit)
    : uri_(std::move(uri)),
      password_(std::move(password)),
      answer_limit_(answer_limit),
      abandoned_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (abandoned_ < 0) throw DatabaseLost("PostgreSQL: no descriptor is left");
}

PostgresLink::~PostgresLink() { ::close(abandoned_); }

void PostgresLink::abandon() noexcept { ::eventfd_write(abandoned_, 1); }

PGconn* PostgresLink::get() const {
  if (!connection_) throw DatabaseLost("PostgreSQL: there is no connection");
  return connection_.get();
}

void PostgresLink::connect() {
  connection_.reset();
  pollfd abandoned{abandoned_, POLLIN, 0};
  if (::poll(&abandoned, 1, 0) > 0) lost("given up");
  // Before `dbname` the URI may overrule, after it not. A dead link must be noticed in half a minute, not in hours.
  const std::array keywords{"fallback_application_name",
                            "connect_timeout",
                            "keepalives_idle",
                            "keepalives_interval",
                            "keepalives_count",
                            "tcp_user_timeout",
                            "dbname",
                            "client_encoding",
                            static_cast<const char*>(nullptr)};
  const std::array values{
      "wherry", "5", "15", "5", "3", "30000", uri_.c_str(), "UTF8", static_cast<const char*>(nullptr)};
  connection_.reset(PQconnectdbParams(keywords.data(), values.data(), 1));
  if (!connection_) throw DatabaseLost("PostgreSQL: out of memory");
  if (!is_up()) lost(PQerrorMessage(get()));
  const auto noticed = [](void*, const char* text) { log::debug("database.noticed", {{"text", first_line(text)}}); };
  PQsetNoticeProcessor(get(), noticed, nullptr);
  if (PQsetnonblocking(get(), 1) != 0 || PQenterPipelineMode(get()) != 1) lost(PQerrorMessage(get()));
}

// A kernel answers for a server that hangs, so that keep-alives prove nothing: the clock decides.
void PostgresLink::wait(short events, Deadline deadline) {
  std::array<pollfd, 2> watched{pollfd{PQsocket(get()), events, 0}, pollfd{abandoned_, POLLIN, 0}};
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  const int ready = ::poll(watched.data(), watched.size(), left > 0 ? static_cast<int>(left) : 0);
  if (ready < 0 && errno != EINTR) lost("poll failed");
  if (watched[1].revents != 0) lost("given up");
  if (ready == 0 && left <= 0) lost("the server is there, but has not answered for too long");
}

void PostgresLink::flush() { flush(deadline()); }

void PostgresLink::flush(Deadline deadline) {
  for (;;) {
    const int rest = PQflush(get());
    if (rest == 0) return;
    if (rest < 0) lost(PQerrorMessage(get()));
    wait(POLLIN | POLLOUT, deadline);
    if (PQconsumeInput(get()) != 1) lost(PQerrorMessage(get()));
  }
}

PostgresResult PostgresLink::next_result() { return next_result(deadline()); }

PostgresResult PostgresLink::next_result(Deadline deadline) {
  while (PQisBusy(get()) != 0) {
    wait(POLLIN, deadline);
    if (PQconsumeInput(get()) != 1) lost(PQerrorMessage(get()));
  }
  return PostgresResult(PQgetResult(get()));
}

PostgresResult PostgresLink::run_text(const std::string& sql, std::chrono::milliseconds answer_limit) {
  const Deadline deadline = std::chrono::steady_clock::now() + answer_limit;
  // The simple protocol excludes a pipeline.
  if (PQexitPipelineMode(get()) != 1 || PQsendQuery(get(), sql.c_str()) != 1) lost(PQerrorMessage(get()));
  flush(deadline);
  PostgresResult last;
  while (PostgresResult next = next_result(deadline)) last = std::move(next);
  if (!last || !is_up() || PQenterPipelineMode(get()) != 1)
    lost(last ? PQresultErrorMessage(last.get()) : PQerrorMessage(get()));
  return last;
}

void PostgresLink::lost(const char* message) {
  const std::string text = redacted(first_line(message));
  drop();
  throw DatabaseLost("PostgreSQL: " + (text.empty() ? "the connection was lost" : text));
}

std::string PostgresLink::redacted(std::string text) const {
  if (password_.empty()) return text;
  constexpr std::string_view shown = "***";
  for (std::size_t at = 0; (at = text.find(password_, at)) != std::string::npos; at += shown.size())
    text.replace(at, password_.size(), shown);
  return text;
}

}  // namespace wherry::db

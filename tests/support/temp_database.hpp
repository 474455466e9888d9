// Real databases for tests, in temporary folders: an SQLite file, and a PostgreSQL server of the test program's own.
#pragma once

#include "gateway/db/database.hpp"

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace wherry::tests {

class TempFolder {
 public:
  TempFolder() {
    std::string form = (std::filesystem::temp_directory_path() / "wherry-test-XXXXXX").string();
    if (!::mkdtemp(form.data())) throw std::runtime_error("no temporary folder can be made");
    path_ = form;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A PostgreSQL server on a Unix socket in a folder of its own, so that no port can be taken. Its default collation is
// a language's, as on most servers: what relies on bytewise order must ask for it. Flushing is off; kill() ends
// processes, not the machine, so what was committed is still there.
class PostgresServer {
 public:
  PostgresServer() {
    bin_ = find_bin();
    if (::geteuid() == 0) {
      // PostgreSQL refuses to run as root.
      const passwd* user = ::getpwnam("postgres");
      if (!user)
        throw std::runtime_error("as root, the tests need the user `postgres` that the package postgresql makes");
      uid_ = user->pw_uid;
      gid_ = user->pw_gid;
      if (::chown(folder_.path().c_str(), *uid_, *gid_) != 0) throw std::runtime_error("chown failed");
    }
    const pid_t initdb =
        spawn({bin_ / "initdb", "--pgdata", data(), "--username", "wherry", "--auth", "trust", "--no-sync",
               "--encoding", "UTF8", "--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en-US"});
    if (wait_for(initdb) != 0) throw std::runtime_error("initdb failed:\n" + log());
    start();
  }
  ~PostgresServer() { end(SIGQUIT); }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  void start() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (;;) {
      if (!pid_) {
        pid_ = spawn({bin_ / "postgres", "-D", data(), "-k", folder_.path(), "-c", "listen_addresses=", "-c",
                      "fsync=off", "-c", "max_connections=20", "-c", "shared_buffers=16MB"});
      }
      if (PQping(url("postgres").c_str()) == PQPING_OK) return;
      // After a kill -9 the dead server's children hold its memory for a moment, and the new one gives up.
      if (::waitpid(*pid_, nullptr, WNOHANG) == *pid_) pid_.reset();
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("PostgreSQL did not start:\n" + log());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  // kill -9: no farewell to the clients, no checkpoint.
  void kill() { end(SIGKILL); }

  std::string url(const std::string& database) const {
    return "postgresql://wherry@/" + database + "?host=" + folder_.path().string();
  }
  // A new, empty database.
  std::string new_database() {
    const std::string name = "t" + std::to_string(++databases_);
    PGconn* connection = PQconnectdb(url("postgres").c_str());
    PGresult* made = PQexec(connection, ("CREATE DATABASE " + name).c_str());
    const bool good = PQresultStatus(made) == PGRES_COMMAND_OK;
    const std::string error = PQerrorMessage(connection);
    PQclear(made);
    PQfinish(connection);
    if (!good) throw std::runtime_error("CREATE DATABASE failed: " + error);
    return url(name);
  }
  // What pg_dump writes of a database.
  std::string dump(const std::string& database_url) const {
    const std::string file = (folder_.path() / "dump.sql").string();
    if (wait_for(spawn({bin_ / "pg_dump", "--file", file, database_url})) != 0)
      throw std::runtime_error("pg_dump failed:\n" + log());
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

 private:
  std::string data() const { return (folder_.path() / "data").string(); }
  std::string log() const {
    std::ostringstream text;
    text << std::ifstream(folder_.path() / "log").rdbuf();
    return text.str();
  }

  static std::filesystem::path find_bin() {
    std::vector<std::filesystem::path> found;
    std::error_code failure;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", failure)) {
      if (std::filesystem::exists(version.path() / "bin/initdb")) found.push_back(version.path() / "bin");
    }
    if (found.empty()) throw std::runtime_error("the tests need PostgreSQL's programs: apt install postgresql");
    return *std::max_element(found.begin(), found.end());
  }

  pid_t spawn(const std::vector<std::string>& command) const {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const std::string log_path = (folder_.path() / "log").string();
    const std::string home = folder_.path().string();
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork failed");
    if (child > 0) return child;
    // From here to exec only what is safe after a fork.
    const bool changed = !uid_ || (::setgroups(0, nullptr) == 0 && ::setgid(*gid_) == 0 && ::setuid(*uid_) == 0);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // a test program that crashes leaves no server behind
    if (!changed || ::getppid() != parent || ::chdir(home.c_str()) != 0) ::_exit(126);
    const int output = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(output, 1);
    ::dup2(output, 2);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  static int wait_for(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
  }
  void end(int signal) {
    if (!pid_) return;
    ::kill(*pid_, signal);
    wait_for(*pid_);
    pid_.reset();
  }

  TempFolder folder_;
  std::filesystem::path bin_;
  std::optional<uid_t> uid_;
  std::optional<gid_t> gid_;
  std::optional<pid_t> pid_;
  int databases_ = 0;
};

// The test program's server: started when first asked for, stopped at the program's end.
inline PostgresServer& postgres_server() {
  static PostgresServer server;
  return server;
}

// An empty database of each kind in turn: `for (const auto kind : every_database) { TempDatabase database(kind); … }`.
enum class DatabaseKind { sqlite, postgres };
inline constexpr DatabaseKind every_database[] = {DatabaseKind::sqlite, DatabaseKind::postgres};

class TempDatabase {
 public:
  explicit TempDatabase(DatabaseKind kind) : kind_(kind) {
    url_ = kind == DatabaseKind::sqlite ? "sqlite:" + file().string() : postgres_server().new_database();
  }
  const std::string& url() const { return url_; }
  DatabaseKind kind() const { return kind_; }
  std::filesystem::path file() const { return folder_.path() / "wherry.sqlite"; }  // of DatabaseKind::sqlite
  std::unique_ptr<db::Driver> open(db::DriverLimits limits = {}) const {
    auto driver = db::open_driver(url_, limits);
    if (!driver) throw std::runtime_error(driver.error().text);
    return std::move(*driver);
  }

 private:
  DatabaseKind kind_;
  TempFolder folder_;
  std::string url_;
};

inline std::string name_of(DatabaseKind kind) { return kind == DatabaseKind::sqlite ? "SQLite" : "PostgreSQL"; }

}  // namespace wherry::tests

#include "gateway/net/line_process.hpp"

#include "gateway/base/within.hpp"
#include "tests/support/run.hpp"

#include <doctest/doctest.h>

#include <unistd.h>
#include <csignal>
#include <fstream>

using namespace wherry;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using net::LineProcess;

namespace {

std::unique_ptr<LineProcess> start(asio::io_context& loop, std::vector<std::string> command,
                                   std::vector<std::string> environment = {}, std::size_t most_line_bytes = 1000) {
  return LineProcess::start(loop.get_executor(), std::move(command), std::move(environment), most_line_bytes).value();
}

std::unique_ptr<LineProcess> shell(asio::io_context& loop, std::string script,
                                   std::vector<std::string> environment = {}) {
  return start(loop, {"sh", "-c", std::move(script)}, std::move(environment));
}

bool is_running(int pid) {
  return ::kill(pid, 0) == 0;
}

// A process that is nobody's any more may be a zombie of its new parent for a while, and that is as dead.
bool is_dead(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  return text.empty() || text.find(") Z ") != std::string::npos || text.find(") X ") != std::string::npos;
}

asio::awaitable<void> echo_lines(LineProcess& process, int count) {
  for (int i = 0; i < count; ++i) process.write_line("line " + std::to_string(i));
  for (int i = 0; i < count; ++i) CHECK(co_await process.read_line() == "line " + std::to_string(i));
  CHECK(process.taken() == process.appended());
  CHECK(co_await process.stop(20s) == 0);
  CHECK(co_await process.read_line() == std::nullopt);
}

asio::awaitable<void> read_all(LineProcess& process, std::vector<std::string>& lines) {
  for (auto line = co_await process.read_line(); line; line = co_await process.read_line()) {
    lines.push_back(std::move(*line));
  }
}

asio::awaitable<void> stop(LineProcess& process, std::chrono::milliseconds grace, int& code) {
  code = co_await process.stop(grace);
}

std::vector<std::string> lines_of(asio::io_context& loop, LineProcess& process) {
  std::vector<std::string> lines;
  tests::run(loop, read_all(process, lines));
  return lines;
}
int stopped(asio::io_context& loop, LineProcess& process, std::chrono::milliseconds grace) {
  int code = 0;
  tests::run(loop, stop(process, grace, code));
  return code;
}

}  // namespace

TEST_CASE("LineProcess carries lines both ways, in order, and ends the process by closing its input") {
  asio::io_context loop;
  const auto process = start(loop, {"cat"});
  tests::run(loop, echo_lines(*process, 20000));
}

TEST_CASE("LineProcess says when there is no such program") {
  asio::io_context loop;
  const auto failed = LineProcess::start(loop.get_executor(), {"no-such-program-anywhere"}, {}, 100);
  CHECK(failed.error().code == base::Errc::bad_input);
  CHECK(failed.error().text.find("no-such-program-anywhere") != std::string::npos);
  CHECK(LineProcess::start(loop.get_executor(), {}, {}, 100).error().code == base::Errc::bad_input);
}

TEST_CASE("LineProcess gives a minimal environment, without the gateway's secrets") {
  ::setenv("WHERRY_TEST_SECRET", "hunter2", 1);
  asio::io_context loop;
  const auto process = start(loop, {"env"}, {"EXTRA=1"});
  const auto lines = lines_of(loop, *process);
  const auto has = [&](const std::string& start) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return line.starts_with(start); });
  };
  CHECK(has("EXTRA=1"));
  CHECK(has("PATH="));
  CHECK(has("LANG=C.UTF-8"));
  CHECK_FALSE(has("WHERRY_TEST_SECRET"));
}

TEST_CASE("LineProcess refuses a line over the limit, ended or not") {
  asio::io_context loop;
  const auto ended = shell(loop, "printf '%2000s\\n' x; cat");
  CHECK_THROWS_AS(lines_of(loop, *ended), std::length_error);
  const auto endless = shell(loop, "printf '%2000s' x; cat");
  CHECK_THROWS_AS(lines_of(loop, *endless), std::length_error);
  const auto just_fits = shell(loop, "printf '%1000s\\n' x");
  CHECK(lines_of(loop, *just_fits).at(0).size() == 1000);
}

TEST_CASE("LineProcess does not take a cut last line for a line") {
  asio::io_context loop;
  const auto process = shell(loop, "printf 'whole\\ncut'");
  CHECK(lines_of(loop, *process) == std::vector<std::string>{"whole"});
}

TEST_CASE("LineProcess returns the exit code, or the signal as a negative number") {
  asio::io_context loop;
  const auto fails = shell(loop, "exit 7");
  CHECK(stopped(loop, *fails, 20s) == 7);
  const auto crashes = shell(loop, "kill -SEGV $$");
  CHECK(stopped(loop, *crashes, 20s) == -SIGSEGV);
}

TEST_CASE("LineProcess kills what does not end by itself, with its children") {
  asio::io_context loop;
  const auto process = shell(loop, "trap '' TERM; sleep 1000 & echo $!; exec sleep 1000");
  const auto started = std::chrono::steady_clock::now();
  std::optional<std::string> child;
  struct Read {
    static asio::awaitable<void> one(LineProcess& p, std::optional<std::string>& line) {
      line = co_await p.read_line();
    }
  };
  tests::run(loop, Read::one(*process, child));
  const int pid = std::stoi(child.value());
  CHECK(is_running(pid));
  CHECK(stopped(loop, *process, 100ms) == -SIGKILL);
  CHECK(std::chrono::steady_clock::now() - started < 20s);
  // The kernel delivers the signal before kill(2) returns, but the process may take a moment to be gone.
  for (int i = 0; i < 1000 && !is_dead(pid); ++i) ::usleep(10'000);
  CHECK(is_dead(pid));
}

TEST_CASE("LineProcess destroyed kills and reaps the process") {
  asio::io_context loop;
  auto process = shell(loop, "exec sleep 1000");
  const int pid = process->pid();
  process.reset();
  CHECK_FALSE(is_running(pid));
  loop.run();  // the handlers under way end without it
}

TEST_CASE("LineProcess bounds what a process that does not read makes it keep") {
  asio::io_context loop;
  const auto process = shell(loop, "exec sleep 1000");
  const std::string line(64 << 10, 'x');
  const auto flood = [&] {
    for (int i = 0; i < 200; ++i) process->write_line(line);
  };
  CHECK_THROWS_AS(flood(), std::length_error);
  CHECK(process->taken() == 0);
  CHECK(process->appended() >= 7 << 20);
  CHECK(stopped(loop, *process, 0ms) == -SIGKILL);
  CHECK(process->taken() < 1 << 20);  // a pipe's worth
}

TEST_CASE("LineProcess survives writing to a process that has closed its input") {
  asio::io_context loop;
  const auto process = shell(loop, "exec 0<&-; echo closed; exec sleep 1000");
  struct Script {
    static asio::awaitable<void> run(LineProcess& p) {
      CHECK(co_await p.read_line() == "closed");
      p.write_line("too late");
      CHECK(co_await p.stop(100ms) == -SIGKILL);
    }
  };
  tests::run(loop, Script::run(*process));
  CHECK(process->taken() == 0);
  CHECK(process->appended() == 9);
}

TEST_CASE("LineProcess::read_line can be cancelled, and read again") {
  asio::io_context loop;
  const auto process = start(loop, {"cat"});
  struct Script {
    static asio::awaitable<void> run(LineProcess& p) {
      bool timed_out = false;
      try {
        co_await base::within(50ms, p.read_line());
      } catch (const base::TimedOut&) {
        timed_out = true;
      }
      CHECK(timed_out);
      p.write_line("still there");
      CHECK(co_await p.read_line() == "still there");
    }
  };
  tests::run(loop, Script::run(*process));
}

#include "gateway/net/line_process.hpp"

#include "gateway/base/within.hpp"
#include "tests/support/run.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

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

bool is_running(int pid) { return ::kill(pid, 0) == 0; }

// A process that is nobody's any more may be a zombie of its new parent for a while, and that is as dead.
bool is_dead(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  return text.empty() || text.find(") Z ") != std::string::npos || text.find(") X ") != std::string::npos;
}

// What a process waits for until the test says so: `cat PATH` ends when the gate is opened.
struct Gate {
  Gate() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    path = folder + "/gate";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  }
  ~Gate() { std::filesystem::remove_all(folder); }
  void open() { ::close(::open(path.c_str(), O_WRONLY)); }
  std::string folder = (std::filesystem::temp_directory_path() / "wherry-XXXXXX").string();
  std::string path;
};

struct Steps {
  static asio::awaitable<void> read(LineProcess& process, std::optional<std::string>& line) {
    line = co_await process.read_line();
  }
  static asio::awaitable<void> wait_room(LineProcess& process, std::size_t most) {
    co_await base::within(60s, process.wait_room(most));
  }
};
std::optional<std::string> next_line(asio::io_context& loop, LineProcess& process) {
  std::optional<std::string> line;
  tests::run(loop, Steps::read(process, line));
  return line;
}

// A process that has started one of its own, in another process group, which keeps its pipes open; `script` comes then.
// The helper's pid is the first line.
std::unique_ptr<LineProcess> with_helper(asio::io_context& loop, const std::string& script) {
  return shell(loop, "setsid sh -c 'echo $$; exec sleep 1000' & read go; " + script);
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

TEST_CASE("LineProcess::wait_room waits until the process has read enough") {
  asio::io_context loop;
  Gate gate;
  const auto process = shell(loop, "cat " + gate.path + "; exec cat >/dev/null");
  for (int i = 0; i < 100; ++i) process->write_line(std::string(64 << 10, 'x'));
  tests::run(loop, Steps::wait_room(*process, 7 << 20));  // there is room already
  CHECK(process->taken() < 2 << 20);                      // a pipe's worth
  bool timed_out = false;
  struct Impatient {
    static asio::awaitable<void> run(LineProcess& p, bool& out_of_time) {
      try {
        co_await base::within(50ms, p.wait_room(1 << 20));
      } catch (const base::TimedOut&) {
        out_of_time = true;
      }
    }
  };
  tests::run(loop, Impatient::run(*process, timed_out));
  CHECK(timed_out);
  gate.open();
  tests::run(loop, Steps::wait_room(*process, 0));
  CHECK(process->taken() == process->appended());
}

TEST_CASE("LineProcess::taken is what the process can have read, exactly, and final after abandon()") {
  asio::io_context loop;
  Gate gate;
  const auto process = shell(loop, "cat " + gate.path + "; exec wc -c");
  for (int i = 0; i < 100; ++i) process->write_line(std::string(10'000, 'x'));
  loop.poll();  // the first piece goes
  const std::uint64_t taken = process->taken();
  CHECK(taken > 0);
  CHECK(taken < process->appended());
  process->abandon();
  CHECK(process->taken() == taken);
  CHECK(process->replace_line(process->appended() - 10'001, "nor this"));  // it never sees the last line
  CHECK_FALSE(process->replace_line(0, "nor this"));
  process->write_line("nobody hears this");
  gate.open();  // it reads everything that there is
  const auto counted = next_line(loop, *process);
  CHECK(std::stoull(counted.value()) == taken);
  CHECK(stopped(loop, *process, 20s) == 0);
  CHECK(process->taken() == taken);
}

TEST_CASE("LineProcess hands on no descriptor: no socket, no file, close-on-exec or not") {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0), file = ::open("/etc/passwd", O_RDONLY);
  asio::io_context loop;
  const auto first = start(loop, {"cat"});
  const auto process = shell(loop, "for i in /proc/self/fd/*; do readlink $i; done; ls -l /proc/self/fd");
  std::string all;
  for (const std::string& line : lines_of(loop, *process)) all += line + "\n";
  ::close(socket);
  ::close(file);
  CHECK(all.find("pipe:") != std::string::npos);
  CHECK(all.find("socket:") == std::string::npos);
  CHECK(all.find("/etc/passwd") == std::string::npos);
  CHECK(all.find("anon_inode") == std::string::npos);
  std::size_t pipes = 0;
  for (auto at = all.find("-> pipe:"); at != std::string::npos; at = all.find("-> pipe:", at + 1)) ++pipes;
  CHECK(pipes == 3);
}

TEST_CASE("LineProcess takes the end of the process for the end, though a process of its own holds the pipes") {
  asio::io_context loop;
  const auto process = with_helper(loop, "exit 3");
  const int helper = std::stoi(next_line(loop, *process).value());
  process->write_line("go");
  CHECK(next_line(loop, *process) == std::nullopt);
  CHECK(next_line(loop, *process) == std::nullopt);
  CHECK(stopped(loop, *process, 20s) == 3);
  CHECK(is_running(helper));
  ::kill(helper, SIGKILL);
}

TEST_CASE("LineProcess reads what was written before the end, to the last line") {
  asio::io_context loop;
  const auto process = with_helper(loop, "seq 5000; exit 0");
  const int helper = std::stoi(next_line(loop, *process).value());
  process->write_line("go");
  CHECK(stopped(loop, *process, 20s) == 0);
  const auto lines = lines_of(loop, *process);
  CHECK(lines.size() == 5000);
  CHECK(lines.back() == "5000");
  ::kill(helper, SIGKILL);
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

TEST_CASE("LineProcess::replace_line puts another line where the process has seen no byte of the first one") {
  asio::io_context loop;
  Gate gate;
  const auto process = shell(loop, "cat " + gate.path + "; exec cat");
  constexpr int lines = 300;
  for (int i = 0; i < lines; ++i) process->write_line(std::string(900, 'x'));
  loop.poll();  // as much as the pipe takes
  const std::uint64_t second = process->appended();
  process->write_line("the second");
  const std::uint64_t third = process->appended();
  process->write_line("the third");
  CHECK_FALSE(process->replace_line(0, "too late"));
  CHECK_FALSE(process->replace_line(third, "longer than the third"));
  CHECK(process->replace_line(second, "another"));
  loop.poll();
  CHECK(process->replace_line(third, "one more"));
  gate.open();
  for (int i = 0; i < lines; ++i) CHECK(next_line(loop, *process).value().size() == 900);
  CHECK(next_line(loop, *process) == "another   ");
  CHECK(next_line(loop, *process) == "one more ");
  CHECK_FALSE(process->replace_line(third, "again"));
}

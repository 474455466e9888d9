#include "gateway/net/line_process.hpp"

#include "gateway/base/log.hpp"
#include "gateway/net/token_bucket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace wherry::net {

namespace {

constexpr std::size_t most_waiting_bytes = 8 << 20;
constexpr std::size_t read_bytes = 64 << 10;
constexpr std::size_t most_log_bytes = 2000;  // of a line of standard error

using Descriptor = asio::posix::stream_descriptor;
using std::chrono::steady_clock;

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    if (read >= 0) ::close(read);
    if (write >= 0) ::close(write);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
};

struct Pipes {
  Pipe in, out, err;  // named after the process's ends
};

int release(int& descriptor) {
  return std::exchange(descriptor, -1);
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (std::string& s : strings) list.push_back(s.data());
  list.push_back(nullptr);
  return list;
}

// Nothing of the gateway's environment but what finds programs and decodes text: it may hold the gateway's secrets.
std::vector<std::string> minimal_environment() {
  std::vector<std::string> environment{"LANG=C.UTF-8"};
  for (const char* name : {"PATH", "HOME", "TZ"}) {
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  return environment;
}

// The process and its pipes. Shared with the handlers of operations under way, which may end after the LineProcess.
struct State : std::enable_shared_from_this<State> {
  State(const asio::any_io_executor& executor, int process, Descriptor input, Descriptor output, Descriptor error)
      : pid(process),
        in(std::move(input)),
        out(std::move(output)),
        err(std::move(error)),
        exit(executor),
        ended(executor),
        error_rate(50, 200, steady_clock::now()) {}

  void watch_exit() {
    exit.async_wait(Descriptor::wait_read, [self = shared_from_this()](boost::system::error_code failed) {
      if (failed) return;
      // The reactor may wake without a reason when a descriptor's number was in use a moment ago: look before killing.
      siginfo_t info{};
      const bool alive = ::waitid(P_PID, static_cast<id_t>(self->pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
      if (alive) return self->watch_exit();
      self->reap(WNOHANG);
    });
  }

  // Ends what is left of the process group, while the unreaped leader still keeps its number from being given anew.
  void reap(int options) {
    if (code) return;
    ::kill(-pid, SIGKILL);
    int status = 0;
    pid_t reaped = 0;
    do reaped = ::waitpid(pid, &status, options);
    while (reaped < 0 && errno == EINTR);
    if (reaped == 0) return watch_exit();
    if (reaped < 0)
      code = -SIGKILL;  // somebody else's waitpid took it
    else
      code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    boost::system::error_code ignored;
    exit.close(ignored);
    ended.expires_at(steady_clock::time_point::min());
  }

  void flush() {
    flush_posted = false;
    if (writing || !in.is_open()) return;
    if (waiting.empty()) {
      if (closing) close_in();
      return;
    }
    writing = true;
    flight.swap(waiting);
    flight_done = 0;
    write_some();
  }
  void write_some() {
    in.async_write_some(asio::buffer(flight.data() + flight_done, flight.size() - flight_done),
                        [self = shared_from_this()](boost::system::error_code failed, std::size_t bytes) {
                          self->taken += bytes;
                          self->flight_done += bytes;
                          if (failed) return self->close_in();  // it reads no more; its end shows in read_line()
                          if (self->flight_done < self->flight.size()) return self->write_some();
                          self->flight.clear();
                          self->writing = false;
                          self->flush();
                        });
  }
  void close_in() {
    boost::system::error_code ignored;
    in.close(ignored);
  }

  void read_error() {
    err.async_read_some(asio::buffer(error_chunk),
                        [self = shared_from_this()](boost::system::error_code failed, std::size_t bytes) {
                          self->log_error(std::string_view(self->error_chunk.data(), bytes));
                          if (!failed) return self->read_error();
                          if (!self->error_line.empty()) self->log_error("\n");
                        });
  }
  void log_error(std::string_view bytes) {
    for (const char c : bytes) {
      if (c != '\n') {
        if (error_line.size() < most_log_bytes) error_line += c;
        continue;
      }
      // A process that floods its standard error must not flood the log.
      if (error_rate.take(steady_clock::now()).count() == 0) {
        if (skipped > 0) log::warn("process.stderr_skipped", {{"pid", pid}, {"lines", std::exchange(skipped, 0)}});
        log::info("process.stderr", {{"pid", pid}, {"text", error_line}});
      } else {
        ++skipped;
      }
      error_line.clear();
    }
  }

  const int pid;
  Descriptor in, out, err;  // its standard input, output and error
  Descriptor exit;          // a pidfd: readable when the process has ended
  asio::steady_timer ended;
  std::optional<int> code;

  std::string waiting, flight;
  std::size_t flight_done = 0;
  bool writing = false, flush_posted = false, closing = false;
  std::uint64_t appended = 0, taken = 0;

  std::array<char, 4096> error_chunk;
  std::string error_line;
  TokenBucket error_rate;
  int skipped = 0;
};

class Process final : public LineProcess {
 public:
  Process(std::shared_ptr<State> state, std::size_t most_line_bytes)
      : state_(std::move(state)), most_line_bytes_(most_line_bytes) {}

  ~Process() override {
    if (!state_->code) state_->reap(0);
    boost::system::error_code ignored;
    for (Descriptor* descriptor : {&state_->in, &state_->out, &state_->err}) descriptor->close(ignored);
  }

  asio::awaitable<std::optional<std::string>> read_line() override {
    for (;;) {
      const auto end = buffer_.find('\n', scanned_);
      const std::size_t length = (end == std::string::npos ? buffer_.size() : end) - begin_;
      if (length > most_line_bytes_)
        throw std::length_error("a line of more than " + std::to_string(most_line_bytes_) + " bytes");
      if (end != std::string::npos) {
        std::optional<std::string> line(std::in_place, buffer_, begin_, length);
        begin_ = scanned_ = end + 1;
        co_return line;
      }
      buffer_.erase(0, begin_);
      begin_ = 0;
      scanned_ = buffer_.size();
      boost::system::error_code failed;
      const std::size_t bytes =
          co_await state_->out.async_read_some(asio::buffer(chunk_), asio::redirect_error(asio::use_awaitable, failed));
      buffer_.append(chunk_.data(), bytes);
      if (failed == asio::error::operation_aborted) throw boost::system::system_error(failed);
      if (failed) co_return std::nullopt;
    }
  }

  void write_line(std::string line) override {
    if (state_->waiting.size() + line.size() > most_waiting_bytes)
      throw std::length_error("the process does not read its standard input");
    state_->appended += line.size() + 1;
    state_->waiting += line;
    state_->waiting += '\n';
    if (std::exchange(state_->flush_posted, true)) return;
    // At the loop's next turn, so that the lines of one turn cost one system call.
    asio::post(state_->in.get_executor(), [state = state_] { state->flush(); });
  }

  std::uint64_t appended() const override { return state_->appended; }
  std::uint64_t taken() const override { return state_->taken; }

  asio::awaitable<int> stop(std::chrono::milliseconds grace) override {
    state_->closing = true;
    state_->flush();
    if (!state_->code) {
      state_->ended.expires_after(grace);
      boost::system::error_code woken;
      co_await state_->ended.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    if (!state_->code) state_->reap(0);  // out of time, or cancelled
    co_return *state_->code;
  }

  int pid() const override { return state_->pid; }

 private:
  std::shared_ptr<State> state_;
  std::size_t most_line_bytes_;
  std::vector<char> chunk_ = std::vector<char>(read_bytes);
  std::string buffer_;
  std::size_t begin_ = 0;    // of the next line
  std::size_t scanned_ = 0;  // no line end before this
};

// posix_spawn with the three pipes, in a process group of its own, with default signals. Returns errno.
int spawn(std::vector<std::string> command, std::vector<std::string> environment, const Pipes& pipes, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipes.in.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipes.out.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipes.err.write, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  sigset_t signals;
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  const int failed = ::posix_spawnp(&pid, command[0].c_str(), &actions, &attributes, pointers(command).data(),
                                    pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

}  // namespace

base::Result<std::unique_ptr<LineProcess>> LineProcess::start(asio::any_io_executor executor,
                                                              std::vector<std::string> command,
                                                              std::vector<std::string> environment,
                                                              std::size_t most_line_bytes) {
  if (command.empty() || command[0].empty()) return base::Error{base::Errc::bad_input, "the command is empty"};
  // A write to a process that has ended is an error to handle, not the gateway's end.
  std::signal(SIGPIPE, SIG_IGN);

  std::vector<std::string> whole = minimal_environment();
  whole.insert(whole.end(), std::make_move_iterator(environment.begin()), std::make_move_iterator(environment.end()));
  Pipes pipes;
  pid_t pid = 0;
  if (const int failed = spawn(command, std::move(whole), pipes, pid)) {
    return base::Error{base::Errc::bad_input,
                       "cannot start \"" + command[0] + "\": " + std::generic_category().message(failed)};
  }
  auto state = std::make_shared<State>(executor, pid, Descriptor(executor, release(pipes.in.write)),
                                       Descriptor(executor, release(pipes.out.read)),
                                       Descriptor(executor, release(pipes.err.read)));
  // pidfd_open(2): the exit as something to wait for on the loop, without a SIGCHLD handler that others would share.
  const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    const int failed = errno;
    state->reap(0);
    throw std::system_error(failed, std::generic_category(), "pidfd_open");
  }
  state->exit.assign(pidfd);
  state->watch_exit();
  state->read_error();
  return std::unique_ptr<LineProcess>(std::make_unique<Process>(std::move(state), most_line_bytes));
}

}  // namespace wherry::net

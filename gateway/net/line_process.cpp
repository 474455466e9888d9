#include "gateway/net/line_process.hpp"

#include "gateway/base/log_limit.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/net/spawn.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace wherry::net {

namespace {

constexpr std::size_t read_bytes = 64 << 10;
constexpr std::size_t most_log_bytes = 2000;  // of a line of standard error

// The line that begins at `at`.
bool put_line(std::string& lines, std::size_t at, std::string_view line) {
  const std::size_t end = lines.find('\n', at);
  if (end == std::string::npos || end - at < line.size()) return false;
  std::fill(std::copy(line.begin(), line.end(), lines.begin() + static_cast<std::ptrdiff_t>(at)),
            lines.begin() + static_cast<std::ptrdiff_t>(end), ' ');
  return true;
}

using Descriptor = asio::posix::stream_descriptor;
using std::chrono::steady_clock;

// The process and its pipes. Shared with the handlers of operations under way, which may end after the LineProcess.
struct State : std::enable_shared_from_this<State> {
  State(const asio::any_io_executor& executor, int process, Descriptor input, Descriptor output, Descriptor error)
      : pid(process),
        in(std::move(input)),
        out(std::move(output)),
        err(std::move(error)),
        exit(executor),
        ended(executor),
        went(executor),
        error_limit(steady_clock::now()) {
    in.non_blocking(true);
    out.non_blocking(true);
  }

  void watch_exit() {
    exit.async_wait(Descriptor::wait_read, [self = shared_from_this()](boost::system::error_code failed) {
      if (failed) return;
      // The reactor may wake without a reason when a descriptor's number was in use a moment ago: look before killing.
      siginfo_t info{};
      const bool alive =
          ::waitid(P_PID, static_cast<id_t>(self->pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
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
    if (reaped < 0) code = -SIGKILL;  // somebody else's waitpid took it
    else code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    boost::system::error_code ignored;
    exit.close(ignored);
    out.cancel(ignored);  // whoever waits for a line would wait as long as anybody else holds the pipe
    ended.expires_at(steady_clock::time_point::min());
  }

  bool replace(std::uint64_t begin, std::string_view line) {
    if (begin < taken) return false;
    if (!in.is_open()) return true;
    std::size_t at = static_cast<std::size_t>(begin - taken) + done;
    const bool is_in_flight = at < flight.size();
    std::string& held = is_in_flight ? flight : waiting;
    if (!is_in_flight) at -= flight.size();
    return put_line(held, at, line);
  }

  // Writes what the pipe takes, and counts it in the same breath: `taken` is exact whenever anybody looks.
  void flush() {
    flush_posted = false;
    while (in.is_open() && !blocked) {
      if (done == flight.size()) {
        flight.clear();
        done = 0;
        flight.swap(waiting);
        if (flight.empty() && closing) close_in();
        if (flight.empty()) break;
      }
      boost::system::error_code failed;
      const std::size_t bytes = in.write_some(asio::buffer(flight.data() + done, flight.size() - done), failed);
      taken += bytes;
      done += bytes;
      if (failed == asio::error::would_block || failed == asio::error::try_again) wait_writable();
      else if (failed) close_in();  // it reads no more; its end shows in read_line()
    }
    went.notify();
  }
  void wait_writable() {
    blocked = true;
    in.async_wait(Descriptor::wait_write, [self = shared_from_this()](boost::system::error_code failed) {
      self->blocked = false;
      if (!failed) self->flush();
    });
  }
  // Whatever still waits is dropped.
  void close_in() {
    boost::system::error_code ignored;
    in.close(ignored);
    waiting.clear();
    flight.clear();
    done = 0;
    went.notify();
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
      if (const auto skipped = error_limit.admit(steady_clock::now())) {
        if (*skipped > 0) log::warn("process.stderr_skipped", {{"pid", pid}, {"lines", *skipped}});
        log::info("process.stderr", {{"pid", pid}, {"text", error_line}});
      }
      error_line.clear();
    }
  }

  const int pid;
  Descriptor in, out, err;  // its standard input, output and error
  Descriptor exit;          // a pidfd: readable when the process has ended
  asio::steady_timer ended;
  std::optional<int> code;

  std::string waiting, flight;  // what was given, and the piece of it that is being written
  std::size_t done = 0;         // of `flight`
  bool blocked = false;         // the pipe is full
  bool flush_posted = false, closing = false;
  std::uint64_t appended = 0, taken = 0;
  base::Signal went;  // something was taken, or never will be

  std::array<char, 4096> error_chunk;
  std::string error_line;
  base::LogLimit error_limit;
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
      std::optional<std::size_t> bytes;
      if (state_->code) bytes = read_rest();
      else bytes = co_await read_some();
      if (!bytes) co_return std::nullopt;
      buffer_.append(chunk_.data(), *bytes);
    }
  }

  void write_line(std::string line) override {
    state_->appended += line.size() + 1;
    if (!state_->in.is_open()) return;
    state_->waiting += line;
    state_->waiting += '\n';
    if (std::exchange(state_->flush_posted, true)) return;
    // At the loop's next turn, so that the lines of one turn cost one system call.
    asio::post(state_->in.get_executor(), [state = state_] { state->flush(); });
  }

  bool replace_line(std::uint64_t begin, std::string_view line) override { return state_->replace(begin, line); }

  asio::awaitable<void> wait_room(std::size_t most_waiting) override {
    const auto state = state_;
    while (state->in.is_open() && state->appended - state->taken > most_waiting) co_await state->went.wait();
  }

  void abandon() override { state_->close_in(); }

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
  // While it runs. Nothing: it has closed its output.
  asio::awaitable<std::optional<std::size_t>> read_some() {
    boost::system::error_code failed;
    const std::size_t bytes =
        co_await state_->out.async_read_some(asio::buffer(chunk_), asio::redirect_error(asio::use_awaitable, failed));
    if (!failed) co_return bytes;
    if (failed != asio::error::operation_aborted) co_return std::nullopt;
    const auto state = co_await asio::this_coro::cancellation_state;
    if (!state_->code || state.cancelled() != asio::cancellation_type::none) throw boost::system::system_error(failed);
    co_return bytes;  // none: it has ended meanwhile
  }
  // After its end: what lay in the pipe then, and no more, because another process may hold the pipe open for ever.
  std::optional<std::size_t> read_rest() {
    boost::system::error_code failed;
    if (!rest_) {
      Descriptor::bytes_readable readable;
      state_->out.io_control(readable, failed);
      rest_ = readable.get();
    }
    const std::size_t most = std::min(chunk_.size(), *rest_);
    const std::size_t bytes = most == 0 ? 0 : state_->out.read_some(asio::buffer(chunk_.data(), most), failed);
    if (bytes == 0) return std::nullopt;
    *rest_ -= bytes;
    return bytes;
  }

  std::shared_ptr<State> state_;
  std::size_t most_line_bytes_;
  std::vector<char> chunk_ = std::vector<char>(read_bytes);
  std::string buffer_;
  std::size_t begin_ = 0;            // of the next line
  std::size_t scanned_ = 0;          // no line end before this
  std::optional<std::size_t> rest_;  // of its output, once it has ended
};

}  // namespace

base::Result<std::unique_ptr<LineProcess>> LineProcess::start(asio::any_io_executor executor,
                                                              std::vector<std::string> command,
                                                              std::vector<std::string> environment,
                                                              std::size_t most_line_bytes) {
  // A write to a process that has ended is an error to handle, not the gateway's end.
  std::signal(SIGPIPE, SIG_IGN);
  const auto spawned = spawn(std::move(command), std::move(environment));
  if (!spawned) return spawned.error();
  const int pid = spawned->pid;
  auto state = std::make_shared<State>(executor, pid, Descriptor(executor, spawned->in),
                                       Descriptor(executor, spawned->out), Descriptor(executor, spawned->err));
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

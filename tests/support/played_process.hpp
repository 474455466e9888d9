// A process that speaks lines, played within the test: its pipes are memory, and what it does is somebody else's code.
#pragma once

#include "gateway/base/signal.hpp"
#include "gateway/base/within.hpp"
#include "gateway/net/line_process.hpp"

#include <algorithm>
#include <csignal>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace wherry::tests {

namespace asio = boost::asio;

// Both ends of the pipes. The gateway's end is PlayedProcess; the rest here is for who plays the process.
struct Pipes {
  Pipes(asio::any_io_executor executor, std::size_t bytes)
      : pipe_bytes(bytes), ears(std::make_unique<Ears>(executor)) {}

  // What the gateway's end waits for; none: it is gone, and its loop perhaps, too.
  struct Ears {
    explicit Ears(const asio::any_io_executor& executor) : said_something(executor), went(executor), ended(executor) {}
    base::Signal said_something, went, ended;
  };

  // The next line of standard input; nothing: none is there yet, or ever.
  std::optional<std::string> read() {
    auto end = buffer.find('\n');
    for (; end == std::string::npos && !pipe.empty(); end = buffer.find('\n')) {
      buffer += std::exchange(pipe, {});
      fill();
    }
    if (end == std::string::npos) return std::nullopt;
    std::string line = buffer.substr(0, end);
    buffer.erase(0, end + 1);
    return line;
  }
  bool has_input_ended() const {
    return closed && waiting.empty() && pipe.empty() && buffer.find('\n') == std::string::npos;
  }
  void say(std::string line) {
    if (code) return;
    said.push_back(std::move(line));
    if (ears) ears->said_something.notify();
  }
  void exit(int status) {
    if (code) return;
    code = status;
    waiting.clear();
    if (ears) {
      ears->said_something.notify();
      ears->went.notify();
      ears->ended.notify();
    }
    if (died) died();
  }

  // What the pipe takes of what was written.
  void fill() {
    while (!code && !waiting.empty() && pipe.size() < pipe_bytes) {
      std::string& line = waiting.front();
      if (done == 0 && took) took(line);
      const std::size_t bytes = std::min(pipe_bytes - pipe.size(), line.size() - done);
      pipe.append(line, done, bytes);
      taken += bytes;
      done += bytes;
      if (done < line.size()) break;
      waiting.pop_front();
      done = 0;
    }
    if (ears) ears->went.notify();
  }
  void close() {
    closed = true;
    if (woken) woken();
  }

  const std::size_t pipe_bytes;
  std::function<void(const std::string& line)> took;  // the pipe has taken the first byte of it
  // there may be something to read, or the end; not to be acted on at once
  std::function<void()> woken;
  std::function<void()> died;  // by itself or by a signal: once
  std::deque<std::string> waiting, said;
  std::size_t done = 0;  // of the first of `waiting`
  std::string pipe;
  std::string buffer;  // read of it, and not yet given out
  bool closed = false;
  std::optional<int> code;
  std::uint64_t appended = 0, taken = 0;
  std::unique_ptr<Ears> ears;
};

class PlayedProcess final : public net::LineProcess {
 public:
  PlayedProcess(std::shared_ptr<Pipes> pipes, std::size_t most_line_bytes)
      : pipes_(std::move(pipes)), most_line_bytes_(most_line_bytes) {}
  ~PlayedProcess() override {
    pipes_->exit(-SIGKILL);
    pipes_->close();
    pipes_->ears.reset();
  }

  asio::awaitable<std::optional<std::string>> read_line() override {
    const auto pipes = pipes_;
    while (pipes->said.empty() && !pipes->code) co_await pipes->ears->said_something.wait();
    if (pipes->said.empty()) co_return std::nullopt;
    std::string line = std::move(pipes->said.front());
    pipes->said.pop_front();
    if (line.size() > most_line_bytes_)
      throw std::length_error("a line of more than " + std::to_string(most_line_bytes_) + " bytes");
    co_return line;
  }
  void write_line(std::string line) override {
    pipes_->appended += line.size() + 1;
    if (pipes_->closed || pipes_->code) return;
    pipes_->waiting.push_back(std::move(line) + "\n");
    pipes_->fill();
    if (pipes_->woken) pipes_->woken();
  }
  bool replace_line(std::uint64_t begin, std::string_view line) override {
    if (begin < pipes_->taken) return false;
    if (pipes_->closed || pipes_->code) return true;
    std::uint64_t at = pipes_->taken - pipes_->done;
    for (std::string& held : pipes_->waiting) {
      if (at == begin) {
        if (held.size() <= line.size()) return false;
        held.replace(0, held.size() - 1, std::string(line) + std::string(held.size() - 1 - line.size(), ' '));
        return true;
      }
      at += held.size();
    }
    return false;
  }
  asio::awaitable<void> wait_room(std::size_t most_waiting) override {
    const auto pipes = pipes_;
    while (!pipes->closed && !pipes->code && pipes->appended - pipes->taken > most_waiting)
      co_await pipes->ears->went.wait();
  }
  void abandon() override {
    pipes_->waiting.clear();
    pipes_->close();
    pipes_->ears->went.notify();
  }
  std::uint64_t appended() const override { return pipes_->appended; }
  std::uint64_t taken() const override { return pipes_->taken; }

  asio::awaitable<int> stop(std::chrono::milliseconds grace) override {
    const auto pipes = pipes_;
    pipes->close();
    try {
      co_await base::within(grace, await_end(pipes));
    } catch (const base::TimedOut&) {}
    pipes->exit(-SIGKILL);
    co_return *pipes->code;
  }
  int pid() const override { return 1; }

 private:
  static asio::awaitable<void> await_end(std::shared_ptr<Pipes> pipes) {
    while (!pipes->code) co_await pipes->ears->ended.wait();
  }

  const std::shared_ptr<Pipes> pipes_;
  const std::size_t most_line_bytes_;
};

}  // namespace wherry::tests

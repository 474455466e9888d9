// A child process that speaks lines on its standard input and output: what child connectors run in.
#pragma once

#include "gateway/base/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::net {

namespace asio = boost::asio;

class LineProcess {
 public:
  // Starts `command` (looked up in PATH; no shell) in a process group of its own, with a minimal environment plus
  // `environment` ("NAME=value"). Its standard error goes to the log, line by line. `most_line_bytes` bounds a line.
  static base::Result<std::unique_ptr<LineProcess>> start(asio::any_io_executor executor,
                                                          std::vector<std::string> command,
                                                          std::vector<std::string> environment,
                                                          std::size_t most_line_bytes);
  virtual ~LineProcess() = default;  // kills the process group if it still runs

  // The next line, without its end; nothing when the process has ended or closed its output, and all that it wrote is
  // read (a last piece without a line's end is no line). A process of its own that still holds the pipe keeps nobody
  // waiting. Throws std::length_error where a line is too long.
  virtual asio::awaitable<std::optional<std::string>> read_line() = 0;
  // Appends to the write buffer; lines are written together. Whoever may be writing much waits for room first; what is
  // written after its standard input is closed is dropped.
  virtual void write_line(std::string line) = 0;
  // Writes `line` in the place of the one that was given when appended() was `begin`, and fills it up with spaces;
  // behind a closed standard input neither is written. Whether the process never sees the first one. False, and nothing
  // is done, where it may have seen a byte of it, or where that one is too short.
  virtual bool replace_line(std::uint64_t begin, std::string_view line) = 0;
  // Until at most so many bytes wait unread, or its standard input is closed.
  virtual asio::awaitable<void> wait_room(std::size_t most_waiting) = 0;
  // Closes its standard input at once and drops what waits: from here on taken() is final.
  virtual void abandon() = 0;
  // Bytes given to write_line() so far, with line ends, and how many of them the process's standard input took, exact
  // at any moment: a line of which nothing was taken was not seen yet.
  virtual std::uint64_t appended() const = 0;
  virtual std::uint64_t taken() const = 0;
  // Writes what waits, closes its standard input, waits up to `grace` for it to end, then kills its process group.
  // Returns its exit code, or -signal.
  virtual asio::awaitable<int> stop(std::chrono::milliseconds grace) = 0;
  virtual int pid() const = 0;
};

}  // namespace wherry::net

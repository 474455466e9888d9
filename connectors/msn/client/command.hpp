// The framing of MSNP: lines of words, some with a payload of counted bytes behind them. Pure.
#pragma once

#include "gateway/base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::msn {

struct Command {
  std::string name;               // "NLN", "MSG"; an error is three digits
  std::vector<std::string> args;  // as they came: empty ones kept, nothing decoded
  std::string payload = {};
  bool operator==(const Command&) const = default;

  // The argument, or "" where there are not so many.
  const std::string& arg(std::size_t index) const;
  // The error's number; nothing where it is no error.
  std::optional<int> error() const;
  // The first argument as a transaction's number, where it is one.
  std::optional<std::uint32_t> transaction() const;
};

// A command as it is sent. What an argument may not contain (spaces, control characters) is percent-encoded, so that no
// text becomes a second command. With a payload, its length is the last argument.
std::string encode(std::string_view name, const std::vector<std::string>& args,
                   const std::optional<std::string>& payload = std::nullopt);

// Cuts what a server sends into commands. Bounded: a longer line or payload is an error.
class Framer {
 public:
  static constexpr std::size_t most_line_bytes = 16 << 10, most_payload_bytes = 64 << 10;

  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole command; nothing: more bytes are needed. After an error nothing more comes.
  base::Result<std::optional<Command>> next();

 private:
  base::Result<std::optional<Command>> read_line();
  void discard(std::size_t bytes);
  void skip_empty_lines();

  std::string buffer_;
  std::size_t begin_ = 0;              // of what is not read yet
  std::optional<Command> unfinished_;  // whose payload is still coming
  std::size_t payload_bytes_ = 0;
};

}  // namespace wherry::msn

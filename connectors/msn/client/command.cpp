#include "connectors/msn/client/command.hpp"

#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace wherry::msn {

using base::Errc;
using base::Error;

namespace {

// What servers send with a payload up to MSNP12. (A UUX is answered with "UUX 7 0", which is none.)
constexpr std::array<std::string_view, 6> payload_commands = {"MSG", "UBX", "NOT", "GCF", "UBN", "IPG"};

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_word(std::string_view name) {
  const auto is_allowed = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return name.size() == 3 && std::all_of(name.begin(), name.end(), is_allowed);
}

void append_argument(std::string& line, std::string_view argument) {
  for (const char c : argument) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) line += fmt::format("%{:02X}", byte);
    else line += c;
  }
}

}  // namespace

const std::string& Command::arg(std::size_t index) const {
  static const std::string none;
  return index < args.size() ? args[index] : none;
}

std::optional<int> Command::error() const {
  if (name.empty() || name[0] < '0' || name[0] > '9') return std::nullopt;
  return parse_number<int>(name);
}

std::optional<std::uint32_t> Command::transaction() const { return parse_number<std::uint32_t>(arg(0)); }

std::string encode(std::string_view name, const std::vector<std::string>& args,
                   const std::optional<std::string>& payload) {
  std::string line(name);
  for (const std::string& argument : args) {
    line += ' ';
    append_argument(line, argument);
  }
  if (payload) line += fmt::format(" {}", payload->size());
  line += "\r\n";
  if (payload) line += *payload;
  return line;
}

void Framer::discard(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ < buffer_.size() && begin_ < most_line_bytes) return;
  buffer_.erase(0, begin_);
  begin_ = 0;
}

void Framer::skip_empty_lines() {
  for (;;) {
    const std::string_view rest = std::string_view(buffer_).substr(begin_);
    if (!rest.starts_with('\n') && !rest.starts_with("\r\n")) return;
    discard(rest.front() == '\n' ? 1 : 2);
  }
}

base::Result<std::optional<Command>> Framer::read_line() {
  skip_empty_lines();
  const std::string_view rest = std::string_view(buffer_).substr(begin_);
  const auto end = rest.find('\n');
  if (std::min(end, rest.size()) > most_line_bytes) return Error{Errc::bad_input, "a line is too long"};
  if (end == rest.npos) return std::optional<Command>();
  std::string_view line = rest.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);

  const auto words = base::split(line, ' ');
  Command command;
  if (words.empty() || !is_word(words.front())) return Error{Errc::bad_input, "a line is no command"};
  command.name = words.front();
  command.args.assign(words.begin() + 1, words.end());
  discard(end + 1);
  const bool has_payload =
      std::find(payload_commands.begin(), payload_commands.end(), command.name) != payload_commands.end();
  if (!has_payload) return std::optional(std::move(command));
  const auto bytes = command.args.empty() ? std::nullopt : parse_number<std::size_t>(command.args.back());
  if (!bytes) return Error{Errc::bad_input, command.name + " does not say how long its payload is"};
  if (*bytes > most_payload_bytes) return Error{Errc::bad_input, "a payload is too long"};
  command.args.pop_back();
  payload_bytes_ = *bytes;
  unfinished_ = std::move(command);
  return next();
}

base::Result<std::optional<Command>> Framer::next() {
  if (!unfinished_) return read_line();
  if (buffer_.size() - begin_ < payload_bytes_) return std::optional<Command>();
  std::optional<Command> whole = std::exchange(unfinished_, std::nullopt);
  whole->payload = buffer_.substr(begin_, payload_bytes_);
  discard(payload_bytes_);
  return whole;
}

}  // namespace wherry::msn

#include "connectors/sms/http/api/forgiving_json.hpp"

#include "connectors/sms/text/encoding.hpp"
#include "gateway/base/text.hpp"
#include "gateway/connector/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace wherry::sms::http {

namespace {

using nlohmann::json;

constexpr std::string_view escaped_replacement = "\\ufffd";
constexpr std::size_t escape_length = 6;  // "\ud83d"

// The UTF-16 unit that "\uXXXX" at the beginning of `text` is.
std::optional<unsigned> escaped_unit(std::string_view text) {
  if (text.size() < escape_length || !text.starts_with("\\u")) return std::nullopt;
  unsigned unit = 0;
  const char* end = text.data() + escape_length;
  const auto [stop, error] = std::from_chars(text.data() + 2, end, unit, 16);
  return error == std::errc() && stop == end ? std::optional(unit) : std::nullopt;
}

bool is_high_half(unsigned unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low_half(unsigned unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

void pass_digits(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
}

// RFC 8259 §6, noughts in front allowed.
bool is_number(std::string_view token) {
  const auto takes_digits = [&] {
    const std::size_t before = token.size();
    pass_digits(token);
    return token.size() < before;
  };
  const auto takes = [&](std::string_view signs) {
    const bool is_there = !token.empty() && signs.find(token.front()) != signs.npos;
    if (is_there) token.remove_prefix(1);
    return is_there;
  };
  takes("-");
  if (!takes_digits()) return false;
  if (takes(".") && !takes_digits()) return false;
  if (takes("eE")) {
    takes("+-");
    if (!takes_digits()) return false;
  }
  return token.empty();
}

// Whether a number reads back otherwise than it is written.
bool loses_digits(std::string_view token) {
  std::int64_t whole = 0;
  std::uint64_t large = 0;
  const char *begin = token.data(), *end = begin + token.size();
  const auto is_whole = [&](const std::from_chars_result& r) { return r.ec == std::errc() && r.ptr == end; };
  const bool has_nought = token.size() > 1 && token.starts_with('0');
  const bool fits = is_whole(std::from_chars(begin, end, whole)) || is_whole(std::from_chars(begin, end, large));
  return is_number(token) && (!fits || has_nought);
}

class JsonRepair {
 public:
  explicit JsonRepair(std::string_view text) : left_(text) {}

  std::string run() {
    while (!left_.empty()) {
      if (in_string_) take_letter();
      else take_token();
    }
    return std::move(out_);
  }

 private:
  void keep(std::size_t octets) {
    out_ += left_.substr(0, octets);
    left_.remove_prefix(std::min(octets, left_.size()));
  }
  void replace(std::size_t octets, std::string_view by) {
    out_ += by;
    left_.remove_prefix(octets);
  }

  void take_token() {
    const std::size_t length = std::min(left_.find_first_not_of("+-.0123456789eE"), left_.size());
    if (loses_digits(left_.substr(0, length))) {
      replace(length, '"' + std::string(left_.substr(0, length)) + '"');
      return;
    }
    in_string_ = left_.front() == '"';
    keep(std::max<std::size_t>(length, 1));
  }

  void take_letter() {
    const auto c = static_cast<unsigned char>(left_.front());
    if (c == '\\') return take_escape();
    if (c < 0x20) return replace(1, fmt::format("\\u{:04x}", c));
    in_string_ = c != '"';
    keep(1);
  }

  void take_escape() {
    const auto unit = escaped_unit(left_);
    if (!unit) {
      const bool is_escape =
          left_.size() > 1 && std::string_view("\"\\/bfnrt").find(left_[1]) != std::string_view::npos;
      return is_escape ? keep(2) : replace(1, "\\\\");
    }
    if (is_low_half(*unit)) return replace(escape_length, escaped_replacement);
    if (!is_high_half(*unit)) return keep(escape_length);
    const auto next = escaped_unit(left_.substr(escape_length));
    if (next && is_low_half(*next)) return keep(2 * escape_length);
    replace(escape_length, escaped_replacement);
  }

  std::string_view left_;
  std::string out_;
  bool in_string_ = false;
};

}  // namespace

std::string_view without_byte_order_mark(std::string_view text) {
  return text.substr(text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
}

std::string to_well_formed(std::string_view octets) {
  return base::is_utf8(octets) ? std::string(octets) : to_utf8(to_code_points(octets));
}

std::string repaired_json(std::string_view text) {
  return JsonRepair(to_well_formed(without_byte_order_mark(base::trim(text)))).run();
}

std::optional<json> parse_forgivingly(std::string_view text) {
  auto parsed = connector::parse_json(repaired_json(text));
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

}  // namespace wherry::sms::http

#include "gateway/connector/json_text.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace wherry::connector {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

// Which octets a JSON string takes as they are (RFC 8259 §7), one at a time.
constexpr std::array<bool, 256> plain = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x20; c < 0x80; ++c) table[c] = c != '"' && c != '\\';
  return table;
}();

constexpr std::uint64_t each(unsigned char octet) { return 0x0101010101010101u * octet; }

// Whether none of eight octets needs a look: false, too, for some that need none.
bool are_plain(const char* eight) {
  std::uint64_t octets = 0;
  std::memcpy(&octets, eight, sizeof octets);
  const auto has_zero = [](std::uint64_t x) { return (x - each(1)) & ~x; };
  const std::uint64_t found =
      octets | (octets - each(0x20)) | has_zero(octets ^ each('"')) | has_zero(octets ^ each('\\'));
  return (found & each(0x80)) == 0;
}

struct Sequence {
  std::size_t length = 1;  // of the character, or of the octets that U+FFFD stands for
  bool valid = false;
};

// The character at the start of `text`, whose first octet is ≥ 0x80. What is not UTF-8 is cut as Unicode §3.9
// recommends: the longest start of a well-formed sequence becomes one U+FFFD.
Sequence utf8_sequence(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = at(0);
  std::size_t length = 0;
  unsigned low = 0x80, high = 0xBF;  // of the second octet (Unicode table 3-7)
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  }
  if (length == 0 || at(1) < low || at(1) > high) return {1, false};
  for (std::size_t i = 2; i < length; ++i) {
    if (at(i) < 0x80 || at(i) > 0xBF) return {i, false};
  }
  return {length, true};
}

void append_escape(std::string& out, unsigned char c) {
  static constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  out += "\\u00";
  out += digits[c >> 4];
  out += digits[c & 15];
}

// Whether brackets, outside strings, never nest deeper than `most`. Counted before parsing, because a tree of a
// megabyte of '[' costs hundreds of megabytes.
bool is_shallow(std::string_view text, std::size_t most) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > most) return false;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return true;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t done = 0;  // up to here it is in `out`
  for (std::size_t i = 0; i < text.size();) {
    if (i + 8 <= text.size() && are_plain(text.data() + i)) {
      i += 8;
      continue;
    }
    const auto c = static_cast<unsigned char>(text[i]);
    if (plain[c]) {
      ++i;
      continue;
    }
    const Sequence sequence = c < 0x80 ? Sequence{1, false} : utf8_sequence(text.substr(i));
    if (!sequence.valid) {
      out += text.substr(done, i - done);
      if (c < 0x80) append_escape(out, c);
      else out += replacement;
      done = i + sequence.length;
    }
    i += sequence.length;
  }
  out += text.substr(done);
  out += '"';
}

void append_json_number(std::string& out, std::int64_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

base::Result<nlohmann::json> parse_json(std::string_view text, std::size_t most_depth) {
  if (!is_shallow(text, most_depth)) {
    return base::Error{base::Errc::bad_input, "the JSON nests deeper than " + std::to_string(most_depth) + " levels"};
  }
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& e) {  // malformed input is a result, not a failure of the machine
    return base::Error{base::Errc::bad_input, "not JSON: error at byte " + std::to_string(e.byte)};
  } catch (const nlohmann::json::exception&) {
    return base::Error{base::Errc::bad_input, "not JSON: a number is out of range"};
  }
}

}  // namespace wherry::connector

#include "connectors/sms/segments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wherry::sms {

namespace {

constexpr std::size_t user_data_octets = 140;  // TS 23.040 §9.2.3.16

unsigned octet(char c) { return static_cast<unsigned char>(c); }

std::size_t header_octets(Concatenation concatenation) {
  // Without a header of ours the SMS centre writes one (8 bits of reference).
  return concatenation == Concatenation::udh16 ? 7 : 6;
}

// What fits a segment that begins with `header` octets of header, in septets or UTF-16 units.
std::size_t capacity(bool gsm, std::size_t header) {
  return gsm ? (user_data_octets - header) * 8 / 7 : (user_data_octets - header) / 2;
}

std::size_t cost(char32_t c, bool gsm) {
  if (gsm) return static_cast<std::size_t>(gsm7_septets(c));
  return c < 0x10000 ? 1 : 2;
}

bool in(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

// Whether `c` belongs to the character before it: the marks, joiners and modifiers people send (UAX #29, in short).
bool extends(char32_t c) {
  return in(c, 0x0300, 0x036F) || in(c, 0x0483, 0x0489) || in(c, 0x0591, 0x05BD) || in(c, 0x0610, 0x061A) ||
         in(c, 0x064B, 0x065F) || c == 0x0670 || in(c, 0x06D6, 0x06DC) || in(c, 0x0900, 0x0903) || in(c, 0x093A, 0x094F) ||
         in(c, 0x0981, 0x0983) || in(c, 0x09BC, 0x09CD) || in(c, 0x0B82, 0x0B82) || in(c, 0x0BBE, 0x0BCD) ||
         c == 0x0E31 || in(c, 0x0E34, 0x0E3A) || in(c, 0x0E47, 0x0E4E) || in(c, 0x1AB0, 0x1AFF) ||
         in(c, 0x1DC0, 0x1DFF) || c == 0x200D || in(c, 0x20D0, 0x20FF) || in(c, 0x302A, 0x302F) ||
         in(c, 0x3099, 0x309A) || in(c, 0xFE00, 0xFE0F) || in(c, 0xFE20, 0xFE2F) || in(c, 0x1F3FB, 0x1F3FF) ||
         in(c, 0xE0020, 0xE007F) || in(c, 0xE0100, 0xE01EF);
}

bool is_regional(char32_t c) { return in(c, 0x1F1E6, 0x1F1FF); }

// Whether a reader would see a character torn in two by a cut before text[i].
bool tears(std::u32string_view text, std::size_t i) {
  if (i == 0 || i >= text.size()) return false;
  if (extends(text[i]) || text[i - 1] == 0x200D) return true;
  if (text[i - 1] == U'\r' && text[i] == U'\n') return true;
  if (is_regional(text[i]) && is_regional(text[i - 1])) {  // flags are pairs, counted from the first
    std::size_t before = 0;
    while (before < i && is_regional(text[i - 1 - before])) ++before;
    return before % 2 == 1;
  }
  return false;
}

std::vector<std::u32string_view> cut(std::u32string_view text, bool gsm, std::size_t room) {
  std::vector<std::u32string_view> parts;
  for (std::size_t start = 0; start < text.size();) {
    std::size_t end = start, used = 0;
    while (end < text.size() && used + cost(text[end], gsm) <= room) used += cost(text[end++], gsm);
    std::size_t whole = end;
    while (whole > start && tears(text, whole)) --whole;
    if (whole > start) end = whole;  // else one sequence longer than a segment: cut it where it is full
    parts.push_back(text.substr(start, end - start));
    start = end;
  }
  return parts;
}

}  // namespace

base::Result<Split> split(std::string_view utf8, const SplitOptions& options) {
  std::u32string text = to_code_points(utf8);
  if (options.simplify) text = simplify(text);

  // Only what GSM 7 has goes in the link's own alphabet, for the SMS centre makes GSM 7 of it in the end.
  auto in_link = encode(text, options.link);
  const bool is_gsm = options.link == Alphabet::gsm7 || options.link == Alphabet::gsm7_packed;
  const bool gsm = in_link && (is_gsm || to_gsm7(text));
  Split result{gsm ? options.link : Alphabet::ucs2, {}};

  std::size_t units = 0;
  for (const char32_t c : text) units += cost(c, gsm);
  if (units <= capacity(gsm, 0) || options.concatenation == Concatenation::payload) {
    if (units > capacity(gsm, 6) * options.most_parts) {
      return base::Error{base::Errc::bad_input, fmt::format("The text is too long for {} text messages. Send it in pieces.", options.most_parts)};
    }
    result.parts.push_back(gsm ? std::move(*in_link) : to_ucs2(text));
    return result;
  }
  const auto pieces = cut(text, gsm, capacity(gsm, header_octets(options.concatenation)));
  if (pieces.size() > std::min<std::size_t>(options.most_parts, 255)) {
    return base::Error{base::Errc::bad_input, fmt::format("The text would take {} text messages, and {} is the most. Send it in pieces.",
                                                         pieces.size(), options.most_parts)};
  }
  for (const auto piece : pieces) result.parts.push_back(*encode(piece, result.alphabet));
  return result;
}

std::string make_header(const Position& position) {
  const auto c = [](unsigned value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  switch (position.kind) {
    case Position::Kind::udh: return {c(5), c(0), c(3), c(position.reference), c(position.total), c(position.part)};
    case Position::Kind::udh16:
      return {c(6), c(8), c(4), c(position.reference >> 8), c(position.reference), c(position.total), c(position.part)};
    case Position::Kind::sar: return {};
  }
  return {};
}

std::optional<UserDataHeader> parse_header(std::string_view user_data) {
  if (user_data.empty() || octet(user_data[0]) + 1 > user_data.size()) return std::nullopt;
  UserDataHeader header;
  header.octets = octet(user_data[0]) + 1;
  std::string_view rest = user_data.substr(1, header.octets - 1);
  while (rest.size() >= 2) {
    const unsigned id = octet(rest[0]), length = octet(rest[1]);
    if (length + 2 > rest.size()) break;
    const std::string_view value = rest.substr(2, length);
    rest.remove_prefix(length + 2);
    const auto at = [&](std::size_t i) { return octet(value[i]); };
    std::optional<Position> position;
    if (id == 0x00 && length == 3) position = Position{Position::Kind::udh, at(0), at(1), at(2)};
    if (id == 0x08 && length == 4) position = Position{Position::Kind::udh16, at(0) << 8 | at(1), at(2), at(3)};
    // §9.2.3.24.1: a total of 0, and a number of 0 or beyond the total, void the element.
    if (position && position->total > 0 && position->part > 0 && position->part <= position->total) header.position = position;
    if (id == 0x04 && length == 2) header.port = at(0);
    if (id == 0x05 && length == 4) header.port = at(0) << 8 | at(1);
    if (id == 0x24 && length == 1) header.shifts.single = static_cast<int>(at(0));
    if (id == 0x25 && length == 1) header.shifts.locking = static_cast<int>(at(0));
  }
  return header;
}

}  // namespace wherry::sms

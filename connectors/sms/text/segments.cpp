#include "connectors/sms/text/segments.hpp"

#include <fmt/format.h>
#include <unicode/brkiter.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace wherry::sms {

namespace {

constexpr std::size_t user_data_octets = 140;  // TS 23.040 §9.2.3.16

unsigned header_octet(char c) { return static_cast<unsigned char>(c); }

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

// Before which characters a reader would see no character torn in two: the borders of grapheme clusters (UAX #29).
std::vector<bool> grapheme_borders(std::u32string_view text) {
  std::vector<bool> borders(text.size() + 1, true);
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> clusters(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), error));
  if (U_FAILURE(error)) return borders;  // ICU without its data: the text still goes out
  icu::UnicodeString units;
  std::vector<std::size_t> character_of;  // by UTF-16 unit
  for (std::size_t i = 0; i < text.size(); ++i) {
    units.append(static_cast<UChar32>(text[i]));
    character_of.resize(static_cast<std::size_t>(units.length()), i);
  }
  borders.assign(text.size() + 1, false);
  borders.front() = borders.back() = true;
  clusters->setText(units);
  for (auto unit = clusters->first(); unit != icu::BreakIterator::DONE; unit = clusters->next()) {
    if (unit < units.length()) borders[character_of[static_cast<std::size_t>(unit)]] = true;
  }
  return borders;
}

std::vector<std::u32string_view> cut(std::u32string_view text, bool gsm, std::size_t room) {
  const std::vector<bool> borders = grapheme_borders(text);
  std::vector<std::u32string_view> parts;
  for (std::size_t start = 0; start < text.size();) {
    std::size_t end = start, used = 0;
    while (end < text.size() && used + cost(text[end], gsm) <= room) used += cost(text[end++], gsm);
    std::size_t whole = end;
    while (whole > start && !borders[whole]) --whole;
    if (whole > start) end = whole;  // else one sequence longer than a segment: cut it where it is full
    parts.push_back(text.substr(start, end - start));
    start = end;
  }
  return parts;
}

// A text as it would travel.
struct Plan {
  std::u32string text;
  bool gsm = false;  // in the link's own alphabet
  std::size_t units = 0;

  std::size_t segments() const { return units <= capacity(gsm, 0) ? 1 : (units - 1) / capacity(gsm, 6) + 1; }
};

Plan plan(std::u32string text, Alphabet link) {
  Plan plan{std::move(text)};
  // Only what GSM 7 has goes in the link's own alphabet, for the SMS centre makes GSM 7 of it in the end.
  const bool is_gsm = link == Alphabet::gsm7 || link == Alphabet::gsm7_packed;
  plan.gsm = encode(plan.text, link) && (is_gsm || to_gsm7(plan.text));
  for (const char32_t c : plan.text) plan.units += cost(c, plan.gsm);
  return plan;
}

}  // namespace

base::Result<Split> split(std::string_view utf8, const SplitOptions& options) {
  Plan best = plan(to_code_points(utf8), options.link);
  if (options.simplify) {
    Plan plain = plan(simplify(best.text), options.link);
    if (plain.segments() < best.segments()) best = std::move(plain);
  }
  Split result{best.gsm ? options.link : Alphabet::ucs2, {}};
  if (best.units <= capacity(best.gsm, 0) || options.concatenation == Concatenation::payload) {
    if (best.segments() > options.most_parts) {
      return base::Error{
          base::Errc::bad_input,
          fmt::format("The text is too long for {} text messages. Send it in pieces.", options.most_parts)};
    }
    result.parts.push_back(*encode(best.text, result.alphabet));
    return result;
  }
  const auto pieces = cut(best.text, best.gsm, capacity(best.gsm, header_octets(options.concatenation)));
  if (pieces.size() > std::min<std::size_t>(options.most_parts, 255)) {
    return base::Error{base::Errc::bad_input,
                       fmt::format("The text would take {} text messages, and {} is the most. Send it in pieces.",
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

constexpr std::size_t longest_doubtful_header = 32;  // octets; below the first letter

std::optional<UserDataHeader> parse_header(std::string_view user_data) {
  if (user_data.empty() || header_octet(user_data[0]) + 1 > user_data.size()) return std::nullopt;
  UserDataHeader header;
  header.octets = header_octet(user_data[0]) + 1;
  std::string_view rest = user_data.substr(1, header.octets - 1);
  while (rest.size() >= 2) {
    const unsigned id = header_octet(rest[0]), length = header_octet(rest[1]);
    if (length + 2 > rest.size()) break;
    const std::string_view value = rest.substr(2, length);
    rest.remove_prefix(length + 2);
    const auto at = [&](std::size_t i) { return header_octet(value[i]); };
    std::optional<Position> position;
    if (id == 0x00 && length == 3) position = Position{Position::Kind::udh, at(0), at(1), at(2)};
    if (id == 0x08 && length == 4) position = Position{Position::Kind::udh16, at(0) << 8 | at(1), at(2), at(3)};
    // §9.2.3.24.1: a total of 0, and a number of 0 or beyond the total, void the element.
    if (position && position->total > 0 && position->part > 0 && position->part <= position->total)
      header.position = position;
    if (id == 0x04 && length == 2) header.port = at(0);
    if (id == 0x05 && length == 4) header.port = at(0) << 8 | at(1);
    if (id == 0x24 && length == 1) header.shifts.single = static_cast<int>(at(0));
    if (id == 0x25 && length == 1) header.shifts.locking = static_cast<int>(at(0));
  }
  // Centres that put a long text together themselves may leave the bit behind: a letter is no header's length then.
  if (!rest.empty() && header.octets > longest_doubtful_header) return std::nullopt;
  return header;
}

}  // namespace wherry::sms

#include "connectors/oscar/convert/names.hpp"

#include "gateway/base/text.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

namespace wherry::oscar {

namespace {

constexpr std::size_t most_typed = 200, most_name = 64;
constexpr std::uint64_t least_uin = 10'000, most_uin = 2'147'483'646;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool has_ascii_only(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

icu::UnicodeString units_of(std::string_view utf8) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<int32_t>(utf8.size())));
}

std::string utf8_of(const icu::UnicodeString& units) {
  std::string utf8;
  units.toUTF8String(utf8);
  return utf8;
}

// Letter by letter, as open-oscar-server does: a final sigma is like any other.
std::string lowered(std::string_view utf8) {
  const icu::UnicodeString units = units_of(utf8);
  icu::UnicodeString lower;
  for (int32_t i = 0; i < units.length(); i = units.moveIndex32(i, 1)) lower.append(u_tolower(units.char32At(i)));
  return utf8_of(lower);
}

// As people's keyboards differ: a letter and its mark are one letter.
std::string composed(std::string name) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFCInstance(error);
  if (U_FAILURE(error)) return name;
  const icu::UnicodeString whole = normalizer->normalize(units_of(name), error);
  return U_FAILURE(error) ? name : utf8_of(whole);
}

bool may_stand_in_names(UChar32 c) {
  const auto kind = u_charType(c);
  const bool is_mark = kind == U_NON_SPACING_MARK || kind == U_COMBINING_SPACING_MARK;
  return u_isalnum(c) || is_mark || c == '.' || c == '_' || c == '-' || c == '@' || c == '+';
}

// Screen names have letters of any alphabet, and digits; those that are mail addresses came later.
bool is_screen_name(std::string_view plain) {
  if (!base::is_utf8(plain)) return false;
  const icu::UnicodeString units = units_of(plain);
  if (units.countChar32() < 2 || !u_isalpha(units.char32At(0))) return false;
  for (int32_t i = 0; i < units.length(); i = units.moveIndex32(i, 1)) {
    if (!may_stand_in_names(units.char32At(i))) return false;
  }
  return true;
}

base::Error not_a_contact() {
  return {base::Errc::bad_input, "A contact is an ICQ number like 123456789 or a screen name like Chatty Joe."};
}

}  // namespace

std::string plain_name(std::string_view name) {
  std::string plain =
      has_ascii_only(name) || !base::is_utf8(name) ? base::to_lower_ascii(name) : composed(lowered(name));
  std::erase(plain, ' ');
  return plain;
}

bool is_uin(std::string_view plain) { return !plain.empty() && std::all_of(plain.begin(), plain.end(), is_digit); }

base::Result<base::ContactId> parse_contact(std::string_view typed) {
  if (typed.size() > most_typed) return not_a_contact();
  if (!base::is_utf8(typed)) return not_a_contact();
  std::string plain = plain_name(base::trim(typed));
  const bool has_digits_only = std::all_of(plain.begin(), plain.end(), [](char c) { return is_digit(c) || c == '-'; });
  if (has_digits_only) std::erase(plain, '-');  // people write 123-456-789
  if (plain.empty() || plain.size() > most_name) return not_a_contact();
  if (is_uin(plain)) {
    const std::uint64_t number = plain.size() > 10 ? 0 : std::stoull(plain);
    if (number < least_uin || number > most_uin || plain[0] == '0') return not_a_contact();
    return base::ContactId{std::move(plain)};
  }
  if (!is_screen_name(plain)) return not_a_contact();
  return base::ContactId{std::move(plain)};
}

}  // namespace wherry::oscar

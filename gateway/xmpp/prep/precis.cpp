#include "gateway/xmpp/prep/precis.hpp"

#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <stdexcept>

namespace wherry::xmpp {

namespace {

using icu::Normalizer2;
using icu::UnicodeString;

base::Error refused_address(std::string text) { return {base::Errc::bad_input, std::move(text)}; }

UChar32 signed_of(char32_t c) { return static_cast<UChar32>(c); }

// ICU's own data are missing or unreadable: a broken installation.
const Normalizer2& checked(const Normalizer2* normalizer, UErrorCode status) {
  if (U_FAILURE(status)) throw std::runtime_error(std::string("ICU has no normalisation data: ") + u_errorName(status));
  return *normalizer;
}
const Normalizer2& nfc() {
  UErrorCode status = U_ZERO_ERROR;
  const auto* normalizer = Normalizer2::getNFCInstance(status);  // one object for the process, kept by ICU
  return checked(normalizer, status);
}
const Normalizer2& nfkc() {
  UErrorCode status = U_ZERO_ERROR;
  const auto* normalizer = Normalizer2::getNFKCInstance(status);
  return checked(normalizer, status);
}

std::u32string to_code_points(const UnicodeString& text) {
  std::u32string points;
  points.reserve(static_cast<std::size_t>(text.length()));
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) points += static_cast<char32_t>(text.char32At(i));
  return points;
}

// ---- Which characters (RFC 8264 §8) ----

// The derived property. "contextual": valid where in_context() says so.
enum class Derived { valid, freeform_only, contextual, disallowed };

bool is_digit_of(char32_t c, char32_t zero) { return c >= zero && c <= zero + 9; }
constexpr char32_t arabic_zero = 0x0660, extended_arabic_zero = 0x06F0;

// Exceptions (§9.6; RFC 5892 §2.6), but for the two rows of digits, which are contextual.
constexpr std::u32string_view exceptions_valid = U"\u00DF\u03C2\u06FD\u06FE\u0F0B\u3007";
constexpr std::u32string_view exceptions_contextual = U"\u00B7\u0375\u05F3\u05F4\u30FB";
constexpr std::u32string_view exceptions_disallowed = U"\u0640\u07FA\u302E\u302F\u3031\u3032\u3033\u3034\u3035\u303B";
constexpr bool holds(std::u32string_view set, char32_t c) { return set.find(c) != std::u32string_view::npos; }

Derived derived_property(char32_t c) {
  if (holds(exceptions_valid, c)) return Derived::valid;
  if (holds(exceptions_contextual, c)) return Derived::contextual;
  if (holds(exceptions_disallowed, c)) return Derived::disallowed;
  if (is_digit_of(c, arabic_zero) || is_digit_of(c, extended_arabic_zero)) return Derived::contextual;
  if (c >= 0x21 && c <= 0x7E) return Derived::valid;           // ASCII7
  if (c == 0x200C || c == 0x200D) return Derived::contextual;  // JoinControl

  const UChar32 point = signed_of(c);
  const auto category = U_GET_GC_MASK(point);
  const auto syllable = u_getIntPropertyValue(point, UCHAR_HANGUL_SYLLABLE_TYPE);
  const bool is_old_jamo =
      syllable == U_HST_LEADING_JAMO || syllable == U_HST_VOWEL_JAMO || syllable == U_HST_TRAILING_JAMO;
  if ((category & (U_GC_CN_MASK | U_GC_CC_MASK)) != 0 || is_old_jamo ||
      u_hasBinaryProperty(point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) {
    return Derived::disallowed;  // Unassigned and noncharacters, Controls, OldHangulJamo, PrecisIgnorableProperties
  }
  UErrorCode status = U_ZERO_ERROR;
  const bool has_compatible = !nfkc().isNormalized(UnicodeString(point), status);  // HasCompat
  if (!has_compatible && (category & (U_GC_L_MASK & ~U_GC_LT_MASK)) != 0) return Derived::valid;
  if (!has_compatible && (category & (U_GC_ND_MASK | U_GC_MN_MASK | U_GC_MC_MASK)) != 0) return Derived::valid;
  constexpr auto freeform = U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK | U_GC_ZS_MASK | U_GC_S_MASK | U_GC_P_MASK;
  return has_compatible || (category & freeform) != 0 ? Derived::freeform_only : Derived::disallowed;
}

// ---- Where they may stand (RFC 5892 appendix A) ----

bool has_script(char32_t c, UScriptCode script) {
  UErrorCode status = U_ZERO_ERROR;
  return uscript_getScript(signed_of(c), &status) == script;
}

UJoiningType joining_type(char32_t c) {
  return static_cast<UJoiningType>(u_getIntPropertyValue(signed_of(c), UCHAR_JOINING_TYPE));
}

bool follows_virama(std::u32string_view text, std::size_t i) {
  return i > 0 && u_getCombiningClass(signed_of(text[i - 1])) == 9;
}

// A letter that joins to the left, transparent ones, here, transparent ones, a letter that joins to the right (A.1).
bool breaks_a_join(std::u32string_view text, std::size_t i) {
  std::size_t before = i, after = i + 1;
  while (before > 0 && joining_type(text[before - 1]) == U_JT_TRANSPARENT) --before;
  while (after < text.size() && joining_type(text[after]) == U_JT_TRANSPARENT) ++after;
  if (before == 0 || after == text.size()) return false;
  const auto left = joining_type(text[before - 1]), right = joining_type(text[after]);
  return (left == U_JT_LEFT_JOINING || left == U_JT_DUAL_JOINING) &&
         (right == U_JT_RIGHT_JOINING || right == U_JT_DUAL_JOINING);
}

bool in_context(std::u32string_view text, std::size_t i) {
  const char32_t c = text[i];
  const auto any = [&](auto predicate) { return std::any_of(text.begin(), text.end(), predicate); };
  switch (c) {
    case 0x200C: return follows_virama(text, i) || breaks_a_join(text, i);                         // A.1
    case 0x200D: return follows_virama(text, i);                                                   // A.2
    case 0x00B7: return i > 0 && text[i - 1] == 'l' && i + 1 < text.size() && text[i + 1] == 'l';  // A.3
    case 0x0375: return i + 1 < text.size() && has_script(text[i + 1], USCRIPT_GREEK);             // A.4
    case 0x05F3:
    case 0x05F4: return i > 0 && has_script(text[i - 1], USCRIPT_HEBREW);  // A.5, A.6
    case 0x30FB:
      return any([](char32_t o) {  // A.7
        return has_script(o, USCRIPT_HIRAGANA) || has_script(o, USCRIPT_KATAKANA) || has_script(o, USCRIPT_HAN);
      });
    default: break;
  }
  const char32_t other_zero = is_digit_of(c, arabic_zero) ? extended_arabic_zero : arabic_zero;  // A.8, A.9
  return !any([&](char32_t o) { return is_digit_of(o, other_zero); });
}

// The first character that the class does not take, or npos.
std::size_t find_refused(std::u32string_view text, bool freeform) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (derived_property(text[i])) {
      case Derived::valid: break;
      case Derived::freeform_only:
        if (!freeform) return i;
        break;
      case Derived::contextual:
        if (!in_context(text, i)) return i;
        break;
      case Derived::disallowed: return i;
    }
  }
  return std::u32string_view::npos;
}

// ---- Directions (RFC 5893 §2) ----

constexpr std::uint32_t bit(UCharDirection direction) { return 1u << direction; }
template <class... Directions>
constexpr std::uint32_t bits(Directions... directions) {
  return (bit(directions) | ...);
}
std::uint32_t direction_of(char32_t c) { return bit(u_charDirection(signed_of(c))); }

bool keeps_bidi_rule(std::u32string_view text) {
  constexpr auto rtl = bits(U_RIGHT_TO_LEFT, U_RIGHT_TO_LEFT_ARABIC);
  constexpr auto en = bit(U_EUROPEAN_NUMBER), an = bit(U_ARABIC_NUMBER), nsm = bit(U_DIR_NON_SPACING_MARK);
  constexpr auto neutral = bits(U_EUROPEAN_NUMBER_SEPARATOR, U_COMMON_NUMBER_SEPARATOR, U_EUROPEAN_NUMBER_TERMINATOR,
                                U_OTHER_NEUTRAL, U_BOUNDARY_NEUTRAL);
  std::uint32_t present = 0;
  for (const char32_t c : text) present |= direction_of(c);
  if ((present & (rtl | an)) == 0) return true;  // the rule is for texts with such characters (RFC 8264 §5.2.5)

  auto last = text.size();
  while (last > 0 && direction_of(text[last - 1]) == nsm) --last;
  const auto first_direction = direction_of(text.front());
  const auto last_direction = last > 0 ? direction_of(text[last - 1]) : 0u;
  if (first_direction == bit(U_LEFT_TO_RIGHT)) {
    return (present & ~(first_direction | en | nsm | neutral)) == 0 && (last_direction & (first_direction | en)) != 0;
  }
  return (first_direction & rtl) != 0 && (present & ~(rtl | an | en | nsm | neutral)) == 0 &&
         (last_direction & (rtl | en | an)) != 0 && !((present & en) != 0 && (present & an) != 0);
}

// ---- Mappings ----

// Width mapping and lower case, character by character: no final sigma by context, so that ΟΔΟΣ and οδοσ are one.
UnicodeString map_username(const UnicodeString& text) {
  UnicodeString mapped;
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    UnicodeString wide(text.char32At(i));
    const auto type = u_getIntPropertyValue(wide.char32At(0), UCHAR_DECOMPOSITION_TYPE);
    if (type == U_DT_WIDE || type == U_DT_NARROW) {
      UnicodeString decomposed;
      if (nfkc().getRawDecomposition(wide.char32At(0), decomposed)) wide = decomposed;
    }
    mapped += wide.toLower(icu::Locale::getRoot());
  }
  return mapped;
}

UnicodeString map_opaque(const UnicodeString& text) {
  UnicodeString mapped;
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 c = text.char32At(i);
    mapped += u_charType(c) == U_SPACE_SEPARATOR ? UChar32{' '} : c;
  }
  return mapped;
}

// Maps until nothing changes: some texts need it twice; more than four rounds are refused (RFC 8264 §7).
base::Result<UnicodeString> map_until_stable(std::string_view utf8, UnicodeString (*map)(const UnicodeString&)) {
  if (!base::is_utf8(utf8)) return refused_address("The address is not UTF-8.");
  UnicodeString text = UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<int32_t>(utf8.size())));
  for (int round = 0; round < 4; ++round) {
    UErrorCode status = U_ZERO_ERROR;
    UnicodeString mapped = nfc().normalize(map(text), status);
    if (U_FAILURE(status)) return refused_address("The address cannot be normalised.");
    if (mapped == text) return text;
    text = std::move(mapped);
  }
  return refused_address("The address has no normal form.");
}

base::Result<std::string> enforce(std::string_view utf8, UnicodeString (*map)(const UnicodeString&), bool freeform) {
  auto mapped = map_until_stable(utf8, map);
  if (!mapped) return mapped.error();
  const auto points = to_code_points(*mapped);
  if (const auto at = find_refused(points, freeform); at != std::u32string::npos) {
    return refused_address(fmt::format("The character U+{:04X} may not stand in {} of an address.",
                                       static_cast<std::uint32_t>(points[at]), freeform ? "the resource" : "the name"));
  }
  if (!freeform && !keeps_bidi_rule(points)) {
    return refused_address("The name of the address mixes left-to-right and right-to-left characters.");
  }
  std::string result;
  mapped->toUTF8String(result);
  return result;
}

}  // namespace

base::Result<std::string> to_username_case_mapped(std::string_view text) { return enforce(text, map_username, false); }

base::Result<std::string> to_opaque_string(std::string_view text) { return enforce(text, map_opaque, true); }

bool is_identifier_character(char32_t c) {
  const auto property = derived_property(c);
  return property == Derived::valid || property == Derived::contextual;
}

}  // namespace wherry::xmpp

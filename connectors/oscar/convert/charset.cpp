#include "connectors/oscar/convert/charset.hpp"

#include "gateway/base/text.hpp"

#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>

namespace wherry::oscar {

namespace {

struct Close {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, Close>;

Converter open(const std::string& name) {
  UErrorCode error = U_ZERO_ERROR;
  Converter converter(ucnv_open(name.c_str(), &error));
  if (U_FAILURE(error)) converter.reset();
  return converter;
}

std::string to_utf8(const icu::UnicodeString& text) {
  std::string utf8;
  text.toUTF8String(utf8);
  return utf8;
}

std::string without_nuls(std::string text) {
  std::erase(text, '\0');
  return text;
}

// Some servers call UTF-16 ASCII. Then every other octet is a control character, which no text has: 00 (Latin), 03
// (Greek), 04 (Cyrillic), 05 (Hebrew), 06 (Arabic), 0E (Thai) … Chinese cannot be told from ASCII.
bool looks_like_utf16(std::string_view octets) {
  if (octets.empty() || octets.size() % 2 != 0) return false;
  const auto is_control = [](char c) { return c >= 0 && c < ' ' && c != '\t' && c != '\n' && c != '\r'; };
  std::size_t high = 0;
  for (std::size_t i = 0; i < octets.size(); i += 2) high += is_control(octets[i]) ? 1 : 0;
  return high * 2 >= octets.size() / 2;
}

// Octets of a code page that are well-formed UTF-8 by chance are so rare that they are UTF-8 (SIM, Kopete).
bool is_surely_utf8(std::string_view octets) {
  const bool is_ascii =
      std::all_of(octets.begin(), octets.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return !is_ascii && base::is_utf8(octets);
}

}  // namespace

bool is_code_page(const std::string& name) { return !name.empty() && open(name) != nullptr; }

std::string from_code_page(std::string_view octets, const std::string& code_page) {
  Converter converter = open(code_page);
  if (!converter) converter = open("ISO-8859-1");
  UErrorCode error = U_ZERO_ERROR;
  const icu::UnicodeString text(octets.data(), static_cast<int32_t>(octets.size()), converter.get(), error);
  if (U_FAILURE(error)) return "\uFFFD";
  return without_nuls(to_utf8(text));
}

std::string to_code_page(std::string_view text, const std::string& code_page) {
  const Converter converter = open(code_page);
  UErrorCode error = U_ZERO_ERROR;
  if (converter) ucnv_setFromUCallBack(converter.get(), UCNV_FROM_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
  if (!converter || U_FAILURE(error)) return std::string(text);
  const auto units = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  std::string octets(static_cast<std::size_t>(UCNV_GET_MAX_BYTES_FOR_STRING(units.length(), 4)), '\0');
  const int32_t written = ucnv_fromUChars(converter.get(), octets.data(), static_cast<int32_t>(octets.size()),
                                          units.getBuffer(), units.length(), &error);
  if (U_FAILURE(error)) return std::string(text);
  octets.resize(static_cast<std::size_t>(written));
  return octets;
}

std::string from_utf16(std::string_view octets) {
  icu::UnicodeString text;
  for (std::size_t i = 0; i + 1 < octets.size(); i += 2) {
    const auto high = static_cast<unsigned char>(octets[i]), low = static_cast<unsigned char>(octets[i + 1]);
    text.append(static_cast<char16_t>(high << 8 | low));
  }
  return without_nuls(to_utf8(text));
}

std::string to_utf16(std::string_view text) {
  const auto units = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  std::string octets;
  for (int32_t i = 0; i < units.length(); ++i) {
    octets += static_cast<char>(units.charAt(i) >> 8);
    octets += static_cast<char>(units.charAt(i) & 0xFF);
  }
  return octets;
}

std::string from_unnamed(std::string_view octets, const std::string& code_page) {
  if (looks_like_utf16(octets)) return from_utf16(octets);
  if (base::is_utf8(octets)) return without_nuls(std::string(octets));
  return from_code_page(octets, code_page);
}

std::string read_piece(const TextPiece& piece, const std::string& code_page) {
  switch (static_cast<Charset>(piece.charset)) {
    case Charset::utf16: return from_utf16(piece.octets);
    case Charset::latin1:
      return is_surely_utf8(piece.octets) ? without_nuls(piece.octets) : from_code_page(piece.octets, code_page);
    default: return from_unnamed(piece.octets, code_page);
  }
}

TextPiece write_piece(std::string_view text) {
  const bool is_ascii =
      std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!is_ascii) return write_unicode_piece(text);
  TextPiece piece;
  piece.octets = text;
  return piece;
}

TextPiece write_unicode_piece(std::string_view text) {
  TextPiece piece;
  piece.charset = static_cast<std::uint16_t>(Charset::utf16);
  piece.octets = to_utf16(text);
  return piece;
}

}  // namespace wherry::oscar

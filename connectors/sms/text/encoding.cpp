#include "connectors/sms/text/encoding.hpp"

#include "connectors/sms/text/gsm_tables.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <array>
#include <utility>

namespace wherry::sms {

namespace {

constexpr char32_t unreadable = 0xFFFD;

unsigned char octet(char c) { return static_cast<unsigned char>(c); }
char to_char(unsigned value) { return static_cast<char>(static_cast<unsigned char>(value)); }

// Character → septet, with 0x100 added where ESC comes first; -1 where there is none.
constexpr char32_t greek_end = 0x400, euro_sign = 0x20AC;  // the alphabet has nothing else above U+03FF
struct Gsm7Codes {
  std::array<std::int16_t, greek_end> low{};
  std::int16_t euro = -1;
};

Gsm7Codes make_gsm7_codes() {
  Gsm7Codes codes;
  codes.low.fill(-1);
  const auto set = [&](char32_t c, unsigned code) {
    std::int16_t& place = c == euro_sign ? codes.euro : codes.low.at(c);
    if (place < 0) place = static_cast<std::int16_t>(code);  // the default table comes first
  };
  for (unsigned i = 0; i < 128; ++i) {
    if (i != octet(escape_code)) set(gsm_default[i], i);
  }
  for (unsigned i = 0; i < 128; ++i) {
    if (const auto c = gsm_extension(0, static_cast<unsigned char>(i))) set(*c, i + 0x100);
  }
  return codes;
}

int gsm7_code(char32_t c) {
  static const Gsm7Codes codes = make_gsm7_codes();
  if (c < greek_end) return codes.low[c];
  return c == euro_sign ? codes.euro : -1;
}

}  // namespace

std::string_view to_string(Alphabet alphabet) {
  switch (alphabet) {
    case Alphabet::gsm7: return "gsm7";
    case Alphabet::gsm7_packed: return "gsm7_packed";
    case Alphabet::latin1: return "latin1";
    case Alphabet::ascii: return "ascii";
    case Alphabet::utf8: return "utf8";
    case Alphabet::ucs2: return "ucs2";
    case Alphabet::binary: return "binary";
  }
  return "binary";
}

std::optional<Alphabet> parse_alphabet(std::string_view text) {
  for (const Alphabet a : {Alphabet::gsm7, Alphabet::gsm7_packed, Alphabet::latin1, Alphabet::ascii, Alphabet::utf8,
                           Alphabet::ucs2, Alphabet::binary}) {
    if (to_string(a) == text) return a;
  }
  return std::nullopt;
}

std::u32string to_code_points(std::string_view utf8) {
  std::u32string text;
  text.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size();) {
    const unsigned char lead = octet(utf8[i]);
    if (lead < 0x80) {
      text += lead;
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (!base::is_utf8(utf8.substr(i, length))) {
      text += unreadable;
      ++i;
      continue;
    }
    char32_t c = lead & (0xFFU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) c = (c << 6) | (octet(utf8[i + k]) & 0x3FU);
    text += c;
    i += length;
  }
  return text;
}

std::string to_utf8(std::u32string_view code_points) {
  std::string text;
  text.reserve(code_points.size());
  for (char32_t c : code_points) {
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = unreadable;
    if (c < 0x80) {
      text += to_char(c);
    } else if (c < 0x800) {
      text += to_char(0xC0 | (c >> 6));
      text += to_char(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      text += to_char(0xE0 | (c >> 12));
      text += to_char(0x80 | ((c >> 6) & 0x3F));
      text += to_char(0x80 | (c & 0x3F));
    } else {
      text += to_char(0xF0 | (c >> 18));
      text += to_char(0x80 | ((c >> 12) & 0x3F));
      text += to_char(0x80 | ((c >> 6) & 0x3F));
      text += to_char(0x80 | (c & 0x3F));
    }
  }
  return text;
}

int gsm7_septets(char32_t c) {
  const int code = gsm7_code(c);
  return code < 0 ? 0 : code < 0x100 ? 1 : 2;
}

std::optional<std::string> to_gsm7(std::u32string_view text) {
  std::string septets;
  septets.reserve(text.size());
  for (const char32_t c : text) {
    const int code = gsm7_code(c);
    if (code < 0) return std::nullopt;
    if (code >= 0x100) septets += escape_code;
    septets += to_char(static_cast<unsigned>(code) & 0x7F);
  }
  return septets;
}

std::u32string from_gsm7(std::string_view septets, Shifts shifts) {
  std::u32string text;
  text.reserve(septets.size());
  for (std::size_t i = 0; i < septets.size(); ++i) {
    const unsigned char septet = octet(septets[i]) & 0x7F;
    if (septet != octet(escape_code)) {
      text += gsm_locking(shifts.locking, septet);
      continue;
    }
    if (i + 1 == septets.size()) {
      text += U' ';
      break;
    }
    const unsigned char next = octet(septets[++i]) & 0x7F;
    if (next == octet(escape_code)) text += U' ';  // SS2: reserved for another table; a space meanwhile
    else if (next == 0x0D) text += U'\r';          // CR2, a control character
    else text += gsm_extension(shifts.single, next).value_or(gsm_default[next]);
  }
  return text;
}

std::string pack_septets(std::string_view septets, std::size_t header_octets, Padding padding) {
  const std::size_t fill = (7 - header_octets * 8 % 7) % 7;
  const std::size_t bits = fill + septets.size() * 7;
  std::string octets((bits + 7) / 8, '\0');
  std::size_t bit = fill;
  const auto put = [&](unsigned septet) {
    const unsigned shifted = septet << (bit % 8);
    octets[bit / 8] = to_char(octet(octets[bit / 8]) | (shifted & 0xFF));
    if (shifted > 0xFF) octets[bit / 8 + 1] = to_char(octet(octets[bit / 8 + 1]) | (shifted >> 8));
    bit += 7;
  };
  for (const char c : septets) put(octet(c) & 0x7F);
  if (padding == Padding::carriage_return && octets.size() * 8 - bits == 7) put(0x0D);
  return octets;
}

std::string unpack_septets(std::string_view octets, std::size_t count, std::size_t header_octets) {
  const std::size_t fill = (7 - header_octets * 8 % 7) % 7;
  std::string septets;
  for (std::size_t bit = fill; septets.size() < count && bit + 7 <= octets.size() * 8; bit += 7) {
    unsigned pair = octet(octets[bit / 8]);
    if (bit / 8 + 1 < octets.size()) pair |= static_cast<unsigned>(octet(octets[bit / 8 + 1])) << 8;
    septets += to_char((pair >> (bit % 8)) & 0x7F);
  }
  return septets;
}

std::string unpack_all_septets(std::string_view octets, std::size_t header_octets, Rest rest) {
  const std::size_t fill = (7 - header_octets * 8 % 7) % 7;
  const std::size_t bits = octets.size() * 8 - std::min(octets.size() * 8, fill);
  std::string septets = unpack_septets(octets, bits / 7, header_octets);
  const bool padded = septets.ends_with('\r') || (rest == Rest::last && septets.ends_with('\0'));
  if (bits % 7 == 0 && padded) septets.pop_back();
  return septets;
}

std::string to_ucs2(std::u32string_view text) {
  std::string octets;
  octets.reserve(text.size() * 2);
  const auto put = [&](char32_t unit) {
    octets += to_char(unit >> 8);
    octets += to_char(unit & 0xFF);
  };
  for (const char32_t c : text) {
    if (c < 0x10000) {
      put(c);
    } else {
      put(0xD800 + ((c - 0x10000) >> 10));
      put(0xDC00 + ((c - 0x10000) & 0x3FF));
    }
  }
  return octets;
}

std::u32string from_ucs2(std::string_view octets) {
  std::u32string text;
  text.reserve(octets.size() / 2);
  const auto unit = [&](std::size_t i) { return static_cast<char32_t>(octet(octets[i]) << 8 | octet(octets[i + 1])); };
  for (std::size_t i = 0; i + 1 < octets.size(); i += 2) {
    char32_t c = unit(i);
    if (c >= 0xD800 && c <= 0xDBFF && i + 3 < octets.size() && unit(i + 2) >= 0xDC00 && unit(i + 2) <= 0xDFFF) {
      c = 0x10000 + ((c - 0xD800) << 10) + (unit(i + 2) - 0xDC00);
      i += 2;
    } else if (c >= 0xD800 && c <= 0xDFFF) {
      c = unreadable;
    }
    text += c;
  }
  if (octets.size() % 2 != 0) text += unreadable;
  return text;
}

std::optional<ByteOrder> byte_order(std::string_view octets) {
  if (octets.starts_with("\xFE\xFF")) return ByteOrder::big;
  if (octets.starts_with("\xFF\xFE")) return ByteOrder::little;
  return std::nullopt;
}

namespace {

std::u32string read_utf16(std::string_view octets) {
  const auto order = byte_order(octets);
  if (order) octets.remove_prefix(2);
  if (order != ByteOrder::little) return from_ucs2(octets);
  std::string swapped(octets);
  for (std::size_t i = 0; i + 1 < swapped.size(); i += 2) std::swap(swapped[i], swapped[i + 1]);
  return from_ucs2(swapped);
}

}  // namespace

std::optional<std::string> encode(std::u32string_view text, Alphabet alphabet) {
  switch (alphabet) {
    case Alphabet::gsm7:
    case Alphabet::gsm7_packed: return to_gsm7(text);  // packed last, where the header is known
    case Alphabet::utf8: return to_utf8(text);
    case Alphabet::ucs2: return to_ucs2(text);
    case Alphabet::latin1:
    case Alphabet::ascii: {
      const char32_t most = alphabet == Alphabet::ascii ? 0x7F : 0xFF;
      std::string octets;
      for (const char32_t c : text) {
        if (c > most) return std::nullopt;
        octets += to_char(c);
      }
      return octets;
    }
    case Alphabet::binary: return std::nullopt;
  }
  return std::nullopt;
}

std::string decode(std::string_view octets, Alphabet alphabet, Shifts shifts) {
  switch (alphabet) {
    case Alphabet::gsm7: return to_utf8(from_gsm7(octets, shifts));
    case Alphabet::gsm7_packed: return to_utf8(from_gsm7(unpack_all_septets(octets), shifts));
    case Alphabet::ucs2: return to_utf8(read_utf16(octets));
    case Alphabet::utf8: return to_utf8(to_code_points(octets.substr(octets.starts_with("\xEF\xBB\xBF") ? 3 : 0)));
    case Alphabet::latin1:
    case Alphabet::ascii: {
      std::u32string text;
      for (const char c : octets) text += alphabet == Alphabet::ascii && octet(c) > 0x7F ? unreadable : octet(c);
      return to_utf8(text);
    }
    case Alphabet::binary: return fmt::format("[{} bytes of data that is not text]", octets.size());
  }
  return {};
}

std::u32string simplify(std::u32string_view text) {
  std::u32string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (const char32_t c = text[i]) {
      case U'\u2018':
      case U'\u2019':
      case U'\u201A':
      case U'\u2032': plain += U'\''; break;
      case U'\u201C':
      case U'\u201D':
      case U'\u201E':
      case U'\u2033':
      case U'\u00AB':
      case U'\u00BB': plain += U'"'; break;
      case U'\u2013':
      case U'\u2014':
      case U'\u2212': plain += U'-'; break;
      case U'\u2026': plain += U"..."; break;
      case U'\u00A0':
      case U'\u2007':
      case U'\u202F':
      case U'\u2009':
      case U'\t': plain += U' '; break;
      case U'\u200B':
      case U'\uFEFF': break;
      case U'\u2022': plain += U'*'; break;
      case U'\r':
        if (i + 1 < text.size() && text[i + 1] == U'\n') break;
        [[fallthrough]];
      default: plain += c;
    }
  }
  return plain;
}

Coding coding_of(std::uint8_t data_coding, Alphabet link) {
  switch (data_coding) {  // SMPP 3.4 §5.2.19
    case 0x00: return {link};
    case 0x01: return {Alphabet::ascii};
    case 0x02:
    case 0x04:
    case 0x09: return {Alphabet::binary};
    case 0x03: return {Alphabet::latin1};
    case 0x05: return {Alphabet::binary, "CP932"};
    case 0x06: return {Alphabet::binary, "ISO-8859-5"};
    case 0x07: return {Alphabet::binary, "ISO-8859-8"};
    case 0x08: return {Alphabet::ucs2};
    case 0x0A: return {Alphabet::binary, "ISO-2022-JP-3"};
    case 0x0D: return {Alphabet::binary, "EUC-JP"};
    case 0x0E: return {Alphabet::binary, "CP949"};
    default: break;
  }
  // TS 23.038 §4. The octets are still one septet each, as short_message has them, unless the link packs them.
  const Alphabet gsm = link == Alphabet::gsm7_packed ? Alphabet::gsm7_packed : Alphabet::gsm7;
  if (data_coding >= 0xF0) return {(data_coding & 0x04) != 0 ? Alphabet::binary : gsm};
  if (data_coding >= 0xE0) return {Alphabet::ucs2};
  if (data_coding >= 0xC0) return {gsm, nullptr, data_coding <= 0xCF};
  // Two groups that mean the same here: with a class, and marked for automatic deletion; above each its compressed
  // half.
  if ((data_coding >= 0x10 && data_coding <= 0x1F) || (data_coding >= 0x40 && data_coding <= 0x5F)) {
    switch (data_coding & 0x0C) {
      case 0x00: return {gsm};
      case 0x08: return {Alphabet::ucs2};
      default: return {Alphabet::binary};
    }
  }
  return {Alphabet::binary};
}

std::string decode_charset(std::string_view octets, const std::string& charset) {
  const iconv_t converter = iconv_open("UTF-8", charset.c_str());
  if (converter == reinterpret_cast<iconv_t>(-1)) return decode(octets, Alphabet::binary);
  std::string input(octets), output(octets.size() * 4 + 16, '\0');
  char *in = input.data(), *out = output.data();
  std::size_t in_left = input.size(), out_left = output.size();
  while (in_left > 0 && iconv(converter, &in, &in_left, &out, &out_left) == static_cast<std::size_t>(-1)) {
    if (in_left == 0 || out_left < 3) break;
    std::copy_n("\xEF\xBF\xBD", 3, out);  // U+FFFD for one octet; what follows it is read again
    out += 3;
    out_left -= 3;
    ++in;
    --in_left;
  }
  iconv_close(converter);
  output.resize(output.size() - out_left);
  return output;
}

}  // namespace wherry::sms

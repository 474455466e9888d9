// The alphabets of text messages (3GPP TS 23.038) and what else SMS centres use in their place. Pure functions.
// Text is UTF-8 outside and UTF-32 while it is being measured.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wherry::sms {

// How the octets of a segment are to be read. gsm7: one septet per octet; gsm7_packed: eight septets in seven octets.
enum class Alphabet { gsm7, gsm7_packed, latin1, ascii, utf8, ucs2, binary };
std::string_view to_string(Alphabet alphabet);
std::optional<Alphabet> parse_alphabet(std::string_view text);

// National languages that a text declares in its header (TS 23.038 §6.2.1.2): 0 none, 1 Turkish, 2 Spanish (single
// only), 3 Portuguese. Others are read with the default tables.
struct Shifts {
  int single = 0;
  int locking = 0;
  bool operator==(const Shifts&) const = default;
};

std::u32string to_code_points(std::string_view utf8);  // an ill-formed octet becomes U+FFFD
std::string to_utf8(std::u32string_view code_points);

// The septets that `c` takes in GSM 7: 1, 2 (by way of ESC), or 0 where the alphabet lacks it.
int gsm7_septets(char32_t c);
// One septet per octet; nothing where a character is not in the alphabet.
std::optional<std::string> to_gsm7(std::u32string_view text);
// Any octets: bit 8 is ignored, an unknown extension shows the default table's character, a lone ESC a space (TS 23.038
// §6.2.1.1).
std::u32string from_gsm7(std::string_view septets, Shifts shifts = {});

// TS 23.038 §6.1.2.1. `header_octets`: the length of the user data header, after which the first septet begins on a
// septet's border. Where no length in septets travels along, seven spare bits at the end would read as '@':
// Padding::carriage_return makes them a CR (§6.1.2.3.1).
enum class Padding { zero, carriage_return };
std::string pack_septets(std::string_view septets, std::size_t header_octets = 0, Padding padding = Padding::zero);
std::string unpack_septets(std::string_view octets, std::size_t count, std::size_t header_octets = 0);

std::string to_ucs2(std::u32string_view text);      // UTF-16BE
std::u32string from_ucs2(std::string_view octets);  // half a pair, or half a unit, becomes U+FFFD

// As many septets as `octets` have room for. A CR in the last seven bits is padding; at the end of a text a zero is,
// too: SMS centres that leave these bits empty are more frequent than texts of just that length that end with '@'.
enum class Rest { last, more_follows };
std::string unpack_all_septets(std::string_view octets, std::size_t header_octets = 0, Rest rest = Rest::last);

// In one of the one-octet alphabets or UTF-8; nothing where a character cannot be written.
std::optional<std::string> encode(std::u32string_view text, Alphabet alphabet);
// Never fails: what cannot be read becomes U+FFFD. Binary data gives its length in words. A byte order mark at the
// beginning tells the order and goes (RFC 2781 §3.2, RFC 3629 §6).
std::string decode(std::string_view octets, Alphabet alphabet, Shifts shifts = {});

// Replaces typographic marks by plain ones where that keeps the meaning, so that a curly quote does not halve a text.
std::u32string simplify(std::u32string_view text);

// The alphabet of SMPP's data_coding (§5.2.19), or of TS 23.038's coding group passed through by SMS centres.
// `link`: what this SMS centre's default alphabet is.
struct Coding {
  Alphabet alphabet = Alphabet::gsm7;
  const char* charset = nullptr;  // where iconv must read it
  bool discard_if_empty = false;  // message waiting indication, group "discard"
};
Coding coding_of(std::uint8_t data_coding, Alphabet link);
// Text in one of iconv's character sets: each octet that cannot be read becomes U+FFFD. Where the set is not to be had,
// the octets as binary.
std::string decode_charset(std::string_view octets, const std::string& charset);

// The mark at the beginning of a UTF-16 text, if there is one. Without one SMPP's order is the network's (big-endian).
enum class ByteOrder { big, little };
std::optional<ByteOrder> byte_order(std::string_view octets);

}  // namespace wherry::sms

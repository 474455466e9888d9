// The text of a segment in every alphabet: always UTF-8 in the end, whatever the octets are (3GPP TS 23.038, 23.040).
#include "connectors/sms/text/encoding.hpp"
#include "connectors/sms/text/segments.hpp"
#include "gateway/base/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace wherry::sms;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  const std::uint8_t data_coding = input.byte(), language = input.byte();
  const std::string octets(input.rest());
  const Shifts shifts{language & 15, language >> 4};
  if (const auto header = parse_header(octets)) HOLDS(header->octets <= octets.size());
  for (const Alphabet alphabet : {Alphabet::gsm7, Alphabet::gsm7_packed, Alphabet::latin1, Alphabet::ascii,
                                  Alphabet::utf8, Alphabet::ucs2, Alphabet::binary}) {
    const std::string text = decode(octets, alphabet, shifts);
    HOLDS(wherry::base::is_utf8(text));
    const Coding coding = coding_of(data_coding, alphabet);
    if (coding.charset) HOLDS(wherry::base::is_utf8(decode_charset(octets, coding.charset)));
    SplitOptions options;
    options.link = alphabet == Alphabet::ucs2 || alphabet == Alphabet::binary ? Alphabet::gsm7 : alphabet;
    options.most_parts = 255;
    options.simplify = (language & 1) != 0;
    if (const auto parts = split(text, options)) HOLDS(!parts->parts.empty());
  }
  const auto points = to_code_points(octets);
  HOLDS(from_ucs2(to_ucs2(points)) == points);
  (void)unpack_all_septets(octets, language);
  return 0;
}

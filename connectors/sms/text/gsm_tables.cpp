#include "connectors/sms/text/gsm_tables.hpp"

#include <span>

namespace wherry::sms {

const std::array<char16_t, 128> gsm_default = {
    u'@', u'£', u'$', u'¥', u'è', u'é', u'ù', u'ì',  u'ò', u'Ç', u'\n', u'Ø',    u'ø', u'\r', u'Å', u'å',
    u'Δ', u'_', u'Φ', u'Γ', u'Λ', u'Ω', u'Π', u'Ψ',  u'Σ', u'Θ', u'Ξ',  u'\x1B', u'Æ', u'æ',  u'ß', u'É',
    u' ', u'!', u'"', u'#', u'¤', u'%', u'&', u'\'', u'(', u')', u'*',  u'+',    u',', u'-',  u'.', u'/',
    u'0', u'1', u'2', u'3', u'4', u'5', u'6', u'7',  u'8', u'9', u':',  u';',    u'<', u'=',  u'>', u'?',
    u'¡', u'A', u'B', u'C', u'D', u'E', u'F', u'G',  u'H', u'I', u'J',  u'K',    u'L', u'M',  u'N', u'O',
    u'P', u'Q', u'R', u'S', u'T', u'U', u'V', u'W',  u'X', u'Y', u'Z',  u'Ä',    u'Ö', u'Ñ',  u'Ü', u'§',
    u'¿', u'a', u'b', u'c', u'd', u'e', u'f', u'g',  u'h', u'i', u'j',  u'k',    u'l', u'm',  u'n', u'o',
    u'p', u'q', u'r', u's', u't', u'u', u'v', u'w',  u'x', u'y', u'z',  u'ä',    u'ö', u'ñ',  u'ü', u'à'};

namespace {

struct Change {
  unsigned char position;
  char16_t character;
};

constexpr Change extension_table[] = {{0x0A, u'\f'}, {0x14, u'^'}, {0x28, u'{'}, {0x29, u'}'}, {0x2F, u'\\'},
                                      {0x3C, u'['},  {0x3D, u'~'}, {0x3E, u']'}, {0x40, u'|'}, {0x65, u'€'}};

// Each national table is the default one with some places changed.
constexpr Change turkish_single[] = {{0x47, u'Ğ'}, {0x49, u'İ'}, {0x53, u'Ş'}, {0x63, u'ç'},
                                     {0x67, u'ğ'}, {0x69, u'ı'}, {0x73, u'ş'}};
constexpr Change spanish_single[] = {{0x09, u'ç'}, {0x41, u'Á'}, {0x49, u'Í'}, {0x4F, u'Ó'}, {0x55, u'Ú'},
                                     {0x61, u'á'}, {0x69, u'í'}, {0x6F, u'ó'}, {0x75, u'ú'}};
constexpr Change portuguese_single[] = {
    {0x05, u'ê'}, {0x09, u'ç'}, {0x0B, u'Ô'}, {0x0C, u'ô'}, {0x0E, u'Á'}, {0x0F, u'á'}, {0x12, u'Φ'},
    {0x13, u'Γ'}, {0x15, u'Ω'}, {0x16, u'Π'}, {0x17, u'Ψ'}, {0x18, u'Σ'}, {0x19, u'Θ'}, {0x1F, u'Ê'},
    {0x41, u'À'}, {0x49, u'Í'}, {0x4F, u'Ó'}, {0x55, u'Ú'}, {0x5B, u'Ã'}, {0x5C, u'Õ'}, {0x61, u'Â'},
    {0x69, u'í'}, {0x6F, u'ó'}, {0x75, u'ú'}, {0x7B, u'ã'}, {0x7C, u'õ'}, {0x7F, u'â'}};

constexpr Change turkish_locking[] = {{0x04, u'€'}, {0x07, u'ı'}, {0x0B, u'Ğ'}, {0x0C, u'ğ'},
                                      {0x1C, u'Ş'}, {0x1D, u'ş'}, {0x40, u'İ'}, {0x60, u'ç'}};
constexpr Change portuguese_locking[] = {
    {0x04, u'ê'}, {0x06, u'ú'}, {0x07, u'í'}, {0x08, u'ó'}, {0x09, u'ç'}, {0x0B, u'Ô'}, {0x0C, u'ô'},  {0x0E, u'Á'},
    {0x0F, u'á'}, {0x12, u'ª'}, {0x13, u'Ç'}, {0x14, u'À'}, {0x15, u'∞'}, {0x16, u'^'}, {0x17, u'\\'}, {0x18, u'€'},
    {0x19, u'Ó'}, {0x1A, u'|'}, {0x1C, u'Â'}, {0x1D, u'â'}, {0x1F, u'Ê'}, {0x24, u'º'}, {0x40, u'Í'},  {0x5B, u'Ã'},
    {0x5C, u'Õ'}, {0x5D, u'Ú'}, {0x60, u'~'}, {0x7B, u'ã'}, {0x7C, u'õ'}, {0x7D, u'`'}};

std::optional<char16_t> look_up(std::span<const Change> table, unsigned char position) {
  for (const Change& change : table) {
    if (change.position == position) return change.character;
  }
  return std::nullopt;
}

std::span<const Change> single_shift(int language) {
  switch (language) {
    case 1: return turkish_single;
    case 2: return spanish_single;
    case 3: return portuguese_single;
    default: return {};
  }
}

std::span<const Change> locking_shift(int language) {
  switch (language) {
    case 1: return turkish_locking;
    case 3: return portuguese_locking;
    default: return {};
  }
}

}  // namespace

std::optional<char16_t> gsm_extension(int language, unsigned char position) {
  if (const auto national = look_up(single_shift(language), position)) return national;
  return look_up(extension_table, position);
}

char16_t gsm_locking(int language, unsigned char position) {
  return look_up(locking_shift(language), position).value_or(gsm_default[position]);
}

}  // namespace wherry::sms

// The tables of 3GPP TS 23.038: the default alphabet, its extension, and the national ones that are read here.
#pragma once

#include <array>
#include <optional>

namespace wherry::sms {

inline constexpr char escape_code = 0x1B;

// §6.2.1: position → character; ESC itself is U+001B.
extern const std::array<char16_t, 128> gsm_default;

// The character at `position` after ESC, with the single shift table of `language` (§6.2.1.1, Annex A.2).
std::optional<char16_t> gsm_extension(int language, unsigned char position);

// The character at `position` with the locking shift table of `language` (Annex A.3).
char16_t gsm_locking(int language, unsigned char position);

}  // namespace wherry::sms

// What a file is by its first octets, whatever its sender says (WHATWG MIME Sniffing §6).
#pragma once

#include <string>
#include <string_view>

namespace wherry::base {

// So many of its first octets tell.
inline constexpr std::size_t telling_octets = 32;

// "image/png". Empty: none of the pictures, sounds and films that people send each other.
std::string media_type_of(std::string_view octets);

// What a file's name ends in, with the dot, so that programs know what it is: ".png"; ".bin" for what nobody knows.
std::string_view ending_of(std::string_view media_type);

}  // namespace wherry::base

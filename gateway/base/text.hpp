// Small text tools that the standard library lacks.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::base {

std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string to_lower_ascii(std::string_view text);

// The one of `words` that was most likely meant by `typed`, which is none of them: two letters at most are more, less,
// other or swapped with their neighbour, and no more than every third. Empty where there is none.
std::string nearest(std::string_view typed, const std::set<std::string, std::less<>>& words);

std::string to_hex(std::string_view bytes);  // lower case
std::optional<std::string> from_hex(std::string_view hex);
std::string to_base64(std::string_view bytes);  // RFC 4648 §4, padded
std::optional<std::string> from_base64(std::string_view text);
std::string sha1(std::string_view bytes);  // 20 octets; for what specifications demand it of, not for secrets

// Whether `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

// How many characters (code points) a text has.
std::size_t utf8_characters(std::string_view text);
// The longest start of `text` that has at most `most_bytes` bytes and ends between characters.
std::string_view utf8_prefix(std::string_view text, std::size_t most_bytes);

// "2026-11-23T01:02:03.456Z" (RFC 3339, XEP-0082).
std::string to_rfc3339(std::chrono::system_clock::time_point time);

// `bytes` random octets from the system's generator, in lower-case hexadecimal.
std::string random_hex(std::size_t bytes);

// 32 random bits of the same generator, for what must differ but need not be secret: seeds of back-offs.
std::uint32_t random_number();

}  // namespace wherry::base

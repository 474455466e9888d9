// Parts of storage keys, and digests of contents.
#pragma once

#include <string>
#include <string_view>

namespace wherry::sms {

// Letters, digits and . _ - : + stay, everything else becomes %XX: no '/', no '|', valid UTF-8 whatever comes in.
std::string escape_key(std::string_view text);
std::string unescape_key(std::string_view text);

std::string digest(std::string_view octets);  // 32 hexadecimal digits (BLAKE2b)

}  // namespace wherry::sms

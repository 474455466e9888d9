// Percent-encoding of the words of a command. Pure.
#pragma once

#include <string>
#include <string_view>

namespace wherry::msn {

// All but letters, digits and "-_.~@" is encoded; letters beyond ASCII, too.
std::string to_percent(std::string_view text);

// Lenient: what is no escape stays as it is. Control characters are left out; the rest is as to_utf8() has it.
std::string from_percent(std::string_view text);

// Well-formed UTF-8: what is not is read as ISO 8859-1.
std::string to_utf8(std::string_view text);

}  // namespace wherry::msn

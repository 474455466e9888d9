// The little XML that MSN speaks, in personal messages and around offline messages. Pure; lenient in reading.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wherry::msn {

// For text and for attributes in either kind of quotes. Control characters but line breaks and tabs become spaces.
std::string escape_xml(std::string_view text);

// Entities by name and number; control characters but line breaks and tabs are left out. The result is UTF-8.
std::string unescape_xml(std::string_view text);

// What stands in the first element of that name, as it is written there; nothing where there is none. A name with a
// prefix ("q0:Fault") is found without it. No element is looked for within itself.
std::optional<std::string_view> find_element(std::string_view xml, std::string_view name);

// The same, unescaped; "" where there is none.
std::string element_text(std::string_view xml, std::string_view name);

}  // namespace wherry::msn

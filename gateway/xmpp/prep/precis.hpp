// The two PRECIS profiles of addresses (RFC 8264, RFC 8265), by ICU's Unicode data. Used by jid and idna; ASCII does
// not come this far.
#pragma once

#include "gateway/base/error.hpp"

#include <string>
#include <string_view>

namespace wherry::xmpp {

// `text` (UTF-8) as a user name: narrow and wide forms mapped, lower case, NFC; bad_input where RFC 8265 §3.3 refuses
// it.
base::Result<std::string> to_username_case_mapped(std::string_view text);

// `text` (UTF-8) as an opaque string: every space U+0020, NFC; bad_input where RFC 8265 §4.2 refuses it.
base::Result<std::string> to_opaque_string(std::string_view text);

// Whether the IdentifierClass takes that character, at least in some contexts (RFC 8264 §4.2).
bool is_identifier_character(char32_t c);

}  // namespace wherry::xmpp

// Local parts for foreign identifiers (XEP-0106 v1.1): "a b@c" ↔ "a\20b\40c".
#pragma once

#include <string>
#include <string_view>

namespace wherry::xmpp {

// Escapes what a local part may not hold. A space at either end stays as it is, and is then no valid local part
// (XEP-0106 §3.2 forbids to escape it); the caller trims first.
std::string escape_local(std::string_view plain);
// The inverse, of a prepared local part. What is no escape of the table stays as it is, and so does \20 at either end.
std::string unescape_local(std::string_view escaped);

}  // namespace wherry::xmpp

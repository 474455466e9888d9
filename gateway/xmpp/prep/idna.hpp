// The domain of an address: a name by IDNA2008 or an address literal (RFC 7622 §3.2). Used by jid, for what is not a
// plain ASCII name.
#pragma once

#include "gateway/base/error.hpp"

#include <string>
#include <string_view>

namespace wherry::xmpp {

// `domain` (UTF-8) in its canonical form: U-labels in lower case without a final dot, or an IPv6 literal in brackets as
// RFC 5952 writes it; bad_input where it is neither.
base::Result<std::string> to_canonical_domain(std::string_view domain);

}  // namespace wherry::xmpp

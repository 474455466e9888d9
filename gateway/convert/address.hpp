// How contacts look as JIDs, in both directions, and nowhere else (XEP-0106; XEP-0100 §4.5).
#pragma once

#include "gateway/base/ids.hpp"
#include "gateway/xmpp/jid.hpp"

#include <string>
#include <string_view>

namespace wherry::convert {

// "+15550100" at sms.test → +15550100@sms.test; what a local part may not hold is escaped. Fails for an id that no local
// part can hold (empty, too long).
base::Result<xmpp::Jid> to_jid(const base::ContactId& contact, const xmpp::Jid& domain);

// The id that a local part stands for, by the first reading: unescaped. The connector decides what is valid.
std::string typed_by(const xmpp::Jid& address);

// What a person typed into jabber:iq:gateway: surrounding space and an xmpp:, sms: or tel: scheme removed.
std::string tidy(std::string_view typed);

}  // namespace wherry::convert

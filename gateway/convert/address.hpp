// How contacts look as JIDs, in both directions, and nowhere else (XEP-0106; XEP-0100 §4.5; RFC 7622 §3.3).
//
// For every id that a connector mints, id_of(to_jid(id)) == id, whatever a server does to a local part: what
// preparation would change or refuse is written as \xx, the value of each byte in two lower-case hexadecimal digits.
#pragma once

#include "gateway/base/ids.hpp"
#include "gateway/xmpp/jid.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wherry::convert {

// "+15550100" at sms.test → +15550100@sms.test; "Nurse" at im.test → \4eurse@im.test. Fails for an id that no local
// part can hold (empty, too long, not UTF-8).
base::Result<xmpp::Jid> to_jid(const base::ContactId& contact, const xmpp::Jid& domain);

// The id that a local part stands for, by the first reading: the one that is written so, else unescaped as XEP-0106 has
// it, since a person may have typed it. The connector decides what is valid.
std::string typed_by(const xmpp::Jid& address);

// The id behind an address that nobody types: it has escapes beyond those of XEP-0106, and is written exactly so. Where
// the connector takes that id at all, it is the true one, however the connector reads what people type.
std::optional<base::ContactId> minted(std::string_view local);

// An address as a URI (RFC 5122 §2.2): xmpp:+15550100@sms.test.
std::string to_uri(const xmpp::Jid& address);

// What a person typed into jabber:iq:gateway: surrounding space and an xmpp:, sms: or tel: scheme removed.
std::string tidy(std::string_view typed);

}  // namespace wherry::convert

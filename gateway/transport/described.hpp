// What the gateway and its contacts are and can do: the payload of disco#info (XEP-0030 v2.5.0). Features come from the
// router, so that nothing is announced that is not handled.
#pragma once

#include "gateway/transport/transport.hpp"

#include <string>
#include <string_view>

namespace wherry::transport {

// "SMS"; of a further account "SMS (work)".
std::string name_of(const Transport& transport, const std::string& alias);

// A face, to somebody who has an account here or may have one (`may_register`), or to a stranger.
xmpp::Element describe_face(Transport& transport, const Address& face, bool may_register);

// A contact of `account`, or, where that is null, of nobody's. `name`: may be empty.
xmpp::Element describe_contact(Transport& transport, const accounts::LiveAccount* account,
                               const base::ContactId& contact, std::string_view name);

}  // namespace wherry::transport

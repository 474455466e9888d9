// XEP-0172 (v1.1): what contacts call themselves, in their presence.
#include "gateway/features/features.hpp"

namespace wherry::features {

void install_nicknames(Transport& transport) {
  transport.decorate_presence([](const LiveAccount&, const accounts::LiveContact* contact, xmpp::Element& presence) {
    if (contact && !contact->row.nick.empty()) presence.add("nick", ns::nick).set_text(contact->row.nick);
  });
}

}  // namespace wherry::features

// XEP-0319 (v1.0.2): since when contacts have not touched their programs.
#include "gateway/features/features.hpp"

#include "gateway/base/text.hpp"

namespace wherry::features {

void install_last_activity(Transport& transport) {
  transport.decorate_presence([](const LiveAccount&, const accounts::LiveContact* contact, xmpp::Element& presence) {
    if (contact && contact->idle_since)
      presence.add("idle", ns::idle).set("since", base::to_rfc3339(*contact->idle_since));
  });
}

}  // namespace wherry::features

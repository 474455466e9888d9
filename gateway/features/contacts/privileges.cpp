// XEP-0356 (v0.4.1) §4.2: what the user's server lets us do in their name. Of it we use the roster (transport/rosters).
#include "gateway/features/features.hpp"

#include "gateway/base/log.hpp"

namespace wherry::features {

namespace {

// Each of a server's domains tells for itself (`from`), also of what it does not grant, and anew when that changes.
// What servers say that have no users here means nothing: any number of them can be invented.
void told(Transport& transport, const xmpp::Stanza& message, const char* privilege_ns) {
  const xmpp::Element* privilege = message.element.child("privilege", privilege_ns);
  if (!message.from.local().empty() || !message.from.is_bare() || message.type() == "error" || !privilege) return;
  if (!transport.config().registration.allows_some_of(message.from.domain())) return;
  bool granted = false;
  for (const xmpp::Element& perm : privilege->children()) {
    if (perm.name() == "perm" && perm.attribute("access") == "roster") granted = perm.attribute("type") == "both";
  }
  transport.rosters().grant(std::string(message.from.domain()), granted);
  log::info("privilege.told", {{"transport", transport.domain().str()},
                               {"server", message.from.str()},
                               {"roster", granted ? "read and write" : "no"}});
}

}  // namespace

void install_privileges(Transport& transport) {
  // COMPAT(ejabberd before 24.10): the namespace of version 0.2; the roster part is the same.
  for (const char* privilege_ns : {ns::privilege, "urn:xmpp:privilege:1"}) {
    transport.router().on_message(privilege_ns, [&transport, privilege_ns](const xmpp::Stanza& message, const Party&) {
      told(transport, message, privilege_ns);
    });
  }
}

}  // namespace wherry::features

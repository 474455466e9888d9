// XEP-0092 (v1.1). The operating system is nobody's business (§5).
#include "gateway/features/features.hpp"

namespace wherry::features {

void install_version(Transport& transport) {
  transport.router().on_iq(AddressForm::gateway, Request::get, ns::version, [&transport](xmpp::Stanza iq) {
    xmpp::Element result = xmpp::result_of(iq);
    xmpp::Element& query = result.add("query", ns::version);
    query.add_text_child("name", "Wherry");
    query.add_text_child("version", WHERRY_VERSION);
    transport.send(result);
  });
}

}  // namespace wherry::features

// XEP-0092 (v1.1). The operating system is nobody's business (§5).
#include "gateway/features/features.hpp"

namespace wherry::features {

void install_version(Transport& transport) {
  const auto answer = [&transport](const xmpp::Stanza& iq, const Party&) {
    xmpp::Element result = xmpp::result_of(iq);
    xmpp::Element& query = result.add("query", ns::version);
    query.add_text_child("name", "Wherry");
    query.add_text_child("version", WHERRY_VERSION);
    transport.send(result);
  };
  for (const AddressForm face : faces) transport.router().on_iq(face, Request::get, ns::version, answer);
}

}  // namespace wherry::features

// XEP-0199 (v2.0.1): the gateway and every address at it answer.
#include "gateway/features/features.hpp"

namespace wherry::features {

void install_ping(Transport& transport) {
  const auto answer = [&transport](xmpp::Stanza iq) { transport.send(xmpp::result_of(iq)); };
  transport.router().on_iq(AddressForm::gateway, Request::get, ns::ping, answer);
  transport.router().on_iq(AddressForm::contact, Request::get, ns::ping, answer);
}

}  // namespace wherry::features

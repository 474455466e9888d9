// XEP-0199 (v2.0.1): the gateway answers, and every address at it that can be a contact.
#include "gateway/features/features.hpp"
#include "gateway/transport/for_contact.hpp"

namespace wherry::features {

void install_ping(Transport& transport) {
  const auto answer = [&transport](const xmpp::Stanza& iq) { transport.send(xmpp::result_of(iq)); };
  transport.router().on_iq(AddressForm::gateway, Request::get, ns::ping, answer);
  transport.router().on_iq(AddressForm::contact, Request::get, ns::ping, [&transport, answer](xmpp::Stanza iq) {
    for_contact(transport, std::move(iq),
                [answer](const xmpp::Stanza& asked, const base::ContactId&) { answer(asked); });
  });
}

}  // namespace wherry::features

// XEP-0199 (v2.0.1): the gateway answers, and every address at it that can be a contact.
#include "gateway/features/features.hpp"
#include "gateway/transport/for_contact.hpp"

namespace wherry::features {

void install_ping(Transport& transport) {
  const auto answer = [&transport](const xmpp::Stanza& iq) { transport.send(xmpp::result_of(iq)); };
  for (const AddressForm face : faces)
    transport.router().on_iq(face, Request::get, ns::ping,
                             [answer](const xmpp::Stanza& iq, const Party&) { answer(iq); });
  const auto answer_contact = [&transport, answer](xmpp::Stanza iq, const Party& party) {
    for_contact(transport, std::move(iq), party,
                [answer](const xmpp::Stanza& asked, const LiveAccount*, const base::ContactId&) { answer(asked); });
  };
  transport.router().on_iq(AddressForm::contact, Request::get, ns::ping, answer_contact);
}

}  // namespace wherry::features

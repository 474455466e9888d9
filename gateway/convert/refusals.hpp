// Every sentence with which a feature refuses a stanza, once. What a network refuses comes with the network's own
// words.
#pragma once

#include "gateway/xmpp/stanza.hpp"

#include <cstddef>
#include <string_view>

namespace wherry::convert {

using xmpp::StanzaError;

// ---- Who is asked, and who asks ----
StanzaError not_registered(const xmpp::Jid& gateway);  // yet
// A registration that is not there. `others`: the faces of accounts that the user has here, as a text; may be empty.
StanzaError nothing_to_remove(const std::string& others);
StanzaError may_not_register(const xmpp::Jid& gateway);
StanzaError login_refused(const xmpp::Jid& gateway,
                          std::string_view trouble);  // by the network, since the registration
StanzaError no_such_contact(
    const base::Error& why);  // XEP-0100 §5.3: an address that can be nobody's is no bad message
StanzaError logged_out(const xmpp::Jid& face);
StanzaError other_address(const xmpp::Jid& right);  // RFC 6120 §8.3.3.5
StanzaError no_room();
StanzaError no_such_room();
StanzaError no_person(const xmpp::Jid& gateway);  // the gateway itself
StanzaError said_late(const xmpp::Jid& gateway);  // to the gateway, which waits for no old answers
StanzaError said_too_much();
StanzaError no_such_node();

// ---- What a message is ----
StanzaError encrypted(std::string_view method);
StanzaError cannot_take_back();
StanzaError cannot_carry(std::string_view what);  // "reactions"
StanzaError too_long(std::size_t most_bytes);
StanzaError id_too_long(std::size_t most_bytes);

// ---- How much ----
StanzaError too_many_waiting(std::string_view sentence);
StanzaError too_many_questions();
StanzaError too_many_devices();
StanzaError contact_list_full(std::size_t most_contacts);
StanzaError too_many_accounts(std::size_t most_accounts);

// ---- Registration ----
StanzaError removal_must_be_alone();
StanzaError registration_must_wait();
StanzaError registration_unanswered();
StanzaError registration_not_stored();
StanzaError registration_not_removed();
StanzaError login_crowded_out();
StanzaError login_replaced();                              // by a newer one of the same user
StanzaError login_unanswered();                            // by its user, in time
StanzaError login_given_up();                              // by its user
StanzaError answered_elsewhere(const xmpp::Jid& gateway);  // there is a further question
StanzaError registration_refused(const base::Error& why);

}  // namespace wherry::convert

// Every protocol feature, one file each: `install_x` registers the handlers of feature x with a transport. To add one:
// its file, its line here and in install_all, a scenario, an entry in deploy/doap.xml.
#pragma once

#include "gateway/transport/transport.hpp"

namespace wherry::features {

using accounts::LiveAccount;
using transport::AddressForm;
using transport::faces;
using transport::Party;
using transport::Request;
using transport::Transport;
namespace ns = xmpp::ns;

void install_adhoc(Transport& transport);           // XEP-0050
void install_caps(Transport& transport);            // XEP-0115
void install_chat(Transport& transport);            // RFC 6121 §5, XEP-0184
void install_contact_list(Transport& transport);    // XEP-0100 §6.4, XEP-0144
void install_disco(Transport& transport);           // XEP-0030
void install_gateway_chat(Transport& transport);    // RFC 6121 §5: talk with the gateway itself
void install_gateway_prompt(Transport& transport);  // XEP-0100 §6.3
void install_last_activity(Transport& transport);   // XEP-0319
void install_nicknames(Transport& transport);       // XEP-0172
void install_own_profile(Transport& transport);     // XEP-0153, 0054: the user's own
void install_ping(Transport& transport);            // XEP-0199
void install_presence(Transport& transport);        // XEP-0100 §4.4–4.5: log in, log out; RFC 6121 §4
void install_privileges(Transport& transport);      // XEP-0356
void install_registration(Transport& transport);    // XEP-0077
void install_search(Transport& transport);          // XEP-0055
void install_subscriptions(Transport& transport);   // XEP-0100 §4.6, 4.7; RFC 6121 §3
void install_vcard(Transport& transport);           // XEP-0054, 0292, 0153, 0084
void install_version(Transport& transport);         // XEP-0092
void install_waiting_note(Transport& transport);    // RFC 6121 §5: what is taken and waits for the network

inline void install_all(Transport& transport) {
  install_adhoc(transport);
  install_caps(transport);
  install_chat(transport);
  install_contact_list(transport);
  install_disco(transport);
  install_gateway_chat(transport);
  install_gateway_prompt(transport);
  install_last_activity(transport);
  install_nicknames(transport);
  install_own_profile(transport);
  install_ping(transport);
  install_presence(transport);
  install_privileges(transport);
  install_registration(transport);
  install_search(transport);
  install_subscriptions(transport);
  install_vcard(transport);
  install_version(transport);
  install_waiting_note(transport);
}

}  // namespace wherry::features

// Chat messages to contacts (RFC 6121 §5), with the errors of XEP-0100 §5.3. A message that is taken is in the outbox
// when this returns; one that is not is answered.
#include "gateway/features/features.hpp"

#include "gateway/base/log.hpp"

#include <algorithm>
#include <iterator>

namespace wherry::features {

namespace {

constexpr std::size_t most_text_bytes = 64 << 10;

// Why a server gives a message back that it may take later (RFC 6120 §8.3.3, RFC 6121 §8.5).
constexpr const char* passing_conditions[] = {"service-unavailable",     "recipient-unavailable", "resource-constraint",
                                              "remote-server-not-found", "remote-server-timeout", "internal-server-error"};

// A text that only the contact's own device could read is of no use to a network that cannot carry it.
bool is_encrypted(const xmpp::Element& message) {
  return message.child("encryption", "urn:xmpp:eme:0") != nullptr ||                    // XEP-0380
         message.child("encrypted", "eu.siacs.conversations.axolotl") != nullptr ||  // XEP-0384, as deployed
         message.child("encrypted", "urn:xmpp:omemo:2") != nullptr || message.child("openpgp", "urn:xmpp:openpgp:0") != nullptr ||
         message.child("x", "jabber:x:encrypted") != nullptr;
}

connector::Content content_of(const xmpp::Element& message) {
  connector::Content content;
  const std::string_view subject = message.child_text("subject", ns::component);
  content.text = message.child_text("body", ns::component);
  if (!subject.empty()) content.text = std::string(subject) + "\n" + content.text;
  if (const xmpp::Element* oob = message.child("x", ns::oob)) {
    const std::string url(oob->child_text("url", ns::oob));
    if (!url.empty() && url != content.text) content.files.push_back({url, "", 0});
  }
  return content;
}

void send(Transport& transport, xmpp::Stanza stanza, connector::Content content, const base::Result<base::ContactId>& contact) {
  if (!contact) return transport.reply_error(stanza, contact.error());
  LiveAccount* account = transport.accounts().find(stanza.from);
  if (!account) return transport.reply_error(stanza, xmpp::StanzaError{"auth", "registration-required", "Please register with " + transport.domain().str() + " first."});
  const auto right = transport.jid_of(*contact);
  if (right && *right != stanza.to.bare()) {
    // One contact is one address (and one conversation), however it was typed.
    return transport.reply_error(stanza, xmpp::StanzaError{"cancel", "gone", "This contact's address is " + right->str() + "; please write there."});
  }
  if (account->state == LiveAccount::State::needs_login) {
    return transport.reply_error(stanza, xmpp::StanzaError{"auth", "not-authorized", "The network no longer accepts your login. Please register with " + transport.domain().str() + " again. " + account->trouble});
  }
  const connector::Capabilities can = account->session ? account->session->capabilities(*contact) : connector::Capabilities{};
  if (can.text_bytes > 0 && content.text.size() > can.text_bytes) {
    return transport.reply_error(stanza, xmpp::StanzaError{"modify", "not-acceptable", "This message is too long: the network takes at most " + std::to_string(can.text_bytes) + " bytes."});
  }
  connector::SendMessage message;
  message.chat = *contact;
  message.content = std::move(content);
  const auto put = transport.outbox().put(*account, std::move(message), convert::origin_of(stanza, transport.clock().now()));
  if (!put) transport.reply_error(stanza, xmpp::StanzaError{"wait", "resource-constraint", put.error().text});
}

// The user's server gave our message back. Where that only means that nobody is there just now, it is kept for them.
// RFC 6120 §8.3.1: an error is never answered.
void came_back(Transport& transport, const xmpp::Stanza& stanza) {
  const xmpp::Element* error = stanza.element.child("error", ns::component);
  const bool may_pass = error && std::any_of(std::begin(passing_conditions), std::end(passing_conditions), [&](const char* condition) {
    return error->child(condition, ns::stanza_errors) != nullptr;
  });
  const LiveAccount* account = transport.accounts().find(stanza.from);
  const bool kept = may_pass && account && transport.inbox().returned(*account, stanza.id());
  log::info("message.returned", {{"transport", transport.domain().str()}, {"user", log::masked(stanza.from.bare_view())}, {"kept", kept}});
}

void to_contact(Transport& transport, xmpp::Stanza stanza) {
  if (stanza.type() == "error") return came_back(transport, stanza);
  if (stanza.type() == "groupchat") return transport.reply_error(stanza, xmpp::StanzaError{"cancel", "service-unavailable", "This is a person, not a room."});
  if (is_encrypted(stanza.element)) {
    return transport.reply_error(stanza, xmpp::StanzaError{"modify", "not-acceptable", "This network cannot carry encrypted messages. Please switch encryption off for this contact."});
  }
  connector::Content content = content_of(stanza.element);
  if (content.text.empty() && content.files.empty()) return;  // typing, receipts, markers: nothing that this network carries
  if (content.text.size() > most_text_bytes) {
    return transport.reply_error(stanza, xmpp::StanzaError{"modify", "not-acceptable", "This message is too long: at most 65536 bytes can be sent."});
  }
  const LiveAccount* account = transport.accounts().find(stanza.from);
  if (!account) return transport.reply_error(stanza, xmpp::StanzaError{"auth", "registration-required", "Please register with " + transport.domain().str() + " first."});
  const xmpp::Jid to = stanza.to;
  auto held = std::make_shared<xmpp::Stanza>(std::move(stanza));
  transport.contacts().resolve(to, account->id(), [&transport, held, content = std::move(content)](const base::Result<base::ContactId>& contact) mutable {
    send(transport, std::move(*held), std::move(content), contact);
  });
}

void to_gateway(Transport& transport, const xmpp::Stanza& stanza) {
  if (stanza.type() == "error") return came_back(transport, stanza);  // the gateway brings what comes from nobody with an address
  if (stanza.element.child("body", ns::component) == nullptr) return;
  const std::string text = "This is the gateway itself. Write to a contact, like somebody@" + transport.domain().str() + ".";
  transport.reply_error(stanza, xmpp::StanzaError{"cancel", "service-unavailable", text});
}

}  // namespace

void install_chat(Transport& transport) {
  transport.router().on_message(AddressForm::contact, [&](xmpp::Stanza stanza) { to_contact(transport, std::move(stanza)); });
  transport.router().on_message(AddressForm::gateway, [&](xmpp::Stanza stanza) { to_gateway(transport, stanza); });
}

}  // namespace wherry::features

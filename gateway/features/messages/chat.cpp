// Chat messages to contacts (RFC 6121 §5), with the errors of XEP-0100 §5.3. A message that is taken is in the outbox
// when this returns; one that is not is answered.
#include "gateway/features/features.hpp"

#include "gateway/base/log_limit.hpp"
#include "gateway/convert/refusals.hpp"
#include "gateway/convert/to_content.hpp"

#include <algorithm>
#include <iterator>
#include <memory>

namespace wherry::features {

namespace {

// Why a server gives a message back that it may take later (RFC 6120 §8.3.3, RFC 6121 §8.5).
constexpr const char* passing_conditions[] = {"service-unavailable",   "recipient-unavailable",
                                              "resource-constraint",   "remote-server-not-found",
                                              "remote-server-timeout", "internal-server-error"};

void send(Transport& transport, const xmpp::Stanza& stanza, connector::Content content,
          const accounts::Resolved& contact) {
  if (!contact) return transport.reply_error(stanza, contact.error());
  LiveAccount* account = transport.accounts().find(stanza.from);
  if (!account) return transport.reply_error(stanza, convert::not_registered(transport.domain()));
  // One contact is one address (and one conversation), however it was typed.
  const auto right = transport.jid_of(*contact);
  if (right && *right != stanza.to.bare()) return transport.reply_error(stanza, convert::other_address(*right));
  if (account->state == LiveAccount::State::needs_login) {
    return transport.reply_error(stanza, convert::login_refused(transport.domain(), account->trouble));
  }
  const connector::Capabilities can =
      account->session ? account->session->capabilities(*contact) : connector::Capabilities{};
  if (can.text_bytes > 0 && content.text.size() > can.text_bytes)
    return transport.reply_error(stanza, convert::too_long(can.text_bytes));
  connector::SendMessage message;
  message.chat = *contact;
  message.content = std::move(content);
  const auto put =
      transport.outbox().put(*account, std::move(message), convert::origin_of(stanza, transport.clock().now()));
  if (!put) return transport.reply_error(stanza, convert::too_many_waiting(put.error().text));
  transport.hooks().message_taken(*account, *contact, stanza);
}

// The user's server gave our message back. Where that only means that nobody is there just now, it is kept for them.
// RFC 6120 §8.3.1: an error is never answered.
void came_back(Transport& transport, base::LogLimit& lines, const xmpp::Stanza& stanza) {
  const xmpp::Element* error = stanza.element.child("error", ns::component);
  const bool may_pass =
      error && std::any_of(std::begin(passing_conditions), std::end(passing_conditions), [&](const char* condition) {
        return error->child(condition, ns::stanza_errors) != nullptr;
      });
  const LiveAccount* account = transport.accounts().find(stanza.from);
  const bool kept = may_pass && account && transport.inbox().returned(*account, stanza.id());
  lines.write(
      log::Level::info, "message.returned",
      {{"transport", transport.domain().str()}, {"user", log::masked(stanza.from.bare_view())}, {"kept", kept}});
}

void message_to_contact(Transport& transport, xmpp::Stanza stanza) {
  if (stanza.type() == "groupchat") return transport.reply_error(stanza, convert::no_room());
  // What says nothing gets no answer. A text does, and is not read for those who have no account.
  const LiveAccount* account = transport.accounts().find(stanza.from);
  const bool has_text = !stanza.element.child_text("body", ns::component).empty();
  if (!account && has_text) return transport.reply_error(stanza, convert::not_registered(transport.domain()));
  auto read = convert::to_content(stanza.element);
  if (std::holds_alternative<convert::NothingToSend>(read)) return;
  if (!account) return transport.reply_error(stanza, convert::not_registered(transport.domain()));
  if (const auto* refusal = std::get_if<xmpp::StanzaError>(&read)) return transport.reply_error(stanza, *refusal);
  const xmpp::Jid to = stanza.to;
  auto held = std::make_shared<xmpp::Stanza>(std::move(stanza));
  auto found = [&transport, held, content = std::get<connector::Content>(std::move(read))](
                   const accounts::Resolved& contact) mutable { send(transport, *held, std::move(content), contact); };
  transport.contacts().resolve(to, account, std::move(found));
}

void message_to_gateway(Transport& transport, const xmpp::Stanza& stanza) {
  if (stanza.element.child("body", ns::component))
    transport.reply_error(stanza, convert::no_person(transport.domain()));
}

}  // namespace

void install_chat(Transport& transport) {
  // who sends an error need not be registered
  const auto lines = std::make_shared<base::LogLimit>(base::LogLimit::of_stanzas());
  transport.router().on_message(AddressForm::contact, [&transport, lines](xmpp::Stanza stanza) {
    if (stanza.type() == "error") return came_back(transport, *lines, stanza);
    message_to_contact(transport, std::move(stanza));
  });
  // The gateway brings what comes from nobody with an address.
  transport.router().on_message(AddressForm::gateway, [&transport, lines](xmpp::Stanza stanza) {
    if (stanza.type() == "error") return came_back(transport, *lines, stanza);
    message_to_gateway(transport, stanza);
  });
}

}  // namespace wherry::features

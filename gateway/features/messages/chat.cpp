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

// Whose message it is, as far as it is needed once the contact is known.
struct Sender {
  base::AccountId account;
  std::string alias;
};

void send(Transport& transport, const Sender& sender, const xmpp::Stanza& stanza, connector::Content content,
          const accounts::Resolved& contact) {
  if (!contact) return transport.reply_error(stanza, contact.error());
  LiveAccount* account = transport.accounts().find(sender.account);
  if (!account) return transport.reply_error(stanza, convert::not_registered(transport.face_of(sender.alias)));
  // One contact is one address (and one conversation), however it was typed.
  const auto right = transport.jid_of(*contact, account->alias());
  if (right && *right != stanza.to.bare()) return transport.reply_error(stanza, convert::other_address(*right));
  if (account->state == LiveAccount::State::needs_login) {
    return transport.reply_error(stanza, convert::login_refused(transport.face_of(sender.alias), account->trouble));
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
void came_back(Transport& transport, base::LogLimit& lines, const xmpp::Stanza& stanza, const Party& party) {
  const xmpp::Element* error = stanza.element.child("error", ns::component);
  const bool may_pass =
      error && std::any_of(std::begin(passing_conditions), std::end(passing_conditions), [&](const char* condition) {
        return error->child(condition, ns::stanza_errors) != nullptr;
      });
  const bool kept = may_pass && party.account && transport.inbox().returned(*party.account, stanza.id());
  lines.write(
      log::Level::info, "message.returned",
      {{"transport", transport.domain().str()}, {"user", log::masked(stanza.from.bare_view())}, {"kept", kept}});
}

void message_to_contact(Transport& transport, xmpp::Stanza stanza, const Party& party) {
  if (stanza.type() == "groupchat") return transport.reply_error(stanza, convert::no_room());
  // What says nothing gets no answer. A text does, and is not read for those who have no account.
  const LiveAccount* account = party.account;
  const bool has_text = !stanza.element.child_text("body", ns::component).empty();
  const auto refuse = [&] {
    transport.reply_error(stanza, convert::not_registered(transport.face_of(party.to.alias)));
  };
  if (!account && has_text) return refuse();
  auto read = convert::to_content(stanza.element);
  if (std::holds_alternative<convert::NothingToSend>(read)) return;
  if (!account) return refuse();
  if (const auto* refusal = std::get_if<xmpp::StanzaError>(&read)) return transport.reply_error(stanza, *refusal);
  auto held = std::make_shared<xmpp::Stanza>(std::move(stanza));
  auto found = [&transport, held, sender = Sender{account->id(), account->alias()},
                content = std::get<connector::Content>(std::move(read))](const accounts::Resolved& contact) mutable {
    send(transport, sender, *held, std::move(content), contact);
  };
  transport.contacts().resolve(party.to, account, std::move(found));
}

}  // namespace

void install_chat(Transport& transport) {
  // who sends an error need not be registered
  const auto lines = std::make_shared<base::LogLimit>(base::LogLimit::of_stanzas());
  transport.router().on_message(AddressForm::contact, [&transport, lines](xmpp::Stanza stanza, const Party& party) {
    if (stanza.type() == "error") return came_back(transport, *lines, stanza, party);
    message_to_contact(transport, std::move(stanza), party);
  });
  // A face brings what comes from nobody with an address.
  for (const AddressForm face : faces)
    transport.router().on_message(face, [&transport, lines](const xmpp::Stanza& stanza, const Party& party) {
      if (stanza.type() == "error") return came_back(transport, *lines, stanza, party);
      transport.hooks().face_message(stanza, party.to.alias);
    });
}

}  // namespace wherry::features

// Chat messages to contacts (RFC 6121 §5), and what is said of them later, with the errors of XEP-0100 §5.3. A message
// that is taken is in the outbox when this returns; one that is not is answered.
#include "gateway/features/features.hpp"

#include "gateway/base/log_limit.hpp"
#include "gateway/convert/degrade.hpp"
#include "gateway/convert/refusals.hpp"
#include "gateway/convert/to_action.hpp"

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

// Typing and read marks: nobody is told where they go nowhere. One coroutine each, since a mark's message is looked up.
asio::awaitable<void> tell_network(Transport& transport, base::AccountId id, base::ContactId contact,
                                   connector::Action action) {
  const bool is_typing = std::holds_alternative<connector::SetTyping>(action);
  convert::Referents referents;
  if (!is_typing) referents = co_await transport.messages().name_for_network(id, action, transport.clock().now());
  const LiveAccount* account = transport.accounts().find(id);
  const auto can = account && account->is_online() ? account->capabilities(contact) : std::nullopt;
  if (!can) co_return;
  auto degraded = convert::degrade(std::move(action), *can, referents);
  if (auto* const told = std::get_if<connector::Action>(&degraded))
    transport.lane().tell_network(id, is_typing ? queues::NewsKind::typing : queues::NewsKind::marks, contact,
                                  std::move(*told));
}

void send(Transport& transport, const Sender& sender, const xmpp::Stanza& stanza, connector::Action action,
          const accounts::Resolved& contact) {
  const bool is_wordless = !connector::key_of(action);
  LiveAccount* account = transport.accounts().find(sender.account);
  if (is_wordless && (!contact || !account)) return;
  if (!contact) return transport.reply_error(stanza, contact.error());
  if (!account) return transport.reply_error(stanza, convert::not_registered(transport.face_of(sender.alias)));
  *connector::chat_of(action) = *contact;
  if (is_wordless) {
    transport.tasks().spawn("message.state", tell_network(transport, sender.account, *contact, std::move(action)));
    return;
  }
  // One contact is one address (and one conversation), however it was typed.
  const auto right = transport.jid_of(*contact, account->alias());
  if (right && *right != stanza.to.bare()) return transport.reply_error(stanza, convert::other_address(*right));
  if (account->state == LiveAccount::State::needs_login && !account->row.logged_out) {
    return transport.reply_error(stanza, convert::login_refused(transport.face_of(sender.alias), account->trouble));
  }
  if (account->row.logged_out)
    return transport.reply_error(stanza, convert::logged_out(transport.shown().faces_of(*account).back()));
  const auto can = account->capabilities(*contact);
  const auto refused = can ? convert::refusal(action, *can) : std::nullopt;  // what it will refuse is refused at once
  if (refused) return transport.reply_error(stanza, *refused);
  queues::Envelope envelope{base::to_string(base::ChatId(*contact)), std::move(action),
                            convert::origin_of(stanza, transport.clock().now())};
  const auto put = transport.outbox().put(*account, std::move(envelope));
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
  auto read = convert::to_action(stanza.element);
  const auto* asked = std::get_if<connector::Action>(&read);
  const bool is_wordless = asked && !connector::key_of(*asked);
  if (std::holds_alternative<convert::NothingToSend>(read) || (is_wordless && !account)) return;
  if (!account) return refuse();
  if (const auto* refusal = std::get_if<xmpp::StanzaError>(&read)) return transport.reply_error(stanza, *refusal);
  auto held = std::make_shared<xmpp::Stanza>(std::move(stanza));
  auto found = [&transport, held, sender = Sender{account->id(), account->alias()},
                action = std::get<connector::Action>(std::move(read))](const accounts::Resolved& contact) mutable {
    send(transport, sender, *held, std::move(action), contact);
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
      transport.hooks().face_message(stanza, party.to);
    });
}

}  // namespace wherry::features

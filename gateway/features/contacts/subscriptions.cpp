// Adding and removing contacts (XEP-0100 §5.1, 5.2; RFC 6121 §3): requests travel to the network, answers come back as
// events (transport::to_stanzas); never an unasked `subscribed` (rule B1.30).
#include "gateway/features/contacts/subscriptions.hpp"

#include "gateway/features/contacts/contact_list.hpp"
#include "gateway/features/features.hpp"
#include "gateway/features/contacts/presence.hpp"
#include "gateway/convert/address.hpp"
#include "gateway/convert/presence.hpp"

namespace wherry::features {

using connector::Availability;

namespace {

void send_presence(Transport& transport, const xmpp::Jid& from, const xmpp::Jid& to, std::string_view type) {
  transport.send(xmpp::make_stanza(xmpp::Kind::presence, from, to, type, ""));
}

store::ContactRow row_of(const LiveAccount& account, const base::ContactId& contact) {
  const auto found = account.contacts.find(contact);
  store::ContactRow row;
  if (found != account.contacts.end()) row = found->second.row;
  row.contact = contact;
  return row;
}

// The network is told durably: a contact added while it is down is added when it is back.
void tell_network(Transport& transport, LiveAccount& account, connector::Action action, const base::ContactId& contact, const xmpp::Stanza& stanza) {
  const auto put = transport.outbox().put(account, std::move(action), base::to_string(base::ChatId(contact)), convert::origin_of(stanza, transport.clock().now()));
  if (!put) transport.reply_error(stanza, put.error());
}

// A request that leads nowhere: why, and an end of the waiting (RFC 6121 §3.1.3), which the error alone is not to every server.
void refuse(Transport& transport, const xmpp::Stanza& stanza, const xmpp::StanzaError& error) {
  transport.reply_error(stanza, error);
  send_presence(transport, stanza.to.bare(), stanza.from.bare(), "unsubscribed");
}

void subscribe(Transport& transport, LiveAccount& account, const base::ContactId& contact, const xmpp::Stanza& stanza) {
  store::ContactRow row = row_of(account, contact);
  if (row.user_sees) {  // RFC 6121 §3.1.3: already approved; say so again
    send_presence(transport, stanza.to.bare(), stanza.from.bare(), "subscribed");
    return send_contact_presence(transport, account, account.contacts.at(contact), stanza.from.bare());
  }
  if (!account.contacts.contains(contact) && account.contacts.size() >= most_contacts) {
    return refuse(transport, stanza, {"wait", "resource-constraint", "Your contact list is full here: " + std::to_string(most_contacts) + " contacts are the most."});
  }
  row.user_asked = true;
  row.offer = store::Offer::none;
  transport.accounts().put_contact(account, std::move(row));
  ask_next(transport, account);
  connector::AddContact add;
  add.contact = contact;
  tell_network(transport, account, std::move(add), contact, stanza);
}

void unsubscribe(Transport& transport, LiveAccount& account, const base::ContactId& contact, const xmpp::Stanza& stanza) {
  const bool known = account.contacts.contains(contact);
  transport.accounts().remove_contact(account, contact);
  account.listed.remove_if([&](const auto& listed) { return listed.contact == contact; });
  send_presence(transport, stanza.to.bare(), stanza.from.bare(), "unsubscribed");
  send_presence(transport, stanza.to.bare(), stanza.from.bare(), "unavailable");
  if (!known) return;
  connector::RemoveContact remove;
  remove.contact = contact;
  tell_network(transport, account, std::move(remove), contact, stanza);
}

// The user's answer to a contact that asked, or a change of mind.
void answer(Transport& transport, LiveAccount& account, const base::ContactId& contact, const xmpp::Stanza& stanza) {
  const bool accepted = stanza.type() == "subscribed";
  const auto found = account.contacts.find(contact);
  if (!accepted && found == account.contacts.end()) return;  // the end of a removal that `unsubscribe` began
  store::ContactRow row = row_of(account, contact);
  const bool was_offered = std::exchange(row.offer, store::Offer::none) != store::Offer::none;
  row.contact_sees = accepted;
  if (was_offered && !accepted) row.offer = store::Offer::declined;  // of which the network need not hear
  transport.accounts().put_contact(account, row);
  ask_next(transport, account);
  if (row.offer == store::Offer::declined) return;
  connector::AnswerContact reply;
  reply.contact = contact;
  reply.accepted = accepted;
  tell_network(transport, account, std::move(reply), contact, stanza);
}

void apply(Transport& transport, const xmpp::Stanza& stanza, const base::Result<base::ContactId>& contact) {
  LiveAccount* account = transport.accounts().find(stanza.from);
  if (!account) return;
  const bool asks = stanza.type() == "subscribe";
  if (!contact) {
    if (asks) refuse(transport, stanza, xmpp::to_stanza_error(contact.error()));  // rule B1.34
    return;
  }
  const auto right = transport.jid_of(*contact);
  if (asks && right && *right != stanza.to.bare()) {
    return refuse(transport, stanza, {"cancel", "gone", "This contact's address is " + right->str() + "; please add that one."});
  }
  if (asks) subscribe(transport, *account, *contact, stanza);
  else if (stanza.type() == "unsubscribe") unsubscribe(transport, *account, *contact, stanza);
  else answer(transport, *account, *contact, stanza);
}

}  // namespace

bool is_subscription(std::string_view type) {
  return type == "subscribe" || type == "subscribed" || type == "unsubscribe" || type == "unsubscribed";
}

void on_gateway_subscription(Transport& transport, const xmpp::Stanza& stanza) {
  const LiveAccount* account = transport.accounts().find(stanza.from);
  const xmpp::Jid user = stanza.from.bare();
  if (stanza.type() == "subscribe") {
    if (!account) return transport.reply_error(stanza, xmpp::StanzaError{"auth", "registration-required", "Please register with " + transport.domain().str() + " first."});
    send_presence(transport, transport.domain(), user, "subscribed");
    if (account->is_online()) transport.send(convert::to_presence(transport.domain(), user, Availability::online, ""));
  } else if (stanza.type() == "unsubscribe") {
    send_presence(transport, transport.domain(), user, "unsubscribed");
  }
  // subscribed and unsubscribed: nothing depends on the user's approval (rule B1.9).
}

void on_contact_subscription(Transport& transport, xmpp::Stanza stanza) {
  const LiveAccount* account = transport.accounts().find(stanza.from);
  if (!account) {
    if (stanza.type() == "subscribe") transport.reply_error(stanza, xmpp::StanzaError{"auth", "registration-required", "Please register with " + transport.domain().str() + " first."});
    return;
  }
  const xmpp::Jid to = stanza.to;
  auto held = std::make_shared<xmpp::Stanza>(std::move(stanza));
  transport.contacts().resolve(to, account->id(), [&transport, held](const base::Result<base::ContactId>& contact) { apply(transport, *held, contact); });
}

asio::awaitable<void> enter_roster(Transport& transport, xmpp::Jid user) {
  if (transport.rosters().is_writable(user)) {
    accounts::RosterItem item{transport.domain(), transport.name(), {}};
    const bool done = co_await transport.rosters().put(user, std::move(item));
    // The server tells of the user only when something changes; until then it must be asked.
    if (done) co_return send_presence(transport, transport.domain(), user, "probe");
  }
  send_presence(transport, transport.domain(), user, "subscribe");
}

void end_subscriptions(Transport& transport, const xmpp::Jid& user, const std::vector<base::ContactId>& contacts) {
  const auto end = [&](const xmpp::Jid& from) {
    for (const char* type : {"unsubscribe", "unsubscribed", "unavailable"}) send_presence(transport, from, user, type);
  };
  for (const base::ContactId& contact : contacts) {
    if (const auto from = transport.jid_of(contact)) end(*from);
  }
  end(transport.domain());
  // Rule B1.18: clients do not do it.
  if (!transport.rosters().is_writable(user)) return;
  std::vector<xmpp::Jid> entries;
  for (const base::ContactId& contact : contacts) {
    if (auto jid = transport.jid_of(contact)) entries.push_back(std::move(*jid));
  }
  entries.push_back(transport.domain());
  transport.tasks().spawn("roster.tidy", transport.rosters().remove(user, std::move(entries)));
}

}  // namespace wherry::features

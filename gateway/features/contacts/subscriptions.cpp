// Adding and removing contacts (XEP-0100 §5.1, 5.2; RFC 6121 §3): requests travel to the network, answers come back as
// events (convert/to_stanzas); never an unasked `subscribed` (rule B1.30). What follows from what is accounts/contacts'
// affair.
#include "gateway/features/features.hpp"

#include "gateway/base/text.hpp"
#include "gateway/convert/presence.hpp"
#include "gateway/convert/refusals.hpp"

namespace wherry::features {

using accounts::ContactEvent;
using accounts::ContactStep;
using connector::Availability;
using transport::FormerAccount;

namespace {

void send_presence(Transport& transport, const xmpp::Jid& from, const xmpp::Jid& to, std::string_view type) {
  transport.send(xmpp::make_stanza(xmpp::Kind::presence, from, to, type, ""));
}

// A request that leads nowhere: why, and an end of the waiting (RFC 6121 §3.1.3), which the error alone is not to every
// server.
void refuse(Transport& transport, const xmpp::Stanza& stanza, const xmpp::StanzaError& error) {
  transport.reply_error(stanza, error);
  if (stanza.type() == "subscribe") send_presence(transport, stanza.to.bare(), stanza.from.bare(), "unsubscribed");
}

ContactEvent event_of(std::string_view type) {
  if (type == "subscribe") return ContactEvent::user_subscribes;
  if (type == "unsubscribe") return ContactEvent::user_unsubscribes;
  return type == "subscribed" ? ContactEvent::user_approves : ContactEvent::user_declines;
}

void say(Transport& transport, const LiveAccount& account, const base::ContactId& contact, ContactStep::Say what,
         const xmpp::Stanza& stanza) {
  const xmpp::Jid from = stanza.to.bare(), to = stanza.from.bare();
  switch (what) {
    case ContactStep::Say::nothing: return;
    case ContactStep::Say::approved:
      send_presence(transport, from, to, "subscribed");
      if (const auto presence = transport.shown().contact(account, account.contacts.at(contact), to))
        transport.send(*presence);
      return;
    case ContactStep::Say::ended:
      send_presence(transport, from, to, "unsubscribed");
      return transport.send(convert::to_presence(from, to, Availability::offline, ""));
    case ContactStep::Say::full: return refuse(transport, stanza, convert::contact_list_full(accounts::most_contacts));
  }
}

void take(Transport& transport, LiveAccount& account, const base::ContactId& contact, const xmpp::Stanza& stanza) {
  const std::string_view why = base::trim(stanza.element.child_text("status", ns::component));
  ContactStep step = transport.accounts().contact_step(account, contact, event_of(stanza.type()), why);
  // The network is told durably: a contact added while it is down is added when it is back. What it will never hear of
  // does not change here either.
  if (step.action) {
    queues::Envelope envelope{base::to_string(base::ChatId(contact)), std::move(*step.action),
                              convert::origin_of(stanza, transport.clock().now())};
    const auto put = transport.outbox().put(account, std::move(envelope));
    if (!put) return refuse(transport, stanza, convert::too_many_waiting(put.error().text));
  }
  transport.accounts().take_step(account, contact, step);
  if (stanza.type() == "unsubscribe")
    account.listed.remove_if([&](const auto& listed) { return listed.contact == contact; });
  say(transport, account, contact, step.say, stanza);
  if (step.answers_offer) transport.hooks().offer_answered(account);
}

void resolved(Transport& transport, base::AccountId id, const xmpp::Stanza& stanza, const accounts::Resolved& contact) {
  LiveAccount* account = transport.accounts().find(id);
  if (!account) return;
  const bool asks = stanza.type() == "subscribe";
  if (!contact) {
    if (asks) refuse(transport, stanza, contact.error());  // rule B1.34
    return;
  }
  const auto right = transport.jid_of(*contact, account->alias());
  if (asks && right && *right != stanza.to.bare()) return refuse(transport, stanza, convert::other_address(*right));
  if (asks && account->row.logged_out)
    return refuse(transport, stanza, convert::logged_out(transport.shown().faces_of(*account).back()));
  take(transport, *account, *contact, stanza);
}

void subscription_needs_registration(Transport& transport, const xmpp::Stanza& stanza, const Party& party) {
  if (stanza.type() != "subscribe") return;
  transport.reply_error(stanza, convert::not_registered(transport.face_of(party.to)));
}

// Whose program takes no bare domain as a contact sees the gateway, and is seen, under its name alone.
void meet_by_name(Transport& transport, LiveAccount& account, const xmpp::Jid& face) {
  if (account.row.named) return;
  transport.accounts().set_named(account, true);
  send_presence(transport, face, account.user(), "subscribe");
}

void part_by_name(Transport& transport, LiveAccount& account, const xmpp::Jid& face) {
  transport.accounts().set_named(account, false);
  transport.send(convert::to_presence(face, account.user(), Availability::offline, ""));
}

void subscription_to_face(Transport& transport, const xmpp::Stanza& stanza, const Party& party) {
  const xmpp::Jid user = stanza.from.bare(), face = transport.face_of(party.to);
  LiveAccount* account = party.account;
  if (stanza.type() == "subscribe") {
    if (!account) return subscription_needs_registration(transport, stanza, party);
    send_presence(transport, face, user, "subscribed");
    if (account->is_online() || account->row.logged_out)
      transport.send(transport.shown().gateway(*account, face, user));
    if (party.to.is_named) meet_by_name(transport, *account, face);
  } else if (stanza.type() == "unsubscribe") {
    send_presence(transport, face, user, "unsubscribed");
    if (party.to.is_named && account) part_by_name(transport, *account, face);
  }
  // subscribed and unsubscribed: nothing depends on the user's approval (rule B1.9).
}

void subscription_to_contact(Transport& transport, xmpp::Stanza stanza, const Party& party) {
  if (!party.account) return subscription_needs_registration(transport, stanza, party);
  auto held = std::make_shared<xmpp::Stanza>(std::move(stanza));
  auto found = [&transport, held, id = party.account->id()](const accounts::Resolved& contact) {
    resolved(transport, id, *held, contact);
  };
  transport.contacts().resolve(party.to, party.account, std::move(found));
}

// The account's face in the user's roster, after registration (rule B1.8): by its own request (XEP-0100 §4.1.1 step 8),
// or without a question where the server lets us.
asio::awaitable<void> enter_roster(Transport& transport, base::AccountId id, xmpp::Jid user, xmpp::Jid face) {
  if (transport.rosters().is_writable(user)) {
    accounts::RosterItem item{face, transport.name(), {}};
    const bool done = co_await transport.rosters().put(user, std::move(item));
    if (!transport.accounts().find(id)) co_return;  // unregistered meanwhile
    // The server tells of the user only when something changes; until then it must be asked.
    if (done) co_return send_presence(transport, face, user, "probe");
  }
  send_presence(transport, face, user, "subscribe");
}

// Whether the user of a former account has another one in its place: then nothing of theirs is ended or tidied up any
// more.
bool has_registered_again(Transport& transport, const FormerAccount& former) {
  const LiveAccount* present = transport.accounts().find(former.user, former.alias);
  return present && present->id() != former.id;
}

// After the registration is gone: contacts and faces end every subscription and go offline (rule B1.17). One stanza a
// call, as the link takes them: there may be fifteen thousand.
class Farewell {
 public:
  Farewell(Transport& transport, FormerAccount former) : transport_(transport), former_(std::move(former)) {}

  std::optional<xmpp::Element> operator()() {
    static constexpr const char* types[] = {"unsubscribe", "unsubscribed", nullptr};  // and unavailable
    const std::vector<base::ContactId>& contacts = former_.contacts;
    if (has_registered_again(transport_, former_)) return std::nullopt;
    while (next_ < 3 * (contacts.size() + former_.faces.size())) {
      const std::size_t contact = next_ / 3;
      const char* type = types[next_++ % 3];
      const auto from = contact < contacts.size() ? transport_.jid_of(contacts[contact], former_.alias)
                                                  : base::Result<xmpp::Jid>(former_.faces[contact - contacts.size()]);
      if (from && type) return xmpp::make_stanza(xmpp::Kind::presence, *from, former_.user, type, "");
      if (from) return convert::to_presence(*from, former_.user, Availability::offline, "");
    }
    return std::nullopt;
  }

 private:
  Transport& transport_;
  FormerAccount former_;
  std::size_t next_ = 0;
};

// Rule B1.18: clients do not do it.
asio::awaitable<void> tidy_roster(Transport& transport, FormerAccount former) {
  std::vector<xmpp::Jid> entries;
  for (const base::ContactId& contact : former.contacts) {
    if (auto jid = transport.jid_of(contact, former.alias)) entries.push_back(std::move(*jid));
  }
  entries.insert(entries.end(), former.faces.begin(), former.faces.end());
  for (const xmpp::Jid& entry : entries) {
    if (!transport.rosters().is_writable(former.user) || has_registered_again(transport, former)) co_return;
    co_await transport.rosters().remove(former.user, entry);
  }
}

void end_subscriptions(Transport& transport, const FormerAccount& former) {
  transport.send_slowly(Farewell(transport, former));
  transport.tasks().spawn("roster.tidy", tidy_roster(transport, former));
}

}  // namespace

void install_subscriptions(Transport& transport) {
  for (const AddressForm face : faces)
    transport.router().on_subscription(face, [&transport](const xmpp::Stanza& stanza, const Party& party) {
      subscription_to_face(transport, stanza, party);
    });
  transport.router().on_subscription(AddressForm::contact, [&transport](xmpp::Stanza stanza, const Party& party) {
    subscription_to_contact(transport, std::move(stanza), party);
  });
  transport.hooks().registered.add([&transport](const LiveAccount& account) {
    transport.tasks().spawn("roster.enter", enter_roster(transport, account.id(), account.user(),
                                                         transport.shown().faces_of(account).back()));
  });
  transport.hooks().unregistered.add(
      [&transport](const FormerAccount& former) { end_subscriptions(transport, former); });
}

}  // namespace wherry::features

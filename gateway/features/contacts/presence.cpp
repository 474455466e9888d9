// Who is there: the user's presence logs in and out (XEP-0100 §4.4, 4.5), the gateway's and the contacts' presence shows
// how it went (RFC 6121 §4).
#include "gateway/features/features.hpp"
#include "gateway/features/contacts/presence.hpp"

#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"
#include "gateway/features/contacts/contact_list.hpp"
#include "gateway/features/contacts/subscriptions.hpp"
#include "gateway/convert/address.hpp"
#include "gateway/convert/presence.hpp"

#include <algorithm>
#include <charconv>

namespace wherry::features {

using connector::Availability;

namespace {

constexpr std::size_t most_status_bytes = 1024;

Availability availability_of(const xmpp::Element& presence) {
  const std::string_view show = presence.child_text("show", ns::component);
  if (show == "chat") return Availability::chat;
  if (show == "away") return Availability::away;
  if (show == "xa") return Availability::extended_away;
  if (show == "dnd") return Availability::do_not_disturb;
  return Availability::online;
}

// The network hears of the user's presence; volatile, so it is told only while the session is up.
asio::awaitable<void> tell_network(std::shared_ptr<connector::Session> session, connector::SetPresence presence) {
  connector::Action action = std::move(presence);
  co_await session->perform(std::move(action));
}

void forward(Transport& transport, LiveAccount& account, connector::SetPresence presence) {
  if (!transport.network().has_presence || !account.is_online() || !account.session) return;
  transport.tasks().spawn("presence", tell_network(account.session, std::move(presence)));
}

// A login that failed is an error, not an available presence with a sad status (XEP-0100 §4.4.2, rule B1.23).
xmpp::Element failure(Transport& transport, const LiveAccount& account, const xmpp::Jid& to, const xmpp::StanzaError& error) {
  xmpp::Element presence = xmpp::make_stanza(xmpp::Kind::presence, transport.domain(), to, "error", "");
  presence.add(xmpp::error_element(error, account.row.lang.empty() ? "en" : account.row.lang));
  return presence;
}

void send_gateway_presence(Transport& transport, const LiveAccount& account, const xmpp::Jid& to) {
  switch (account.state) {
    case LiveAccount::State::online:
      return transport.send(convert::to_presence(transport.domain(), to, Availability::online, account.trouble));
    case LiveAccount::State::needs_login:
      return transport.send(failure(transport, account, to, {"auth", "not-authorized", account.trouble}));
    case LiveAccount::State::offline:
    case LiveAccount::State::connecting:
      if (!account.trouble.empty()) return transport.send(failure(transport, account, to, {"wait", "remote-server-timeout", account.trouble}));
      transport.send(convert::to_presence(transport.domain(), to, Availability::offline, ""));
  }
}

void send_all(Transport& transport, const LiveAccount& account, const xmpp::Jid& to) {
  send_gateway_presence(transport, account, to);
  for (const auto& [id, contact] : account.contacts) {
    if (contact.row.user_sees) send_contact_presence(transport, account, contact, to);
  }
}

// §4.7.2.3: what is no whole number is none.
int priority_of(const xmpp::Element& presence) {
  const std::string_view text = presence.child_text("priority", ns::component);
  int priority = 0;
  std::from_chars(text.data(), text.data() + text.size(), priority);
  return std::clamp(priority, -128, 127);
}

accounts::UserPresence presence_of(const xmpp::Element& element) {
  accounts::UserPresence presence;
  presence.availability = availability_of(element);
  presence.status = base::utf8_prefix(element.child_text("status", ns::component), most_status_bytes);
  presence.priority = priority_of(element);
  return presence;
}

// What the user's devices together show, where it is not what they showed before.
void tell_change(Transport& transport, LiveAccount& account, const accounts::UserPresence& before) {
  const accounts::UserPresence now = account.resources.shown();
  if (now.availability == before.availability && now.status == before.status) return;
  connector::SetPresence news;
  news.availability = now.availability;
  news.status = now.status;
  forward(transport, account, std::move(news));
}

void came(Transport& transport, LiveAccount& account, const xmpp::Stanza& stanza) {
  const bool is_new = !account.resources.contains(stanza.from.str());
  const bool was_online = account.is_online();
  const bool took_messages = account.takes_messages();
  const accounts::UserPresence before = account.resources.shown();
  if (!transport.accounts().user_available(account, stanza.from, presence_of(stanza.element))) {
    return transport.reply_error(stanza, xmpp::StanzaError{"wait", "resource-constraint", "You are here with too many devices at once."});
  }
  tell_change(transport, account, before);
  if (is_new || (!took_messages && account.takes_messages())) transport.inbox().resend_returned(account.id());
  if (is_new) offer_contacts(transport, account);
  // A session that is only now coming up tells by itself (on_account_state). For the contacts in its user's roster the server
  // asks (RFC 6121 §4.3.1); the gateway's own presence is also for those who have it in none.
  if (is_new && (was_online || account.state == LiveAccount::State::needs_login)) send_gateway_presence(transport, account, stanza.from);
}

void went(Transport& transport, LiveAccount& account, const xmpp::Stanza& stanza) {
  const accounts::UserPresence before = account.resources.shown();
  transport.accounts().user_unavailable(account, stanza.from);
  const bool is_last = account.resources.empty();
  if (is_last && account.row.policy == store::AccountPolicy::follow_presence) return;  // the session's end tells everybody
  tell_change(transport, account, before);
  // Rule B1.24; while others of the user's resources are there, only this one is told.
  transport.send(convert::to_presence(transport.domain(), stanza.from, Availability::offline, ""));
}

void register_first(Transport& transport, const xmpp::Stanza& stanza) {
  transport.reply_error(stanza, xmpp::StanzaError{"auth", "registration-required", "Please register with " + transport.domain().str() + " first."});
}

void to_gateway(Transport& transport, const xmpp::Stanza& stanza) {
  const std::string_view type = stanza.type();
  if (type == "error") return;
  if (is_subscription(type)) return on_gateway_subscription(transport, stanza);
  LiveAccount* account = transport.accounts().find(stanza.from);
  if (type == "probe") {
    if (account) send_gateway_presence(transport, *account, stanza.from);
    return;
  }
  // A stranger's presence is answered, but not its going away: that would only make noise at every log-out.
  if (!account) return type.empty() ? register_first(transport, stanza) : void();
  if (type == "unavailable") went(transport, *account, stanza);
  else if (type.empty()) came(transport, *account, stanza);
}

void to_contact(Transport& transport, xmpp::Stanza stanza) {
  const std::string_view type = stanza.type();
  if (type == "error") return;
  if (is_subscription(type)) return on_contact_subscription(transport, std::move(stanza));
  LiveAccount* account = transport.accounts().find(stanza.from);
  if (!account) return type.empty() ? register_first(transport, stanza) : void();
  const base::ContactId id{convert::typed_by(stanza.to)};
  const auto contact = account->contacts.find(id);
  if (type == "probe") {
    if (contact != account->contacts.end() && contact->second.row.user_sees) send_contact_presence(transport, *account, contact->second, stanza.from);
    else transport.send(xmpp::make_stanza(xmpp::Kind::presence, stanza.to.bare(), stanza.from, "unsubscribed", ""));  // RFC 6121 §4.3.2
    return;
  }
  connector::SetPresence presence;
  presence.to = id;
  if (type == "unavailable") {
    // Directed (rule B1.25). Servers also send it to contacts that have seen nothing: that stays here.
    if (contact == account->contacts.end() || !(contact->second.row.contact_sees || contact->second.directed)) return;
    contact->second.directed = false;
    presence.availability = Availability::offline;
    return forward(transport, *account, std::move(presence));
  }
  if (!type.empty()) return;
  // The first presence logs in, whomever it is for (rule B1.19).
  if (account->resources.empty()) came(transport, *account, stanza);
  // Rule B1.29: a contact that the user has removed sees nothing.
  if (contact == account->contacts.end()) return;
  contact->second.directed = true;
  presence.availability = availability_of(stanza.element);
  presence.status = base::utf8_prefix(stanza.element.child_text("status", ns::component), most_status_bytes);
  forward(transport, *account, std::move(presence));
}

// After a start: each registered user hears that we are there and is asked for their presence (rule B1.52), some at a
// time, so that a thousand users are no storm.
asio::awaitable<void> greet(Transport& transport) {
  constexpr int at_once = 50;
  constexpr std::chrono::milliseconds pause(100);
  std::vector<base::AccountId> ids;
  for (const auto& [id, account] : transport.accounts().all()) ids.push_back(id);
  int greeted = 0;
  for (const base::AccountId id : ids) {
    const LiveAccount* account = transport.accounts().find(id);
    if (!account) continue;
    transport.send(xmpp::make_stanza(xmpp::Kind::presence, transport.domain(), account->user(), "probe", ""));
    if (account->is_online()) send_gateway_presence(transport, *account, account->user());
    if (++greeted % at_once == 0) co_await base::sleep(pause);
  }
}

void state_changed(Transport& transport, LiveAccount& account) {
  if (account.is_removed()) return;
  // Every attempt that fails the same way need not be told again.
  if (!account.is_online() && !account.shown_online && (account.trouble.empty() || account.trouble == account.shown_trouble)) return;
  if (account.is_online() || account.shown_online) send_all(transport, account, account.user());
  else send_gateway_presence(transport, account, account.user());
  account.shown_online = account.is_online();
  account.shown_trouble = account.trouble;
  if (!account.is_online()) return;
  accounts::UserPresence nobody;
  nobody.availability = Availability::offline;
  tell_change(transport, account, nobody);
}

}  // namespace

void send_contact_presence(Transport& transport, const LiveAccount& account, const accounts::LiveContact& contact, const xmpp::Jid& to) {
  const auto from = transport.jid_of(contact.row.contact);
  if (!from) return;
  Availability availability = Availability::offline;
  if (account.is_online()) availability = transport.network().has_presence ? contact.availability : Availability::online;
  transport.send(convert::to_presence(*from, to, availability, contact.status));
}

void install_presence(Transport& transport) {
  transport.router().on_presence(AddressForm::gateway, [&](xmpp::Stanza stanza) { to_gateway(transport, stanza); });
  transport.router().on_presence(AddressForm::contact, [&](xmpp::Stanza stanza) { to_contact(transport, std::move(stanza)); });
  transport.on_account_state = [&](LiveAccount& account) { state_changed(transport, account); };
  transport.on_contact_presence = [&](LiveAccount& account, const connector::PresenceChanged& change) {
    const auto contact = account.contacts.find(change.contact);
    if (contact != account.contacts.end() && contact->second.row.user_sees) send_contact_presence(transport, account, contact->second, account.user());
  };
  transport.on_link_up = [&] { transport.tasks().spawn("presence.greet", greet(transport)); };
  transport.on_stop = [&] {
    // Rule B1.53.
    for (const auto& [id, account] : transport.accounts().all()) {
      for (const auto& [contact_id, contact] : account->contacts) {
        if (const auto from = transport.jid_of(contact_id); from && contact.row.user_sees) {
          transport.send(convert::to_presence(*from, account->user(), Availability::offline, ""));
        }
      }
      transport.send(convert::to_presence(transport.domain(), account->user(), Availability::offline, "The gateway is being restarted."));
    }
  };
}

}  // namespace wherry::features

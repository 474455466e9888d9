// Who is there: the user's presence logs in and out (XEP-0100 §4.4, 4.5), the gateway's and the contacts' presence
// shows how it went (RFC 6121 §4).
#include "gateway/features/features.hpp"

#include "gateway/accounts/copies.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"
#include "gateway/convert/presence.hpp"
#include "gateway/convert/refusals.hpp"

#include <algorithm>
#include <charconv>

namespace wherry::features {

using accounts::UserPresence;
using connector::Availability;
using queues::NewsKind;

namespace {

constexpr std::size_t most_status_bytes = 1024;
constexpr std::chrono::milliseconds copies_moment{250};  // in which a server has sent a change to everybody

// What the feature remembers of an account, in this run.
struct Remembered {
  bool shown_online = false;  // what the user was last shown of the session
  std::string shown_trouble;
  accounts::Copies copies;
};
using Presences = std::unordered_map<base::AccountId, Remembered>;

// ---- The user's presence, read ----

Availability availability_of(const xmpp::Element& presence) {
  const std::string_view show = presence.child_text("show", ns::component);
  if (show == "chat") return Availability::chat;
  if (show == "away") return Availability::away;
  if (show == "xa") return Availability::extended_away;
  if (show == "dnd") return Availability::do_not_disturb;
  return Availability::online;
}

// §4.7.2.3: what is no whole number is none.
int priority_of(const xmpp::Element& presence) {
  const std::string_view text = presence.child_text("priority", ns::component);
  int priority = 0;
  std::from_chars(text.data(), text.data() + text.size(), priority);
  return std::clamp(priority, -128, 127);
}

UserPresence presence_of(const xmpp::Stanza& stanza) {
  UserPresence presence;
  if (stanza.type() == "unavailable") {
    presence.availability = Availability::offline;
    return presence;
  }
  presence.availability = availability_of(stanza.element);
  presence.status = base::utf8_prefix(stanza.element.child_text("status", ns::component), most_status_bytes);
  presence.priority = priority_of(stanza.element);
  return presence;
}

bool shows_the_same(const UserPresence& a, const UserPresence& b) {
  return a.availability == b.availability && a.status == b.status;
}

// ---- … and told to the network ----

// `to`: one contact; null: everybody. Volatile, so it is told only while the session is up.
void tell_network(Transport& transport, const LiveAccount& account, const queues::NewsOf& to,
                  const UserPresence& presence) {
  if (!transport.network().has_presence || !account.is_online()) return;
  connector::SetPresence news;
  news.to = to;
  news.availability = presence.availability;
  news.status = presence.status;
  transport.lane().tell_network(account.id(), NewsKind::presence, to, std::move(news));
}

// What the user's devices together show, where it is not what they showed before.
void tell_change(Transport& transport, const LiveAccount& account, const UserPresence& before) {
  const UserPresence now = account.resources.shown();
  if (!shows_the_same(now, before)) tell_network(transport, account, std::nullopt, now);
}

void show_gateway(Transport& transport, const LiveAccount& account, const xmpp::Jid& to) {
  for (const xmpp::Jid& face : transport.shown().faces_of(account))
    transport.send(transport.shown().gateway(account, face, to));
}

// Whether there was room for the device. `contacts`: by whom alone it is known.
bool device_available(Transport& transport, LiveAccount& account, const xmpp::Jid& full, UserPresence presence,
                      const std::vector<base::ContactId>& contacts) {
  const bool is_new = !account.resources.contains(full.str());
  const bool was_online = account.is_online();
  const bool took_messages = account.takes_messages();
  const UserPresence before = account.resources.shown();
  if (!transport.accounts().user_available(account, full, std::move(presence), contacts)) return false;
  tell_change(transport, account, before);
  if (is_new || (!took_messages && account.takes_messages())) transport.inbox().resend_returned(account.id());
  if (is_new) transport.hooks().device_came(account);
  // A session that is only now coming up tells by itself (account_changed). For the contacts in its user's roster the
  // server asks (RFC 6121 §4.3.1); the gateway's own presence is also for those who have it in none.
  if (is_new && (was_online || account.row.logged_out || account.state == LiveAccount::State::needs_login))
    show_gateway(transport, account, full);
  return true;
}

void device_unavailable(Transport& transport, LiveAccount& account, const xmpp::Jid& full) {
  const UserPresence before = account.resources.shown();
  const bool was_there = full.is_bare() || account.resources.contains(full.str());
  transport.accounts().user_unavailable(account, full);
  // Rule B1.24; while others of the user's devices are there, only this one is told.
  std::vector<xmpp::Jid> faces_shown = transport.shown().faces_of(account);
  if (!was_there) faces_shown.resize(1, faces_shown.front());  // who leaves both faces leaves the second one unheard
  for (const xmpp::Jid& face : faces_shown) transport.send(convert::to_presence(face, full, Availability::offline, ""));
  const bool logs_out = account.resources.empty() && account.row.policy == store::AccountPolicy::follow_presence;
  if (!logs_out) tell_change(transport, account, before);
}

void change_device(Transport& transport, LiveAccount& account, const xmpp::Stanza& stanza,
                   const std::vector<base::ContactId>& contacts) {
  const UserPresence presence = presence_of(stanza);
  if (presence.availability == Availability::offline) return device_unavailable(transport, account, stanza.from);
  if (!device_available(transport, account, stanza.from, presence, contacts))
    transport.reply_error(stanza, convert::too_many_devices());
}

// ---- To the account's face ----

void presence_needs_registration(Transport& transport, const xmpp::Stanza& stanza, const Party& party) {
  transport.reply_error(stanza, convert::not_registered(transport.face_of(party.to)));
}

void presence_to_face(Transport& transport, Presences& memory, const xmpp::Stanza& stanza, const Party& party) {
  const std::string_view type = stanza.type();
  LiveAccount* account = party.account;
  if (type == "error") return;
  if (type == "probe") {
    if (!account) return;
    if (party.to.is_named) transport.accounts().set_named(*account, true);  // their server knows that they see it
    return transport.send(transport.shown().gateway(*account, transport.face_of(party.to), stanza.from));
  }
  if (!type.empty() && type != "unavailable") return;
  // A stranger's presence is answered, but not its going away: that would only make noise at every log-out.
  if (!account) return type.empty() ? presence_needs_registration(transport, stanza, party) : void();
  // Who takes back the second address alone is still seen at the domain (RFC 6121 §4.6.3). So Prosody confirms, too,
  // our request to see the user from there, before the user has answered it.
  if (party.to.is_named && !type.empty() && account->resources.is_at_domain(stanza.from)) return;
  memory[account->id()].copies.forget(stanza.from.str());
  change_device(transport, *account, stanza, {});
  if (!party.to.is_named && type.empty()) account->resources.show_at_domain(stanza.from.str());
  if (type.empty()) transport.hooks().user_shown(*account, stanza);
}

// ---- To a contact ----

// What waited for the gateway's own, which did not come.
asio::awaitable<void> settle_copies(Transport& transport, std::shared_ptr<Presences> memory, base::AccountId id) {
  co_await base::sleep(copies_moment);
  const auto found = memory->find(id);
  LiveAccount* account = transport.accounts().find(id);
  if (found == memory->end() || !account) co_return;
  const auto seeing = std::count_if(account->contacts.begin(), account->contacts.end(),
                                    [](const auto& entry) { return entry.second.row.contact_sees; });
  for (const auto& group : found->second.copies.take(static_cast<std::size_t>(seeing))) {
    const auto device = xmpp::Jid::vouched(group.device);
    if (!group.is_for_everybody || !device) {
      for (const base::ContactId& contact : group.contacts) tell_network(transport, *account, contact, group.presence);
    } else if (group.presence.availability == Availability::offline) {
      if (account->resources.contains(group.device)) device_unavailable(transport, *account, *device);
    } else {
      device_available(transport, *account, *device, group.presence, group.contacts);
    }
  }
}

void hold_copy(Transport& transport, const std::shared_ptr<Presences>& memory, LiveAccount& account,
               const base::ContactId& contact, const xmpp::Stanza& stanza) {
  const UserPresence presence = presence_of(stanza);
  UserPresence known;
  known.availability = Availability::offline;
  if (const UserPresence* device = account.resources.find(stanza.from.str())) known = *device;
  if (shows_the_same(known, presence)) return;
  accounts::Copies& copies = (*memory)[account.id()].copies;
  const bool is_first = copies.empty();
  copies.hold(stanza.from.str(), presence, contact);
  if (is_first) transport.tasks().spawn("presence.copies", settle_copies(transport, memory, account.id()));
}

// RFC 6121 §4.6: for that contact alone (rule B1.25).
void direct(Transport& transport, const LiveAccount& account, accounts::LiveContact& contact,
            const xmpp::Stanza& stanza) {
  const UserPresence presence = presence_of(stanza);
  const bool is_available = presence.availability != Availability::offline;
  // Servers also send it to contacts that have seen nothing: that stays here.
  if (!is_available && !contact.directed) return;
  contact.directed = is_available;
  tell_network(transport, account, contact.row.contact, presence);
}

// Whose server tells the contacts only, or who came by presence to one, goes by such presence, too (§4.6.3).
void hide(Transport& transport, Presences& memory, LiveAccount& account, const base::ContactId& contact,
          const xmpp::Jid& user) {
  for (const std::string& gone : account.resources.hide(user, contact)) {
    memory[account.id()].copies.forget(gone);
    if (const auto device = xmpp::Jid::vouched(gone)) device_unavailable(transport, account, *device);
  }
}

void answer_probe(Transport& transport, const LiveAccount& account, const accounts::LiveContact* contact,
                  const xmpp::Stanza& stanza) {
  if (!contact || !contact->row.user_sees) {  // RFC 6121 §4.3.2
    return transport.send(xmpp::make_stanza(xmpp::Kind::presence, stanza.to.bare(), stanza.from, "unsubscribed", ""));
  }
  if (const auto presence = transport.shown().contact(account, *contact, stanza.from)) transport.send(*presence);
}

void presence_to_contact(Transport& transport, const std::shared_ptr<Presences>& memory, const xmpp::Stanza& stanza,
                         const Party& party) {
  const std::string_view type = stanza.type();
  if (type == "error") return;
  LiveAccount* account = party.account;
  if (!account) return type.empty() ? presence_needs_registration(transport, stanza, party) : void();
  const base::ContactId id = party.to.contact();
  const auto contact = account->contacts.find(id);
  const bool is_known = contact != account->contacts.end();
  if (type == "probe") return answer_probe(transport, *account, is_known ? &contact->second : nullptr, stanza);
  if (!type.empty() && type != "unavailable") return;
  // The first presence logs in, whomever it is for (rule B1.19).
  if (!type.empty()) hide(transport, *memory, *account, id, stanza.from);
  else if (account->resources.empty()) change_device(transport, *account, stanza, {id});
  else account->resources.show(stanza.from.str(), id);
  if (type.empty()) transport.hooks().user_shown(*account, stanza);
  if (!is_known) return;  // rule B1.29: a contact that the user has removed sees nothing
  if (contact->second.row.contact_sees) hold_copy(transport, memory, *account, contact->first, stanza);
  else direct(transport, *account, contact->second, stanza);
}

// ---- The network's side, shown ----

// RFC 6121 §4.3.
void ask_for_presence(Transport& transport, const LiveAccount& account) {
  for (const xmpp::Jid& face : transport.shown().faces_of(account))
    transport.send(xmpp::make_stanza(xmpp::Kind::presence, face, account.user(), "probe", ""));
}

using LinkUps = std::shared_ptr<std::uint64_t>;  // how often the link has come up

// Some at a time, so that a thousand users are no storm. Whether it came to the end before the link came up anew.
template <class Call>
asio::awaitable<bool> call_for_each(Transport& transport, LinkUps link_ups, Call call) {
  constexpr int at_once = 50;
  constexpr std::chrono::milliseconds pause(100);
  const std::uint64_t present = *link_ups;
  std::vector<base::AccountId> ids;
  for (const auto& [id, account] : transport.accounts().all()) ids.push_back(id);
  int called = 0;
  for (const base::AccountId id : ids) {
    LiveAccount* account = transport.accounts().find(id);
    if (!account || account->is_removed()) continue;
    call(*account);
    if (++called % at_once == 0) co_await base::sleep(pause);
    if (*link_ups != present) co_return false;
  }
  co_return true;
}

// Their server may have been restarted with the link, and told nobody that they have gone.
void drop_doubted(Transport& transport, Presences& memory, LiveAccount& account) {
  for (const std::string& gone : account.resources.doubted()) {
    memory[account.id()].copies.forget(gone);
    if (const auto device = xmpp::Jid::vouched(gone)) device_unavailable(transport, account, *device);
  }
}

// When the link comes up: each registered user is asked for their presence (rule B1.52). They hear how things stand,
// since what was told while it was down, or was on its way, may be lost. Devices that were there before and do not show
// themselves anew are not there.
asio::awaitable<void> greet(Transport& transport, std::shared_ptr<Presences> memory, LinkUps link_ups) {
  const auto ask = [&transport](const LiveAccount& account) {
    ask_for_presence(transport, account);
    transport.lane().tell_user_all(account.id());
  };
  const auto drop = [&transport, memory](LiveAccount& account) { drop_doubted(transport, *memory, account); };
  const std::uint64_t present = *link_ups;
  const bool asked = co_await call_for_each(transport, link_ups, ask);
  if (!asked) co_return;
  co_await base::sleep(transport.config().device_patience);
  if (*link_ups != present || !transport.link().is_connected()) co_return;
  co_await call_for_each(transport, link_ups, drop);
}

void link_up(Transport& transport, const std::shared_ptr<Presences>& memory, const LinkUps& link_ups) {
  ++*link_ups;
  for (const auto& [id, account] : transport.accounts().all()) account->resources.doubt();
  transport.tasks().spawn("presence.greet", greet(transport, memory, link_ups));
}

void account_changed(Transport& transport, Presences& memory, const LiveAccount& account) {
  if (account.is_removed()) return;
  Remembered& shown = memory[account.id()];
  const bool was_online = std::exchange(shown.shown_online, account.is_online());
  if (account.is_online()) {
    UserPresence nobody;
    nobody.availability = Availability::offline;
    tell_change(transport, account, nobody);
  }
  if (account.is_online() || was_online) {
    shown.shown_trouble = account.trouble;
    return transport.lane().tell_user_all(account.id());
  }
  // Every attempt that fails the same way need not be told again.
  if (account.trouble.empty() || std::exchange(shown.shown_trouble, account.trouble) == account.trouble) return;
  transport.lane().tell_user(account.id(), std::nullopt, NewsKind::presence);
}

}  // namespace

void install_presence(Transport& transport) {
  auto memory = std::make_shared<Presences>();
  for (const AddressForm face : faces)
    transport.router().on_presence(face, [&transport, memory](const xmpp::Stanza& stanza, const Party& party) {
      presence_to_face(transport, *memory, stanza, party);
    });
  transport.router().on_presence(AddressForm::contact,
                                 [&transport, memory](const xmpp::Stanza& stanza, const Party& party) {
                                   presence_to_contact(transport, memory, stanza, party);
                                 });
  transport.hooks().account_changed.add(
      [&transport, memory](const LiveAccount& account) { account_changed(transport, *memory, account); });
  transport.hooks().account_removed.add([memory](base::AccountId id) { memory->erase(id); });
  // Their presence may have come before the account was there, and been refused.
  transport.hooks().registered.add([&transport](const LiveAccount& account) { ask_for_presence(transport, account); });
  const auto link_ups = std::make_shared<std::uint64_t>(0);
  transport.hooks().link_up.add([&transport, memory, link_ups] { link_up(transport, memory, link_ups); });
}

}  // namespace wherry::features

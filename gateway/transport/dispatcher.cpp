#include "gateway/transport/dispatcher.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"

#include <algorithm>
#include <utility>

namespace wherry::transport {

using accounts::ContactEvent;
using accounts::LiveAccount;

namespace {

const base::ContactId& contact_of(const base::ContactId& contact) { return contact; }
const base::ContactId& contact_of(const connector::ListedContact& listed) { return listed.contact; }

}  // namespace

class Dispatcher::Sink final : public connector::EventSink {
 public:
  Sink(Dispatcher& dispatcher, base::AccountId account) : dispatcher_(dispatcher), account_(account) {}
  boost::asio::awaitable<void> publish(connector::Event event, connector::Changes changes) override {
    return dispatcher_.publish(account_, std::move(event), std::move(changes));
  }

 private:
  Dispatcher& dispatcher_;
  base::AccountId account_;
};

std::unique_ptr<connector::EventSink> Dispatcher::sink_for(base::AccountId account) {
  return std::make_unique<Sink>(*this, account);
}

boost::asio::awaitable<void> Dispatcher::publish(base::AccountId account, connector::Event event,
                                                 connector::Changes changes) {
  std::unique_ptr<files::Arrivals::Place> place;
  if (arrivals_.concerns(account, event)) {
    place = co_await arrivals_.enter(account, event);
    files::Arrivals::Sessions session = [this, account] { return session_of(account); };
    if (connector::Content* content = connector::content_of(event))
      co_await arrivals_.bring(account, std::move(session), *content);
  }
  // While the account is being erased a row would be nobody's, and the erasure may still fail.
  if (connector::is_durable(event)) co_await accounts_.until_settled(account);
  if (auto* read = std::get_if<connector::MessageRead>(&event)) co_await note_read(account, std::move(*read));
  LiveAccount* live = accounts_.find(account);
  // Where nobody is there to be told, the network may forget it.
  const bool is_told = live && !live->is_removed() && apply(*live, event);
  if (is_told && connector::is_durable(event)) {
    if (auto* progress = std::get_if<connector::MessageProgressed>(&event))
      co_return co_await reports_.publish(account, std::move(*progress), std::move(changes));
    co_return co_await inbox_.publish(account, std::move(event), std::move(changes));
  }
  if (changes.empty()) co_return;
  journal_.write(std::move(changes));
  co_await journal_.commit();
}

std::shared_ptr<connector::Session> Dispatcher::session_of(base::AccountId account) const {
  const LiveAccount* live = accounts_.find(account);
  return live && live->is_online() ? live->session : nullptr;
}

// What an event changes here, beside what the user is told. Whether they are to be told.
bool Dispatcher::apply(LiveAccount& account, const connector::Event& event) {
  if (const auto* change = std::get_if<connector::AccountChanged>(&event)) accounts_.report(account, *change);
  else if (const auto* presence = std::get_if<connector::PresenceChanged>(&event)) note_presence(account, *presence);
  else if (const auto* typing = std::get_if<connector::TypingChanged>(&event)) note_typing(account, *typing);
  else if (const auto* contact = std::get_if<connector::ContactChanged>(&event)) people_.changed(account, *contact);
  else if (const auto* can = std::get_if<connector::CapabilitiesChanged>(&event)) note_capabilities(account, *can);
  else if (const auto* list = std::get_if<connector::ContactsListed>(&event)) note_list(account, *list);
  else if (const auto* news = std::get_if<connector::ContactListChanged>(&event)) note_list_change(account, *news);
  else if (const auto* answer = std::get_if<connector::ContactAnswered>(&event))
    return change_contact(account, answer->contact,
                          answer->accepted ? ContactEvent::network_accepts : ContactEvent::network_refuses);
  else if (const auto* asked = std::get_if<connector::ContactAsked>(&event))
    return change_contact(account, asked->contact, ContactEvent::network_asks, asked->name);
  else if (const auto* removed = std::get_if<connector::ContactRemoved>(&event))
    return change_contact(account, removed->contact,
                          removed->still_seen ? ContactEvent::network_hides_user : ContactEvent::network_removes);
  return true;
}

bool Dispatcher::change_contact(LiveAccount& account, const base::ContactId& contact, ContactEvent event,
                                std::string_view name) {
  const accounts::ContactStep step = accounts_.change_contact(account, contact, event, name);
  if (!step.is_dropped) people_.listed(account, contact);
  if (!step.is_dropped) return true;
  if (!std::exchange(account.list_was_full, true))
    log::warn("contacts.full", {{"account", account.id().value}, {"contacts", account.contacts.size()}});
  return false;
}

void Dispatcher::note_presence(LiveAccount& account, const connector::PresenceChanged& change) {
  const auto contact = account.contacts.find(change.contact);
  if (contact == account.contacts.end()) return note_early(account, change);
  contact->second.take(change);
  if (contact->second.row.user_sees) lane_.tell_user(account.id(), change.contact, queues::NewsKind::presence);
}

void Dispatcher::note_early(LiveAccount& account, const connector::PresenceChanged& change) {
  constexpr std::size_t most_status_bytes = 512;
  auto& early = account.early_presence;
  if (change.availability == connector::Availability::offline) return void(early.erase(change.contact));
  if (early.size() >= LiveAccount::most_early && !early.contains(change.contact)) return;
  connector::PresenceChanged noted = change;
  noted.status = base::utf8_prefix(change.status, most_status_bytes);
  early.insert_or_assign(change.contact, std::move(noted));
}

// What contacts can do is part of their presence (XEP-0115 §6.1).
void Dispatcher::note_capabilities(LiveAccount& account, const connector::CapabilitiesChanged& change) {
  const auto* contact = change.chat ? std::get_if<base::ContactId>(&*change.chat) : nullptr;
  if (!change.chat) lane_.tell_user_all(account.id());
  else if (contact) lane_.tell_user(account.id(), *contact, queues::NewsKind::presence);
}

void Dispatcher::note_typing(LiveAccount& account, const connector::TypingChanged& change) {
  const bool is_known = account.typing.contains(change.sender);
  if (!is_known && !change.typing) return;
  if (!is_known && account.typing.size() >= LiveAccount::most_noted) account.typing.erase(account.typing.begin());
  account.typing[change.sender] = change.typing;
  lane_.tell_user(account.id(), change.sender, queues::NewsKind::typing);
}

boost::asio::awaitable<void> Dispatcher::note_read(base::AccountId account, connector::MessageRead read) {
  const base::ContactId contact = read.sender;
  connector::Event event = std::move(read);
  const auto named = co_await messages_.name_for_user(account, std::move(event));
  LiveAccount* const live = accounts_.find(account);
  const auto* up_to = named ? std::get_if<connector::MessageRead>(&*named) : nullptr;
  if (!live || !up_to) co_return;
  if (live->read_up_to.size() >= LiveAccount::most_noted) live->read_up_to.erase(live->read_up_to.begin());
  live->read_up_to[contact] = up_to->up_to.value;
  lane_.tell_user(account, contact, queues::NewsKind::marks);
}

void Dispatcher::note_list_change(LiveAccount& account, const connector::ContactListChanged& change) {
  const auto is_named = [](const auto& ids, const base::ContactId& contact) {
    return std::any_of(ids.begin(), ids.end(), [&](const auto& it) { return contact_of(it) == contact; });
  };
  account.listed.remove_if([&](const connector::ListedContact& listed) {
    return is_named(change.changed, listed.contact) || is_named(change.removed, listed.contact);
  });
  if (!account.row.imports) return;
  for (const auto& listed : change.changed) {
    if (account.listed.size() >= accounts::most_contacts) break;
    if (!account.contacts.contains(listed.contact)) account.listed.push_back(listed);
  }
  hooks_.contacts_listed(account);
}

void Dispatcher::note_list(LiveAccount& account, const connector::ContactsListed& list) {
  account.listed.clear();
  if (!account.row.imports) return;
  for (const auto& listed : list.contacts) {
    if (!account.contacts.contains(listed.contact)) account.listed.push_back(listed);
  }
  hooks_.contacts_listed(account);
}

}  // namespace wherry::transport

// The contact list that the network keeps becomes the user's, where the user wants that (XEP-0100 §4.4.1 and 6.4; rules
// B1.42–45): written into the roster where the server lets us (XEP-0356), else suggested as a whole to a client that
// can take it (XEP-0144), else the contacts ask as contacts do, a few at a time, the next when the user has answered
// one. Each is offered once: an offer leaves a row in account.contacts.
#include "gateway/features/features.hpp"

#include "gateway/base/text.hpp"

#include <algorithm>
#include <set>

namespace wherry::features {

using connector::ListedContact;
using store::Offer;

namespace {

constexpr std::ptrdiff_t most_asking = 10;
constexpr std::size_t most_suggested =
    50;  // in one stanza, which stays below servers' limits even if each name is all apostrophes
constexpr std::size_t most_clients = 10;  // that are asked what they can do
constexpr std::chrono::seconds client_limit{20};
constexpr std::size_t most_name_bytes = 256, most_group_bytes = 100, most_groups = 5;

std::string name_of(const ListedContact& listed) {
  return std::string(base::utf8_prefix(listed.name, most_name_bytes));
}

std::vector<std::string> groups_of(const ListedContact& listed) {
  std::vector<std::string> groups;
  for (const std::string& group : listed.groups) {
    if (groups.size() < most_groups && !group.empty()) groups.emplace_back(base::utf8_prefix(group, most_group_bytes));
  }
  return groups;
}

// Takes the first one that can be a contact here from the list. Who has come to be one otherwise is not offered.
std::optional<ListedContact> take_next(Transport& transport, LiveAccount& account) {
  while (!account.listed.empty() && accounts::has_room(account.contacts.size())) {
    ListedContact next = std::move(account.listed.front());
    account.listed.pop_front();
    if (!account.contacts.contains(next.contact) && transport.jid_of(next.contact, account.alias())) return next;
  }
  return std::nullopt;
}

void note(Transport& transport, LiveAccount& account, const ListedContact& listed, Offer offer) {
  store::ContactRow row;
  row.contact = listed.contact;
  row.name = name_of(listed);
  row.offer = offer;
  row.user_sees = row.contact_sees = offer == Offer::none;
  transport.accounts().put_contact(account, std::move(row));
}

// ---- Into the roster ----

asio::awaitable<void> write_roster(Transport& transport, base::AccountId id) {
  for (;;) {
    LiveAccount* account = transport.accounts().find(id);
    if (!account || account->is_removed() || !transport.rosters().is_writable(account->user())) co_return;
    auto next = take_next(transport, *account);
    if (!next) co_return;
    const xmpp::Jid user = account->user(), address = *transport.jid_of(next->contact, account->alias());
    const std::string alias = account->alias();
    accounts::RosterItem item{address, name_of(*next), groups_of(*next)};
    const bool done = co_await transport.rosters().put(user, std::move(item));
    const LiveAccount* present = transport.accounts().find(user, alias);
    const bool has_gone = !present || (present->id() == id && present->is_removed());
    if (done && has_gone) co_await transport.rosters().remove(user, address);
    account = transport.accounts().find(id);
    if (!account || account->is_removed() || account->contacts.contains(next->contact)) continue;
    if (!done) {  // another way, or another time
      account->listed.push_front(std::move(*next));
      co_return;
    }
    note(transport, *account, *next, Offer::none);
    transport.lane().tell_user(id, next->contact, queues::NewsKind::presence);
  }
}

// ---- As a list of suggestions ----

asio::awaitable<bool> takes_lists(Transport& transport, std::string client) {
  xmpp::Element iq("iq", ns::component);
  iq.set("type", "get").set("to", client);
  iq.add("query", ns::disco_info);
  const auto answer = co_await transport.requests().ask(std::move(iq), client_limit);
  const xmpp::Element* query = answer ? answer->element.child("query", ns::disco_info) : nullptr;
  if (!query || answer->type() != "result") co_return false;
  co_return std::any_of(query->children().begin(), query->children().end(), [](const xmpp::Element& feature) {
    return feature.name() == "feature" && feature.attribute("var") == ns::rosterx;
  });
}

// A device of the user that takes lists (XEP-0144 §5), or "".
asio::awaitable<std::string> client_for_lists(Transport& transport, std::vector<std::string> clients) {
  for (const std::string& client : clients) {
    const bool takes = co_await takes_lists(transport, client);
    if (takes) co_return client;
  }
  co_return "";
}

// §6: an iq to a full address, since that is answered.
asio::awaitable<void> suggest(Transport& transport, base::AccountId id, std::string client) {
  for (;;) {
    LiveAccount* account = transport.accounts().find(id);
    if (!account || account->is_removed()) co_return;
    std::vector<ListedContact> suggested;
    while (suggested.size() < most_suggested && accounts::has_room(account->contacts.size() + suggested.size())) {
      auto next = take_next(transport, *account);
      if (!next) break;
      suggested.push_back(std::move(*next));
    }
    if (suggested.empty()) co_return;
    xmpp::Element iq("iq", ns::component);
    iq.set("type", "set").set("to", client);
    xmpp::Element& x = iq.add("x", ns::rosterx);
    for (const ListedContact& listed : suggested) {
      xmpp::Element& item = x.add("item", ns::rosterx);
      item.set("action", "add").set("jid", transport.jid_of(listed.contact, account->alias())->str());
      if (!listed.name.empty()) item.set("name", name_of(listed));
      for (const std::string& group : groups_of(listed)) item.add_text_child("group", group);
    }
    const auto answer = co_await transport.requests().ask(std::move(iq), client_limit);
    account = transport.accounts().find(id);
    if (!account || account->is_removed()) co_return;
    const bool taken = answer && answer->type() == "result";
    for (ListedContact& listed : suggested) {
      if (account->contacts.contains(listed.contact)) continue;
      if (taken) note(transport, *account, listed, Offer::suggested);
      else account->listed.push_front(std::move(listed));
    }
    if (!taken) co_return;
  }
}

// ---- One by one ----

void ask(Transport& transport, LiveAccount& account, const ListedContact& listed) {
  const xmpp::Jid from = *transport.jid_of(listed.contact, account.alias());
  xmpp::Element stanza = xmpp::make_stanza(xmpp::Kind::presence, from, account.user(), "subscribe", "");
  if (!listed.name.empty()) stanza.add("nick", ns::nick).set_text(name_of(listed));
  transport.send(stanza);
  note(transport, account, listed, Offer::asks);
}

void ask_next(Transport& transport, LiveAccount& account) {
  if (account.listed.empty() || account.resources.empty()) return;
  auto asking = std::count_if(account.contacts.begin(), account.contacts.end(),
                              [](const auto& entry) { return entry.second.row.offer == Offer::asks; });
  for (; asking < most_asking; ++asking) {
    const auto next = take_next(transport, account);
    if (!next) return;
    ask(transport, account, *next);
  }
}

// ---- The three in their order ----

asio::awaitable<void> offer(Transport& transport, base::AccountId id) {
  co_await write_roster(transport, id);
  LiveAccount* account = transport.accounts().find(id);
  if (!account || account->listed.empty() || account->resources.empty()) co_return;  // they will come
  std::vector<std::string> clients = account->resources.some(most_clients);
  std::string client = co_await client_for_lists(transport, std::move(clients));
  if (!client.empty()) co_await suggest(transport, id, std::move(client));
  account = transport.accounts().find(id);
  if (account && !account->is_removed()) ask_next(transport, *account);
}

// Each account is offered its list once at a time.
using Offering = std::set<base::AccountId>;

asio::awaitable<void> offer_once(Transport& transport, base::AccountId id, std::shared_ptr<Offering> offering) {
  std::exception_ptr failure;
  try {
    co_await offer(transport, id);
  } catch (...) {
    failure = std::current_exception();
  }
  offering->erase(id);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

void install_contact_list(Transport& transport) {
  const auto offering = std::make_shared<Offering>();
  const auto offer_contacts = [&transport, offering](const LiveAccount& account) {
    if (account.listed.empty() || !offering->insert(account.id()).second) return;
    transport.tasks().spawn("contact_list.offer", offer_once(transport, account.id(), offering));
  };
  transport.hooks().contacts_listed.add(offer_contacts);
  transport.hooks().device_came.add(offer_contacts);
  transport.hooks().offer_answered.add([&transport](LiveAccount& account) { ask_next(transport, account); });
}

}  // namespace wherry::features

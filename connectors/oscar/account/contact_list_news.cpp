// What is told of a contact list: after a login, and when others change it, ask and answer.
#include "connectors/oscar/account/contact_list.hpp"
#include "connectors/oscar/convert/charset.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

namespace wherry::oscar {

namespace {

constexpr std::size_t most_missing = 10'000;

}  // namespace

// Aliases and groups are as other programs have written them.
connector::ListedContact ContactList::to_listed(const RosterContact& contact) const {
  connector::ListedContact listed;
  listed.contact.value = contact.name;
  listed.name = from_unnamed(contact.alias, code_page_);
  for (const std::string& group : contact.groups) listed.groups.push_back(from_unnamed(group, code_page_));
  return listed;
}

asio::awaitable<void> ContactList::tell_all(std::shared_ptr<Conversation> of) {
  missing_.clear();
  if (!of->offers(family::lists)) co_return;
  connector::ContactsListed list;
  std::set<std::string> names, allowed;
  for (const RosterContact& contact : of->roster().contacts()) {
    if (!parse_contact(contact.name)) continue;  // nobody whom one could write to
    list.contacts.push_back(to_listed(contact));
    names.insert(contact.name);
    if (!contact.awaits_authorisation) allowed.insert(contact.name);
  }
  auto before = co_await memory_.recall();
  co_await memory_.add(names, before);
  // A server that has lost the list, or whose list cannot be read, must not cost the user all contacts.
  if (!names.empty() && of->has_whole_roster()) co_await tell_who_is_gone(std::move(names), std::move(before));
  connector::Event event = std::move(list);
  co_await events_.publish(std::move(event));
  co_await tell_answers(std::move(allowed));
}

asio::awaitable<void> ContactList::tell_who_is_gone(std::set<std::string> listed, std::set<std::string> before) {
  for (const std::string& name : before) {
    if (!listed.contains(name)) co_await tell_loss(name);
  }
}

asio::awaitable<void> ContactList::tell_loss(std::string name) {
  connector::Changes changes;
  changes.push_back({waiting_key(name), ""});
  changes.push_back(memory_.without(name));
  connector::Event event = connector::ContactAnswered{{std::move(name)}, false};
  co_await events_.publish(std::move(event), std::move(changes));
}

asio::awaitable<void> ContactList::tell_answers(std::set<std::string> allowed) {
  const std::string prefix = waiting_key("");
  const auto waiting = co_await storage_.read(prefix, "", 1000);
  for (const connector::Entry& entry : waiting) {
    std::string name = entry.key.substr(prefix.size());
    if (allowed.contains(name)) co_await answered(std::move(name), true);
  }
}

// To move a contact into another group, programs remove it and add it.
asio::awaitable<void> ContactList::tell_losses(std::shared_ptr<Conversation> of) {
  std::set<std::string> gone;
  for (auto entry = missing_.begin(); entry != missing_.end();) {
    const bool is_back = of->roster().contact(entry->first).has_value();
    if (!is_back && entry->second++ == 0) {
      ++entry;
      continue;
    }
    if (!is_back) gone.insert(entry->first);
    entry = missing_.erase(entry);
  }
  for (const std::string& name : gone) co_await tell_loss(name);
}

asio::awaitable<void> ContactList::tell_change(std::shared_ptr<Conversation> of, RosterChange change) {
  connector::ContactListChanged news;
  for (const RosterItem& item : change.items) {
    if (item.type != RosterItem::contact) continue;
    const std::string name = plain_name(item.name);
    if (!parse_contact(name)) continue;
    const auto contact = of->roster().contact(name);
    if (contact) news.changed.push_back(to_listed(*contact));
    else news.removed.push_back({name});
    if (!contact && missing_.size() < most_missing) missing_.try_emplace(name, 0);
  }
  if (news.changed.empty() && news.removed.empty()) co_return;
  connector::Event event = std::move(news);
  co_await events_.publish(std::move(event));
}

asio::awaitable<void> ContactList::answered(std::string name, bool accepted) {
  auto contact = parse_contact(plain_name(name));
  if (!contact) co_return;
  connector::Changes changes;
  changes.push_back({waiting_key(contact->value), ""});
  connector::Event event = connector::ContactAnswered{std::move(*contact), accepted};
  co_await events_.publish(std::move(event), std::move(changes));
}

asio::awaitable<void> ContactList::asked(std::string name, std::string why) {
  auto contact = parse_contact(plain_name(name));
  const std::string text = from_unnamed(why, code_page_);
  connector::Event event;
  if (contact) {
    connector::ContactAsked asked;
    asked.text = text == usual_reason ? std::string() : text;
    asked.contact = std::move(*contact);
    event = std::move(asked);
  } else {  // nobody who could be answered
    connector::AccountNotice notice;
    notice.id.value = "asked:" + base::to_hex(name);
    notice.text = fmt::format("{} wants to see when you are there, and cannot be answered from here.",
                              from_unnamed(name, code_page_));
    event = std::move(notice);
  }
  co_await events_.publish(std::move(event));
}

}  // namespace wherry::oscar

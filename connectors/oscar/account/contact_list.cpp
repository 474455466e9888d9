#include "connectors/oscar/account/contact_list.hpp"

#include "connectors/oscar/account/refusals.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "gateway/base/log.hpp"

#include <fmt/format.h>

#include <set>

namespace wherry::oscar {

using connector::Errc;
using connector::Error;
using connector::Receipt;
using connector::Result;

namespace {

constexpr std::uint16_t not_found = 0x02, exists = 0x03, needs_authorisation = 0x0E;
constexpr const char* usual_reason = "Please let me see when you are there.";

connector::ListedContact to_listed(const RosterContact& contact) {
  connector::ListedContact listed;
  listed.contact.value = contact.name;
  listed.name = contact.alias;
  listed.groups = contact.groups;
  return listed;
}

}  // namespace

// Gives the list back however the coroutine ends.
class ContactList::Turn {
 public:
  explicit Turn(ContactList& list) : list_(list) {}
  ~Turn() { list_.end(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  ContactList& list_;
};

asio::awaitable<void> ContactList::begin() {
  while (is_busy_) co_await free_.wait();
  is_busy_ = true;
}

void ContactList::end() {
  is_busy_ = false;
  free_.notify();
}

std::string ContactList::waiting_key(const std::string& contact) const {
  return fmt::format("waiting/{}/{}", account_.value, contact);
}

asio::awaitable<ContactList::Verdict> ContactList::make(std::shared_ptr<Conversation> with, Changes changes) {
  Verdict verdict;
  for (RosterChange& change : changes) {
    auto asking = with->ask(family::lists, static_cast<std::uint16_t>(change.kind), write_items(change.items));
    const Reply reply = co_await std::move(asking);
    if (reply.kind != Reply::Kind::answered) {
      verdict.is_broken = true;
      co_return verdict;
    }
    Reader in(reply.snac.body);
    verdict.code = reply.snac.subtype == 0x0E ? in.u16() : 0xFFFF;
    if (verdict.code == exists && change.kind == RosterChange::Kind::insert) verdict.code = 0;
    if (verdict.code == not_found && change.kind == RosterChange::Kind::remove) verdict.code = 0;
    if (verdict.code != 0) co_return verdict;
    with->roster().apply(change);
  }
  co_return verdict;
}

asio::awaitable<Result<Receipt>> ContactList::carry_out(std::shared_ptr<Conversation> with, Changes changes) {
  if (!with->offers(family::lists)) co_return no_list();
  const Verdict verdict = co_await make(with, std::move(changes));
  if (verdict.is_broken) co_return list_is_unchanged();
  if (verdict.code != 0) co_return list_refused(verdict.code);
  co_return Receipt();
}

asio::awaitable<Result<Receipt>> ContactList::add(std::shared_ptr<Conversation> with, connector::AddContact action) {
  if (!with->offers(family::lists)) co_return no_list();
  co_await begin();
  const Turn turn(*this);
  co_return co_await add_alone(std::move(with), std::move(action));
}

// ICQ asks people whether they may be added; the server says so when one tries.
asio::awaitable<Result<Receipt>> ContactList::add_alone(std::shared_ptr<Conversation> with,
                                                        connector::AddContact action) {
  connector::ContactId contact = std::move(action.contact);
  const auto present = with->roster().contact(contact.value);
  bool must_ask = present && present->awaits_authorisation;
  if (!present) {
    Verdict verdict = co_await make(with, with->roster().to_add(contact.value, false));
    if (verdict.code == needs_authorisation) {
      must_ask = true;
      verdict = co_await make(with, with->roster().to_add(contact.value, true));
    }
    if (verdict.is_broken) co_return list_is_unchanged();
    if (verdict.code != 0) co_return list_refused(verdict.code);
  }
  if (!must_ask) {
    connector::Event event = connector::ContactAnswered{std::move(contact), true};
    co_await events_.publish(std::move(event));
    co_return Receipt();
  }
  Writer request;
  request.text8(contact.value).text16(action.text.empty() ? usual_reason : action.text).u16(0);
  if (!with->tell(family::lists, 0x18, request.take())) co_return list_is_unchanged();
  Receipt receipt;
  receipt.changes.push_back({waiting_key(contact.value), "1"});
  co_return receipt;
}

// A yes that nobody has asked for is one in advance, and to the server the same.
asio::awaitable<Result<Receipt>> ContactList::answer(std::shared_ptr<Conversation> with,
                                                     connector::AnswerContact action) {
  if (!is_uin(action.contact.value) || !with->offers(family::lists)) co_return Receipt();  // AIM asks nobody
  Writer answer;
  answer.text8(action.contact.value).u8(action.accepted ? 1 : 0).text16("").u16(0);
  if (!with->tell(family::lists, 0x1A, answer.take())) co_return list_is_unchanged();
  if (action.accepted) {
    Writer advance;
    advance.text8(action.contact.value).text16("").u16(0);
    with->tell(family::lists, 0x14, advance.take());
  }
  co_return Receipt();
}

asio::awaitable<Result<Receipt>> ContactList::remove(std::shared_ptr<Conversation> with, connector::ContactId contact) {
  co_await begin();
  const Turn turn(*this);
  auto removed = co_await carry_out(with, with->roster().to_remove(contact.value));
  if (removed) removed->changes.push_back({waiting_key(contact.value), ""});
  co_return removed;
}

asio::awaitable<Result<Receipt>> ContactList::rename(std::shared_ptr<Conversation> with,
                                                     connector::RenameContact action) {
  co_await begin();
  const Turn turn(*this);
  co_return co_await carry_out(with, with->roster().to_rename(action.contact.value, action.name));
}

asio::awaitable<Result<Receipt>> ContactList::block(std::shared_ptr<Conversation> with,
                                                    connector::BlockContact action) {
  co_await begin();
  const Turn turn(*this);
  co_return co_await carry_out(with, with->roster().to_deny(action.contact.value, action.blocked));
}

asio::awaitable<Result<Receipt>> ContactList::show_icon(std::shared_ptr<Conversation> with, std::string hash) {
  co_await begin();
  const Turn turn(*this);
  co_return co_await carry_out(with, with->roster().to_show_icon(hash));
}

asio::awaitable<void> ContactList::show_typing(std::shared_ptr<Conversation> with) {
  if (!with->offers(family::lists)) co_return;
  co_await begin();
  const Turn turn(*this);
  const Verdict verdict = co_await make(with, with->roster().to_show_typing());
  if (verdict.code != 0) log::info("oscar.preference_refused", {{"account", account_.value}, {"code", verdict.code}});
}

asio::awaitable<void> ContactList::tell_all(std::shared_ptr<Conversation> of) {
  if (!of->offers(family::lists)) co_return;
  connector::ContactsListed list;
  std::set<std::string> allowed;
  for (const RosterContact& contact : of->roster().contacts()) {
    list.contacts.push_back(to_listed(contact));
    if (!contact.awaits_authorisation) allowed.insert(contact.name);
  }
  connector::Event event = std::move(list);
  co_await events_.publish(std::move(event));
  const std::string prefix = waiting_key("");
  const auto waiting = co_await storage_.read(prefix, "", 1000);
  for (const connector::Entry& entry : waiting) {
    std::string name = entry.key.substr(prefix.size());
    if (allowed.contains(name)) co_await answered(std::move(name), true);
  }
}

asio::awaitable<void> ContactList::tell_change(std::shared_ptr<Conversation> of, RosterChange change) {
  connector::ContactListChanged news;
  for (const RosterItem& item : change.items) {
    if (item.type != RosterItem::contact) continue;
    const auto contact = of->roster().contact(item.name);
    if (contact) news.changed.push_back(to_listed(*contact));
    else news.removed.push_back({plain_name(item.name)});
  }
  if (news.changed.empty() && news.removed.empty()) co_return;
  connector::Event event = std::move(news);
  co_await events_.publish(std::move(event));
}

asio::awaitable<void> ContactList::answered(std::string name, bool accepted) {
  connector::Changes changes;
  changes.push_back({waiting_key(name), ""});
  connector::Event event = connector::ContactAnswered{{std::move(name)}, accepted};
  co_await events_.publish(std::move(event), std::move(changes));
}

asio::awaitable<void> ContactList::asked(std::string name, std::string why) {
  connector::ContactAsked asked;
  asked.text = why == usual_reason ? std::string() : std::move(why);
  asked.contact.value = std::move(name);
  connector::Event event = std::move(asked);
  co_await events_.publish(std::move(event));
}

}  // namespace wherry::oscar

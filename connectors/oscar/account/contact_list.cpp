#include "connectors/oscar/account/contact_list.hpp"

#include "connectors/oscar/account/refusals.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"

namespace wherry::oscar {

using connector::Errc;
using connector::Error;
using connector::Receipt;
using connector::Result;

namespace {

constexpr std::uint16_t not_found = 0x02, exists = 0x03, needs_authorisation = 0x0E;
constexpr std::size_t most_reason = 1000, most_alias = 250;  // octets: a longer one fits no packet, or no server

bool is_of_a_group(const RosterChange& change) { return change.items.front().type == RosterItem::group; }

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
    const bool is_courtesy = change.kind == RosterChange::Kind::update && is_of_a_group(change);
    if (verdict.code != 0 && is_courtesy) {  // the contact is in, or out, all the same
      verdict.code = 0;
      continue;
    }
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
  Receipt receipt;
  receipt.changes.push_back(memory_.with(contact.value));
  bool is_asked = false;
  if (!must_ask) is_asked = co_await is_asked_by_server(with, contact.value);
  if (!must_ask && !is_asked) {
    connector::Event event = connector::ContactAnswered{std::move(contact), true};
    co_await events_.publish(std::move(event));
    co_return receipt;
  }
  receipt.changes.push_back({waiting_key(contact.value), "1"});
  if (is_asked) co_return receipt;
  const std::string why(action.text.empty() ? usual_reason : base::utf8_prefix(action.text, most_reason));
  Writer request;
  request.text8(contact.value).text16(why).u16(0);
  if (!with->tell(family::lists, 0x18, request.take())) co_return list_is_unchanged();
  co_return receipt;
}

// COMPAT(open-oscar-server 0.24): asks an ICQ user in the name of an AIM user, whose programs cannot, and says so in
// the list alone.
asio::awaitable<bool> ContactList::is_asked_by_server(std::shared_ptr<Conversation> with, std::string contact) {
  if (is_uin(number_) || !is_uin(contact)) co_return false;
  auto asking = with->ask(family::lists, 0x04, {});
  const Reply reply = co_await std::move(asking);
  if (reply.kind != Reply::Kind::answered || reply.snac.subtype != 0x06) co_return false;
  Reader in(reply.snac.body);
  in.u8();
  RosterChange change{RosterChange::Kind::update, {}};
  for (RosterItem& item : read_items(in, in.u16())) {
    if (item.type == RosterItem::contact && item.name == contact) change.items.push_back(std::move(item));
  }
  with->roster().apply(change);
  const auto present = with->roster().contact(contact);
  co_return present && present->awaits_authorisation;
}

// A yes that nobody has asked for is one in advance, and to the server the same.
asio::awaitable<Result<Receipt>> ContactList::answer(std::shared_ptr<Conversation> with,
                                                     connector::AnswerContact action) {
  if (!is_uin(number_) || !with->offers(family::lists)) co_return Receipt();  // nobody asks AIM's users
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
  if (removed) {
    removed->changes.push_back({waiting_key(contact.value), ""});
    removed->changes.push_back(memory_.without(contact.value));
  }
  co_return removed;
}

asio::awaitable<Result<Receipt>> ContactList::rename(std::shared_ptr<Conversation> with,
                                                     connector::RenameContact action) {
  co_await begin();
  const Turn turn(*this);
  const std::string alias(base::utf8_prefix(action.name, most_alias));
  co_return co_await carry_out(with, with->roster().to_rename(action.contact.value, alias));
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

}  // namespace wherry::oscar

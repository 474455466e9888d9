#include "connectors/msn/list_keeper.hpp"

#include "connectors/msn/hearing.hpp"
#include "connectors/msn/refusals.hpp"

#include <utility>
#include <vector>

namespace wherry::msn {

using connector::Errc;
using connector::Error;
using connector::Event;
using connector::Receipt;
using connector::Result;

namespace {

// COMPAT(rusty-retro-messaging 07ae691): has FL, AL and BL alone, and answers 201 where RL or PL is to be changed.
bool is_kept_elsewhere(const Reply& reply, list::Bit bit) {
  return (bit == list::reverse || bit == list::pending) && reply.error >= 200 && reply.error < 300;
}

// Where the server has said that somebody is on FL already, and not by which number.
Error unknown_guid(const std::string& email) {
  return {Errc::unavailable, "The MSN server says only at the next login how it calls " + email + ".", {}};
}

}  // namespace

asio::awaitable<Result<void>> ListKeeper::put_on(std::string email, list::Bit bit) {
  if (contacts_.is_on(email, bit)) co_return base::ok();
  contacts_.put_on(email, bit);  // before the answer, since what comes behind it may be about the new member
  std::vector<std::string> args{to_list_name(bit), "N=" + email};
  if (bit == list::forward) args.push_back("F=" + email);
  const Reply reply = co_await link_->ask("ADC", std::move(args));
  if (reply.is_done() && bit == list::forward) {
    const Member member = parse_addition(reply.command.args, 2);
    contacts_.set_guid(email, member.guid);
    auto news = contacts_.set_name(email, member.name);
    co_await publish_all(events_, std::move(news));
  }
  if (reply.is_done() || reply.error == 215 || is_kept_elsewhere(reply, bit)) co_return base::ok();
  contacts_.take_off(email, bit);
  co_return to_result(reply, email);
}

asio::awaitable<Result<void>> ListKeeper::take_off(std::string email, list::Bit bit) {
  if (!contacts_.is_on(email, bit)) co_return base::ok();
  // FL knows its members by their guids alone.
  const std::string who = bit == list::forward ? contacts_.guid_of(email) : email;
  if (who.empty()) co_return unknown_guid(email);
  std::vector<std::string> args{to_list_name(bit), who};
  const Reply reply = co_await link_->ask("REM", std::move(args));
  const bool was_not_there = reply.error == 216 || reply.error == 208 || reply.error == 205;
  const auto taken = to_result(reply, email);
  if (!taken && !was_not_there && !is_kept_elsewhere(reply, bit)) co_return taken.error();
  contacts_.take_off(email, bit);
  co_return base::ok();
}

// Nobody is on both lists, so one is left first.
asio::awaitable<Result<void>> ListKeeper::let_see(std::string email, bool allowed) {
  const list::Bit from = allowed ? list::block : list::allow, to = allowed ? list::allow : list::block;
  const auto left = co_await take_off(email, from);
  if (!left) co_return left.error();
  co_return co_await put_on(email, to);
}

asio::awaitable<Result<Receipt>> ListKeeper::add(connector::AddContact action) {
  const auto email = parse_email(action.contact.value);
  if (!email) co_return Error{Errc::not_found, "An MSN contact is an e-mail address."};
  if (*email == email_) co_return Error{Errc::rejected, "This is your own account."};
  const auto allowed = co_await let_see(*email, true);
  if (!allowed) co_return allowed.error();
  const auto added = co_await put_on(*email, list::forward);
  if (!added) co_return added.error();
  Event answered = connector::ContactAnswered{action.contact, true};  // MSN asks nobody
  co_await events_.publish(std::move(answered));
  std::vector<Event> news{contacts_.listing_of(*email), contacts_.presence_of(*email)};
  co_await publish_all(events_, std::move(news));
  co_return Receipt{};
}

asio::awaitable<Result<Receipt>> ListKeeper::answer(connector::AnswerContact action) {
  const auto email = parse_email(action.contact.value);
  if (!email) co_return Receipt{};
  const bool is_pending = contacts_.is_on(*email, list::pending);
  Result<void> seen = base::ok();
  if (is_pending || action.accepted) seen = co_await let_see(*email, action.accepted);
  else seen = co_await take_off(*email, list::allow);
  if (!seen) co_return seen.error();
  if (contacts_.is_surely_pending(*email) && action.accepted) {
    contacts_.take_off(*email, list::reverse);
    const auto known = co_await put_on(*email, list::reverse);
    if (!known) co_return known.error();
  }
  const auto answered = co_await take_off(*email, list::pending);
  if (!answered) co_return answered.error();
  co_return Receipt{};
}

asio::awaitable<Result<Receipt>> ListKeeper::remove(connector::RemoveContact action) {
  const auto email = parse_email(action.contact.value);
  if (!email) co_return Receipt{};
  const auto removed = co_await take_off(*email, list::forward);
  if (!removed) co_return removed.error();
  Event change = contacts_.listing_of(*email);
  co_await events_.publish(std::move(change));
  co_return Receipt{};
}

asio::awaitable<Result<Receipt>> ListKeeper::rename(connector::RenameContact action) {
  const std::string guid = contacts_.guid_of(action.contact.value);
  if (guid.empty()) co_return Error{Errc::not_found, "This contact is not on your MSN list."};
  // No word may be empty, and MSN calls those who have no name by their address.
  const std::string& name = action.name.empty() ? action.contact.value : action.name;
  std::vector<std::string> args{guid, "MFN", to_name_word(name)};
  const Reply reply = co_await link_->ask("SBP", std::move(args));
  const auto renamed = to_result(reply, action.contact.value);
  if (!renamed) co_return renamed.error();
  contacts_.rename(action.contact.value, action.name);
  Event change = contacts_.listing_of(action.contact.value);
  co_await events_.publish(std::move(change));
  co_return Receipt{};
}

asio::awaitable<Result<Receipt>> ListKeeper::block(connector::BlockContact action) {
  const auto email = parse_email(action.contact.value);
  if (!email) co_return Error{Errc::not_found, "An MSN contact is an e-mail address."};
  const auto done = co_await let_see(*email, !action.blocked);
  if (!done) co_return done.error();
  co_return Receipt{};
}

}  // namespace wherry::msn

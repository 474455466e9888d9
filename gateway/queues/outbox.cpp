#include "gateway/queues/outbox.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"
#include "gateway/convert/degrade.hpp"
#include "gateway/queues/outbox/told.hpp"
#include "gateway/queues/trail.hpp"

#include <algorithm>
#include <utility>

namespace wherry::queues {

using connector::Errc;
using connector::Error;
using store::OutboxState;

namespace {

// Why a message that was surely not sent had to wait for so long.
const char* expired_because(const accounts::LiveAccount* account) {
  if (!account || account->is_wanted()) return told::expired;
  if (account->row.logged_out) return told::expired_logged_out;
  return account->state == accounts::LiveAccount::State::needs_login ? told::expired_refused : told::expired_unwanted;
}

}  // namespace

Outbox::Outbox(asio::any_io_executor executor, Journal& journal, db::Database& database, accounts::Accounts& accounts,
               Reports& reports, Repeats& repeats, Messages& messages, const Keys& keys, const base::Clock& clock,
               std::string transport, OutboxLimits limits, NotStored not_stored)
    : journal_(journal),
      database_(database),
      accounts_(accounts),
      reports_(reports),
      repeats_(repeats),
      messages_(messages),
      keys_(keys),
      clock_(clock),
      transport_(std::move(transport)),
      limits_(limits),
      not_stored_(std::move(not_stored)),
      backlog_(limits),
      rest_(executor),
      performed_(executor),
      tasks_(executor) {
  reports_.set_unsent(*this);
}

// ---- Accepting ----

base::Result<void> Outbox::put(accounts::LiveAccount& account, Envelope envelope) {
  const Fingerprint fingerprint = repeats_.fingerprint(account.id(), envelope.origin, envelope.action);
  if (repeats_.contains(fingerprint)) {
    log::info("outbox.repeated", {{"account", account.id().value}});
    return base::ok();
  }
  // The store erases what is theirs just now: what came behind that would be nobody's.
  if (account.standing != accounts::LiveAccount::Standing::registered) return Error{Errc::unavailable, told::leaving};
  if (!backlog_.has_room(account.id())) {
    return Error{Errc::unavailable, "Too many of your messages are waiting to be sent; please try again later."};
  }
  auto item = std::make_unique<Item>();
  item->row.id = journal_.next_outbox_id();
  item->row.account = account.id();
  item->row.chat = std::move(envelope.chat);
  item->action = std::move(envelope.action);
  item->origin = std::move(envelope.origin);
  if (std::string* const key = connector::key_of(item->action)) *key = keys_.of(item->row.id);
  item->row.deadline = base::to_milliseconds(clock_.now() + limits_.deadline);
  // What can go to the network as soon as it is committed is written as `sending` at once: one write instead of two.
  item->has_turn = backlog_.enter(account.id(), item->row.chat, account.is_online() && !stopping_);
  if (item->has_turn) item->row.state = OutboxState::sending;
  item->fingerprint = fingerprint;
  repeats_.insert(fingerprint);
  store::OutboxRow row = item->row;
  row.origin = to_text(item->origin);
  row.payload = row_of(item->action);
  item->bytes = row.origin.size() + row.payload.size();
  journal_.insert(std::move(row));
  // shared_ptr: std::function must be copyable.
  auto held = std::make_shared<std::unique_ptr<Item>>(std::move(item));
  journal_.after_commit([this, held](const std::exception_ptr& error) {
    if (!error) return committed(std::move(*held));
    const Item& lost = **held;
    backlog_.withdraw(lost);
    repeats_.erase(lost.row.account, lost.origin);
    if (const auto* add = std::get_if<connector::AddContact>(&lost.action))
      accounts_.request_failed(lost.row.account, add->contact);
    not_stored_(lost.row.account, lost.origin,
                Error{Errc::unavailable, "The gateway could not store your message; please send it again later."});
  });
  journal_.close_step();
  return base::ok();
}

void Outbox::committed(std::unique_ptr<Item> item) {
  const base::AccountId account = item->row.account;
  if (reach(account) == Backlog::Reach::gone) {
    backlog_.withdraw(*item);
    report_failure(*item, Error{Errc::rejected, told::unregistered});
    journal_.close_step();
    return;
  }
  if (connector::key_of(item->action))
    trail::accepted(keys_, item->row.id, transport_, *connector::chat_of(item->action), item->origin);
  const std::string chat = item->row.chat;
  Item* const marked = item->has_turn ? item.get() : nullptr;
  const auto deadline = std::chrono::duration_cast<std::chrono::milliseconds>(limits_.deadline).count();
  backlog_.add(std::move(item), reach(account) == Backlog::Reach::online, now_forward() + deadline);
  if (!start(account, chat) && marked) write_state(*marked, OutboxState::queued);
}

// ---- Working ----

Backlog::Reach Outbox::reach(base::AccountId account) const {
  const accounts::LiveAccount* live = accounts_.find(account);
  if (!live || live->is_removed()) return Backlog::Reach::gone;
  return live->is_online() && live->session ? Backlog::Reach::online : Backlog::Reach::away;
}

void Outbox::expire() {
  for (const base::AccountId account : backlog_.accounts()) start_all(account);
}

void Outbox::start_all(base::AccountId account) {
  for (const std::string& chat : backlog_.chats_of(account)) start(account, chat);
}

bool Outbox::start(base::AccountId account, const std::string& chat) {
  if (stopping_ || !backlog_.begin(account, chat, reach(account), now_forward())) return false;
  tasks_.spawn("outbox", work(account, chat));
  return true;
}

asio::awaitable<void> Outbox::work(base::AccountId account, std::string chat) {
  for (bool more = true; more;) {
    try {
      more = co_await take_step(account, chat);
    } catch (const std::exception& e) {
      if (stopping_) throw;
      log::error("outbox.step_failed", {{"account", account.value}, {"error", e.what()}});
      more = false;  // the store did not do it; expire() begins anew
    }
  }
  backlog_.end(account, chat);
  while (const auto denied = backlog_.take_denied(account)) {
    if (start(account, *denied)) break;
  }
}

// One step; whether there may be another one now. Whatever was looked up before a wait is looked up again after it.
asio::awaitable<bool> Outbox::take_step(base::AccountId account, std::string chat) {
  if (stopping_) co_return false;
  const Backlog::Step step = backlog_.next(account, chat, reach(account), now_forward());
  switch (step.kind) {
    case Backlog::Step::Kind::stop: co_return false;
    case Backlog::Step::Kind::load: co_await load_rows(account, chat, step.ids); co_return true;
    case Backlog::Step::Kind::expire: {
      const bool is_unsure = step.item->row.state == OutboxState::unsure;
      fail_row(*step.item, is_unsure ? Error{Errc::uncertain, told::expired_unsure}
                                     : Error{Errc::unavailable, expired_because(accounts_.find(account))});
      co_return true;
    }
    case Backlog::Step::Kind::rest: set_rest_timer(); co_return false;
    case Backlog::Step::Kind::unmark: write_state(*step.item, OutboxState::queued); co_return true;
    case Backlog::Step::Kind::mark:
      write_state(*step.item, OutboxState::sending);
      // Also for a network that may be asked again: should it never be, the row must not say that it was not sent.
      co_await commit_mark(account, chat, step.item->row.id);
      co_return true;
    case Backlog::Step::Kind::perform: {
      const std::int64_t id = step.item->row.id;
      auto action = co_await prepare(account, chat, id);
      if (action) co_await perform(account, chat, id, std::move(*action));
      co_return true;
    }
  }
  co_return false;
}

// A mark that is not on disk is none.
asio::awaitable<void> Outbox::commit_mark(base::AccountId account, std::string chat, std::int64_t id) {
  std::exception_ptr failed;
  try {
    co_await journal_.commit();
  } catch (...) {
    failed = std::current_exception();
  }
  if (!failed) co_return;
  if (Item* const first = backlog_.first(account, chat); first && first->row.id == id)
    first->row.state = OutboxState::queued;
  std::rethrow_exception(failed);
}

// The chat's first row as the network can do it: its capabilities are known only now. Nothing: it is done with, or it
// is not its turn any more.
asio::awaitable<std::optional<connector::Action>> Outbox::prepare(base::AccountId account, std::string chat,
                                                                  std::int64_t id) {
  connector::Action action = backlog_.first(account, chat)->action;
  const connector::ChatId* const chat_id = connector::chat_of(action);
  if (!chat_id) co_return action;
  convert::Referents referents;
  if (messages_.refers()) referents = co_await messages_.name_for_network(account, action, clock_.now());
  Item* const first = backlog_.first(account, chat);
  if (!first || first->row.id != id || reach(account) != Backlog::Reach::online) co_return std::nullopt;
  const auto can = accounts_.find(account)->capabilities(*chat_id);
  convert::Degraded degraded = convert::degrade(std::move(action), *can, referents);
  if (auto* const as_it_goes = std::get_if<connector::Action>(&degraded)) co_return std::move(*as_it_goes);
  if (auto* const error = std::get_if<Error>(&degraded)) fail_row(*first, std::move(*error));
  else end_unsent(*first);
  co_return std::nullopt;
}

asio::awaitable<void> Outbox::perform(base::AccountId account, std::string chat, std::int64_t id,
                                      connector::Action action) {
  const auto session = accounts_.find(account)->session;
  backlog_.begin_perform(account, chat);
  reports_.send_began(account, id, chat);
  ++performing_;
  base::Result<connector::Receipt> result = Error{Errc::uncertain, ""};
  std::exception_ptr ended;
  try {
    connector::Action asked = action;
    result = co_await session->perform(std::move(asked));
  } catch (const std::exception& e) {
    // The contract lets a lost store pass through perform(); a bug of the connector's must not stop the chat either.
    if (stopping_) ended = std::current_exception();
    else log::error("session.perform_failed", {{"account", account.value}, {"error", e.what()}});
  }
  if (--performing_ == 0) performed_.notify();
  if (ended) std::rethrow_exception(ended);
  if (result) journal_.write(std::move(result->changes));
  if (Item* const item = backlog_.end_perform(account, chat, id)) {
    settle(*item, action, result);
  } else if (left_.contains(id)) {
    end_left(id, result);
  } else {  // a report has ended it meanwhile
    if (result) reports_.name_sent(account, id, result->ids);
    reports_.send_ended(account, id);
  }
  journal_.close_step();
}

// The chat's first rows, from the store. None of them was on the wire in this run, or it is `queued` again since.
asio::awaitable<void> Outbox::load_rows(base::AccountId account, std::string chat, std::vector<std::int64_t> ids) {
  auto read = [ids](db::Transaction& t) { return store::read_outbox(t, ids); };
  auto found = co_await database_.fetch(std::move(read));
  if (reach(account) == Backlog::Reach::gone) co_return;
  std::vector<std::unique_ptr<Item>> items;
  for (auto& row : found) {
    if (auto item = to_item(std::move(row))) items.push_back(std::move(item));
  }
  backlog_.load(account, chat, ids, std::move(items));
}

// A chat that waits for its next attempt keeps no other from being worked on.
void Outbox::set_rest_timer() {
  const auto next = backlog_.next_rest_end();
  if (!next) return;
  rest_.expires_after(std::chrono::milliseconds(*next - now_forward()));
  rest_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    for (const auto& [account, chat] : backlog_.take_rested(now_forward())) start(account, chat);
    set_rest_timer();
  });
}

void Outbox::write_state(Item& item, OutboxState state) {
  item.row.state = state;
  item.has_turn = false;
  journal_.update(item.row);
  journal_.close_step();
}

// ---- The end ----

asio::awaitable<void> Outbox::await_performs() {
  while (performing_ > 0) co_await performed_.wait();
}

asio::awaitable<void> Outbox::stop(std::chrono::milliseconds grace) {
  stopping_ = true;
  rest_.cancel();
  try {
    // What only waits for its next attempt is not waited for.
    co_await base::within(grace, await_performs());
  } catch (const base::TimedOut&) {
    log::warn("outbox.cut", {{"transport", transport_}, {"performs", performing_}});
  }
  try {
    co_await journal_.commit();  // of what is being written the backlog knows then
    for (Item* const item : backlog_.idle_sending()) write_state(*item, OutboxState::queued);
    co_await journal_.commit();
  } catch (const std::exception&) {  // logged by the journal; then they are told as uncertain
  }
  co_await tasks_.end();
}

}  // namespace wherry::queues

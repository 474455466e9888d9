#include "gateway/queues/outbox.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"
#include "gateway/connector/action_codec.hpp"

#include <algorithm>
#include <utility>

namespace wherry::queues {

using connector::Errc;
using connector::Error;
using store::OutboxState;

namespace {

constexpr int rows_per_read = 1000;  // at the start
// A row that an earlier run left has so long at least, since the clock may have leapt meanwhile.
constexpr std::chrono::hours least_time_left{1};

const char* uncertain_text = "The connection broke while this message was being sent: it may or may not have arrived. It is not sent again by itself.";
const char* unregistered_meanwhile_text = "You have unregistered while it was being sent.";
const char* unregistered_unsure_text = "You have unregistered. An earlier attempt may have succeeded, so the message may or may not have arrived.";
const char* leaving_text = "You are being unregistered; the message was not sent.";
const char* unregistered_text = "You are no longer registered here; the message was not sent.";
const char* expired_text = "The network could not be reached for too long; the message was not sent.";
const char* expired_unwanted_text = "You were not logged in to the network for too long; the message was not sent. Showing the gateway your presence logs you in.";
const char* expired_refused_text = "The network has not accepted your login for too long; the message was not sent. Please register again.";
const char* expired_unsure_text = "The network could not be reached for too long. An earlier attempt may have succeeded, so the message may or may not have arrived.";
const char* damaged_text = "The gateway's record of it is damaged; the message was not sent.";

bool is_final(Errc code) { return code != Errc::unavailable && code != Errc::uncertain; }

// Why a message that was surely not sent had to wait for so long.
const char* expired_because(const accounts::LiveAccount* account) {
  if (!account || account->is_wanted()) return expired_text;
  return account->state == accounts::LiveAccount::State::needs_login ? expired_refused_text : expired_unwanted_text;
}

std::int64_t now_forward() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Outbox::Outbox(asio::any_io_executor executor, Journal& journal, db::Database& database, accounts::Accounts& accounts,
               Reports& reports, Repeats& repeats, const Keys& keys, const base::Clock& clock, std::string transport,
               OutboxLimits limits, NotStored not_stored)
    : journal_(journal), database_(database), accounts_(accounts), reports_(reports), repeats_(repeats), keys_(keys),
      clock_(clock), transport_(std::move(transport)), limits_(limits), not_stored_(std::move(not_stored)), backlog_(limits),
      performed_(executor), tasks_(executor) {
  reports_.set_unsent(*this);
}

// ---- Accepting ----

base::Result<void> Outbox::put(accounts::LiveAccount& account, connector::SendMessage message, convert::Origin origin) {
  if (repeats_.contains(account.id(), origin, message.content)) {
    log::info("outbox.repeated", {{"account", account.id().value}});
    return base::ok();
  }
  const std::int64_t id = journal_.next_outbox_id();
  message.key = keys_.of(id);
  std::string chat = base::to_string(message.chat);
  return accept(account, std::move(message), std::move(chat), std::move(origin), id);
}

base::Result<void> Outbox::put(accounts::LiveAccount& account, connector::Action action, std::string chat, convert::Origin origin) {
  return accept(account, std::move(action), std::move(chat), std::move(origin), journal_.next_outbox_id());
}

base::Result<void> Outbox::accept(accounts::LiveAccount& account, connector::Action action, std::string chat,
                                  convert::Origin origin, std::int64_t id) {
  // The store erases what is theirs just now: what came behind that would be nobody's.
  if (account.standing != accounts::LiveAccount::Standing::registered) return Error{Errc::unavailable, leaving_text};
  if (!backlog_.has_room(account.id())) {
    return Error{Errc::unavailable, "Too many of your messages are waiting to be sent; please try again later."};
  }
  auto item = std::make_unique<Item>();
  item->row.id = id;
  item->row.account = account.id();
  item->row.chat = std::move(chat);
  item->row.deadline = base::to_milliseconds(clock_.now() + limits_.deadline);
  // What can go to the network as soon as it is committed is written as `sending` at once: one write instead of two.
  item->has_turn = backlog_.enter(account.id(), item->row.chat, account.is_online() && !stopping_);
  if (item->has_turn) item->row.state = OutboxState::sending;
  if (const auto* message = std::get_if<connector::SendMessage>(&action)) repeats_.insert(account.id(), origin, message->content);
  store::OutboxRow row = item->row;
  row.origin = to_text(origin);
  row.payload = connector::to_text(action);
  journal_.insert(std::move(row));
  item->action = std::move(action);
  item->origin = std::move(origin);
  // shared_ptr: std::function must be copyable.
  auto held = std::make_shared<std::unique_ptr<Item>>(std::move(item));
  journal_.after_commit([this, held](const std::exception_ptr& error) {
    if (!error) return committed(std::move(*held));
    const Item& lost = **held;
    backlog_.withdraw(lost);
    repeats_.erase(lost.row.account, lost.origin);
    if (const auto* add = std::get_if<connector::AddContact>(&lost.action)) accounts_.request_failed(lost.row.account, add->contact);
    not_stored_(lost.row.account, lost.origin, Error{Errc::unavailable, "The gateway could not store your message; please send it again later."});
  });
  journal_.close_step();
  return base::ok();
}

void Outbox::committed(std::unique_ptr<Item> item) {
  const base::AccountId account = item->row.account;
  if (reach(account) == Backlog::Reach::gone) {
    backlog_.withdraw(*item);
    report_failure(*item, Error{Errc::rejected, unregistered_text});
    journal_.close_step();
    return;
  }
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
  if (backlog_.end(account, chat)) start_all(account);
}

// One step; whether there may be another one now. Whatever was looked up before a wait is looked up again after it.
asio::awaitable<bool> Outbox::take_step(base::AccountId account, std::string chat) {
  if (stopping_) co_return false;
  const Backlog::Step step = backlog_.next(account, chat, reach(account), now_forward());
  switch (step.kind) {
    case Backlog::Step::Kind::stop:
      co_return false;
    case Backlog::Step::Kind::load:
      co_await load_rows(account, chat, step.ids);
      co_return true;
    case Backlog::Step::Kind::expire: {
      const bool is_unsure = step.item->row.state == OutboxState::unsure;
      fail_row(*step.item, is_unsure ? Error{Errc::uncertain, expired_unsure_text} : Error{Errc::unavailable, expired_because(accounts_.find(account))});
      co_return true;
    }
    case Backlog::Step::Kind::rest:
      tasks_.spawn("outbox.rest", rest(account, chat, std::chrono::milliseconds(step.until - now_forward())));
      co_return false;
    case Backlog::Step::Kind::unmark:
      write_state(*step.item, OutboxState::queued);
      co_return true;
    case Backlog::Step::Kind::mark:
      write_state(*step.item, OutboxState::sending);
      // Also for a network that may be asked again: should it never be, the row must not say that it was not sent.
      co_await commit_mark(account, chat, step.item->row.id);
      co_return true;
    case Backlog::Step::Kind::perform:
      co_await perform(account, chat, step.item->row.id, step.item->action);
      co_return true;
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
  if (Item* const first = backlog_.first(account, chat); first && first->row.id == id) first->row.state = OutboxState::queued;
  std::rethrow_exception(failed);
}

asio::awaitable<void> Outbox::perform(base::AccountId account, std::string chat, std::int64_t id, connector::Action action) {
  const auto session = accounts_.find(account)->session;
  backlog_.begin_perform(account, chat);
  const Reports::Ticket ticket = reports_.perform_began(account);
  ++performing_;
  base::Result<connector::Receipt> result = Error{Errc::uncertain, ""};
  std::exception_ptr ended;
  try {
    result = co_await session->perform(std::move(action));
  } catch (const std::exception& e) {
    // The contract lets a lost store pass through perform(); a bug of the connector's must not stop the chat either.
    if (stopping_) ended = std::current_exception();
    else log::error("session.perform_failed", {{"account", account.value}, {"error", e.what()}});
  }
  if (--performing_ == 0) performed_.notify();
  if (ended) std::rethrow_exception(ended);
  if (Item* const item = backlog_.end_perform(account, chat, id)) settle(*item, result);
  else if (result && result->id) reports_.name_sent(account, id, result->id->value);  // a report has ended it meanwhile
  journal_.close_step();
  reports_.perform_ended(account, ticket);
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

// Whole again; of a damaged row the sender is told, where it says who that is, and there is nothing.
std::unique_ptr<Outbox::Item> Outbox::to_item(store::OutboxRow row) {
  auto origin = convert::parse_origin(row.origin);
  auto action = connector::parse_action(std::string_view(row.payload));
  row.payload = row.origin = std::string();
  // Found so by load(), on a network that may be asked again: an earlier run was at it.
  if (row.state == OutboxState::sending && repeats_freely()) row.state = OutboxState::unsure;
  auto item = std::make_unique<Item>();
  item->row = std::move(row);
  if (origin) item->origin = std::move(*origin);
  if (action && origin) {
    item->action = std::move(*action);
    return item;
  }
  log::error("outbox.row_damaged", {{"id", item->row.id}});
  const bool may_have_gone = item->row.state != OutboxState::queued;
  if (origin) report_failure(*item, may_have_gone ? Error{Errc::uncertain, uncertain_text} : Error{Errc::rejected, damaged_text});
  journal_.close_step();
  return nullptr;
}

// A chat that waits for its next attempt keeps no other from being worked on.
asio::awaitable<void> Outbox::rest(base::AccountId account, std::string chat, std::chrono::milliseconds pause) {
  co_await base::sleep(pause);
  backlog_.rest_ended(account, chat);
  start(account, chat);
}

void Outbox::write_state(Item& item, OutboxState state) {
  item.row.state = state;
  item.has_turn = false;
  journal_.update(item.row);
  journal_.close_step();
}

// ---- Settling: the only table from a result to a row's next state ----

void Outbox::settle(Item& item, const base::Result<connector::Receipt>& result) {
  if (result) {
    const auto* message = std::get_if<connector::SendMessage>(&item.action);
    const bool has_own_id = message && result->id && result->id->value != message->key;
    if (message && (network_.reports_delivery || has_own_id)) {
      note_sent(item, has_own_id ? result->id->value : "", connector::Stage::accepted);
    }
    log::debug("outbox.settled", {{"id", item.row.id}, {"outcome", "done"}});
    if (message) repeats_.keep(item.row.account, item.origin, message->content);
    return remove_row(item);
  }
  const Error& error = result.error();
  log::debug("outbox.settled", {{"id", item.row.id}, {"outcome", base::to_string(error.code)}, {"error", error.text}});
  if (is_final(error.code)) return fail_row(item, error);
  if (error.code == Errc::uncertain && !repeats_freely()) {
    return fail_row(item, Error{Errc::uncertain, error.text.empty() ? uncertain_text : error.text});
  }
  retry(item, error);
}

void Outbox::retry(Item& item, const Error& error) {
  ++item.row.attempts;
  base::Backoff backoff(limits_.retry, static_cast<std::uint64_t>(item.row.id));
  backoff.next();
  std::chrono::milliseconds pause{0};
  for (int i = 0; i < std::min(item.row.attempts, 16); ++i) pause = backoff.next();
  if (error.retry_after.count() > 0) pause = error.retry_after;
  item.row.not_before = base::to_milliseconds(clock_.now() + pause);
  const bool is_unsure = error.code == Errc::uncertain || item.row.state == OutboxState::unsure;
  backlog_.retry_first(item.row.account, item.row.chat, now_forward() + pause.count());
  write_state(item, is_unsure ? OutboxState::unsure : OutboxState::queued);
}

// Tells the sender and removes the row, in one commit.
void Outbox::fail_row(Item& item, Error error) {
  report_failure(item, std::move(error));
  backlog_.remove_first(item.row.account, std::string(item.row.chat));
  journal_.close_step();
}

// As fail_row, for a row that the backlog does not have.
void Outbox::report_failure(const Item& item, Error error) {
  // A report may still come, and then counts (Stage).
  if (error.code == Errc::uncertain && std::holds_alternative<connector::SendMessage>(item.action)) note_sent(item, "", connector::Stage::failed);
  if (const auto* add = std::get_if<connector::AddContact>(&item.action)) accounts_.request_failed(item.row.account, add->contact);
  reports_.put_failed(item.row.account, item.origin, std::move(error));
  journal_.remove_outbox(item.row.id);
}

void Outbox::remove_row(const Item& item) {
  journal_.remove_outbox(item.row.id);
  backlog_.remove_first(item.row.account, std::string(item.row.chat));
}

bool Outbox::end_send(const store::OutboxRow& row, connector::Stage stage) {
  const auto place = backlog_.find(row.account, row.chat, row.id);
  if (!place) return false;
  // What is with the connector ends with a success of its own.
  if (stage == connector::Stage::accepted && place->is_performing) return false;
  const OutboxState state = place->item ? place->item->row.state : row.state;
  if (state == OutboxState::queued && stage == connector::Stage::failed) return false;  // it was provably not sent
  const auto origin = convert::parse_origin(row.origin);
  const auto action = connector::parse_action(std::string_view(row.payload));
  const auto* message = action ? std::get_if<connector::SendMessage>(&*action) : nullptr;
  if (!origin || !message) return false;
  Item item;
  item.row = row;
  item.origin = *origin;
  note_sent(item, "", connector::Stage::accepted);
  repeats_.keep(row.account, *origin, message->content);
  journal_.remove_outbox(row.id);
  backlog_.remove(row.account, row.chat, row.id);
  journal_.after_commit([this, account = row.account, chat = row.chat, id = row.id](const std::exception_ptr& error) {
    if (error) end_failed(account, chat, id);
  });
  log::debug("outbox.settled", {{"id", row.id}, {"outcome", "reported"}});
  start(row.account, row.chat);
  return true;
}

// The store still has the row. Where it may be sent again it waits as before; else the next start tells its sender.
void Outbox::end_failed(base::AccountId account, const std::string& chat, std::int64_t id) {
  reports_.forget_sent(id);
  if (!repeats_freely() || reach(account) == Backlog::Reach::gone) return;
  const auto ms = [](auto duration) { return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(); };
  backlog_.recover(account, chat, id, now_forward() + ms(limits_.deadline), now_forward() + ms(limits_.retry.most));
}

void Outbox::note_sent(const Item& item, std::string network_id, connector::Stage stage) {
  store::SentMessage sent;
  sent.id = item.row.id;
  sent.account = item.row.account;
  sent.network_id = std::move(network_id);
  sent.origin = to_text(item.origin);
  sent.chat = item.row.chat;
  sent.stage = stage;
  sent.created = base::to_milliseconds(clock_.now());
  reports_.note_sent(std::move(sent));
}

void Outbox::account_removed(base::AccountId account, const std::vector<store::OutboxRow>& stored) {
  const auto find = [&](std::int64_t id) -> const store::OutboxRow* {
    const auto row = std::lower_bound(stored.begin(), stored.end(), id, [](const store::OutboxRow& r, std::int64_t i) { return r.id < i; });
    return row != stored.end() && row->id == id ? &*row : nullptr;
  };
  for (Backlog::Removed& row : backlog_.remove(account)) {
    journal_.remove_outbox(row.id);
    const store::OutboxRow* const kept = row.item ? &row.item->row : find(row.id);
    base::Result<convert::Origin> origin = Error{Errc::bad_input, "not stored"};
    if (row.item) origin = std::move(row.item->origin);
    else if (kept) origin = convert::parse_origin(kept->origin);
    if (!origin) {
      log::error("outbox.row_damaged", {{"id", row.id}});
      continue;
    }
    // A row that rests only in the store and is `sending` there was left so by an earlier run.
    const bool may_have_gone = kept->state == OutboxState::unsure || (!row.item && kept->state == OutboxState::sending);
    Error error{Errc::rejected, unregistered_text};
    if (row.is_performing) error = Error{Errc::uncertain, unregistered_meanwhile_text};
    else if (may_have_gone) error = Error{Errc::uncertain, unregistered_unsure_text};
    reports_.put_failed(account, std::move(*origin), std::move(error));
  }
  reports_.forget(account);
  journal_.close_step();
}

// ---- After a restart ----

asio::awaitable<void> Outbox::load(connector::Network network) {
  network_ = std::move(network);
  co_await reports_.load(transport_);
  std::size_t rows = 0;
  std::int64_t after = 0;
  for (bool more = true; more;) {
    auto read = [this, after](db::Transaction& t) { return store::read_outbox(t, transport_, after, rows_per_read); };
    const auto found = co_await database_.fetch(std::move(read));
    for (const auto& row : found) {
      expect_repeats(row);
      recover(row);
    }
    rows += found.size();
    more = !found.empty();
    if (more) after = found.back().id;
  }
  if (rows > 0) log::info("outbox.recovered", {{"transport", transport_}, {"rows", rows}});
  auto read = [](db::Transaction& t) { return store::read_orphaned_outbox(t); };
  for (const auto& row : co_await database_.fetch(std::move(read))) tell_orphaned(row);
  journal_.close_step();
}

// Its user unregistered, and the gateway died before they were told. The address that was written to says whose network it was.
void Outbox::tell_orphaned(const store::OutboxRow& row) {
  auto origin = convert::parse_origin(row.origin);
  const auto contact = origin ? xmpp::Jid::parse(origin->contact) : Error{Errc::bad_input, ""};
  if (!contact || contact->domain() != transport_) return;
  const bool may_have_gone = row.state == OutboxState::unsure || row.state == OutboxState::sending;
  Error error = may_have_gone ? Error{Errc::uncertain, unregistered_unsure_text} : Error{Errc::rejected, unregistered_text};
  reports_.put_failed(row.account, std::move(*origin), std::move(error));
  journal_.remove_outbox(row.id);
}

void Outbox::expect_repeats(const store::OutboxRow& row) {
  const auto origin = convert::parse_origin(row.origin);
  const auto action = connector::parse_action(std::string_view(row.payload));
  const auto* message = action ? std::get_if<connector::SendMessage>(&*action) : nullptr;
  if (origin && message) repeats_.insert(row.account, *origin, message->content);
}

void Outbox::recover(const store::OutboxRow& row) {
  // The process died between the mark and the answer; or the network deduplicated then, and does no longer.
  if (row.state != OutboxState::queued && !repeats_freely()) {
    const auto item = to_item(row);
    if (!item) return;
    if (std::holds_alternative<connector::SendMessage>(item->action)) {
      report_failure(*item, Error{Errc::uncertain, uncertain_text});
      journal_.close_step();
      return;
    }
  }
  const auto ms = [](auto duration) { return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(); };
  const std::int64_t now = base::to_milliseconds(clock_.now()), forward = now_forward();
  const std::int64_t least = std::min(ms(limits_.deadline), ms(least_time_left));
  const std::int64_t left = std::clamp(row.deadline - now, least, std::max(least, ms(limits_.deadline)));
  // No wait is longer than the longest pause, wherever the clock stood when it was written.
  const std::int64_t pause = std::clamp<std::int64_t>(row.not_before - now, 0, ms(limits_.retry.most));
  backlog_.recover(row.account, row.chat, row.id, forward + left, forward + pause);
}

// ---- The end ----

asio::awaitable<void> Outbox::await_performs() {
  while (performing_ > 0) co_await performed_.wait();
}

asio::awaitable<void> Outbox::stop(std::chrono::milliseconds grace) {
  stopping_ = true;
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
  tasks_.cancel();
  co_await tasks_.join();
}

}  // namespace wherry::queues

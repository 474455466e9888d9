#include "gateway/queues/outbox.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"
#include "gateway/connector/codec.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace wherry::queues {

using connector::Errc;
using connector::Error;

namespace {

constexpr int rows_per_read = 1000;  // at the start

const char* uncertain_text = "The connection broke while this message was being sent: it may or may not have arrived. It is not sent again by itself.";

const char* unregistered_meanwhile_text = "You have unregistered while it was being sent.";

const char* unregistered_text = "You are no longer registered here; the message was not sent.";

const char* expired_text = "The network could not be reached for too long; the message was not sent.";

const char* damaged_text = "The gateway's record of it is damaged; the message was not sent.";

bool is_final(Errc code) { return code != Errc::unavailable && code != Errc::uncertain; }

}  // namespace

Outbox::Outbox(asio::any_io_executor executor, Journal& journal, db::Database& database, accounts::Accounts& accounts,
               const base::Clock& clock, std::string transport, OutboxLimits limits, OutboxEvents events)
    : journal_(journal), database_(database), accounts_(accounts), clock_(clock), transport_(std::move(transport)),
      limits_(limits), events_(std::move(events)), tasks_(executor) {}

// ---- Accepting ----

base::Result<void> Outbox::put(accounts::LiveAccount& account, connector::SendMessage message, convert::Origin origin) {
  const std::int64_t id = journal_.next_outbox_id();
  message.key = key_prefix_ + std::to_string(id);
  std::string chat = base::to_string(message.chat);
  return accept(account, std::move(message), std::move(chat), std::move(origin), id);
}

base::Result<void> Outbox::put(accounts::LiveAccount& account, connector::Action action, std::string chat, convert::Origin origin) {
  return accept(account, std::move(action), std::move(chat), std::move(origin), journal_.next_outbox_id());
}

base::Result<void> Outbox::accept(accounts::LiveAccount& account, connector::Action action, std::string chat, convert::Origin origin, std::int64_t id) {
  Queue& queue = queues_[account.id()];
  if (queue.waiting >= limits_.waiting_per_account) {
    return Error{Errc::unavailable, "Too many of your messages are waiting to be sent; please try again later."};
  }
  auto item = std::make_unique<Item>();
  item->row.id = id;
  item->row.account = account.id();
  item->row.chat = std::move(chat);
  item->row.origin = to_text(origin);
  item->row.payload = connector::to_text(action);
  item->row.deadline = base::to_milliseconds(clock_.now() + limits_.deadline);
  // What can go to the network as soon as it is committed is written as `sending` at once: one write instead of two.
  const auto chat_queue = queue.chats.find(item->row.chat);
  const bool goes_at_once = account.is_online() && queue.performing < limits_.performing_per_account &&
                            (chat_queue == queue.chats.end() || chat_queue->second.rows.empty());
  if (!repeats_freely() && goes_at_once) item->row.state = store::OutboxState::sending;
  item->action = std::move(action);
  item->origin = std::move(origin);

  ++queue.waiting;
  journal_.insert(item->row);
  item->row.payload = std::string();
  item->row.origin = std::string();
  // shared_ptr: std::function must be copyable.
  auto held = std::make_shared<std::unique_ptr<Item>>(std::move(item));
  journal_.after_commit([this, held](std::exception_ptr error) {
    if (!error) return committed(std::move(*held));
    Item& lost = **held;
    if (const auto found = queues_.find(lost.row.account); found != queues_.end()) --found->second.waiting;
    events_.not_stored(lost.row.account, lost.origin, Error{Errc::unavailable, "The gateway could not store your message; please send it again later."});
  });
  return base::ok();
}

void Outbox::committed(std::unique_ptr<Item> item) {
  const base::AccountId account = item->row.account;
  const accounts::LiveAccount* live = accounts_.find(account);
  if (!live || live->removed) return give_up(*item, Error{Errc::rejected, unregistered_text});
  Queue& queue = queues_[account];
  const auto chat = queue.chats.try_emplace(item->row.chat).first;
  const bool is_kept = belongs_in_memory(*live, queue, chat->second);
  Entry& entry = chat->second.rows.emplace_hint(chat->second.rows.end(), item->row.id, Entry{item->row.deadline, nullptr})->second;
  if (is_kept) {
    entry.item = std::move(item);
    ++in_memory_;
  }
  kick(account, queue, chat->first, chat->second);
}

bool Outbox::belongs_in_memory(const accounts::LiveAccount& account, const Queue& queue, const Chat& chat) const {
  return account.is_online() && !chat.resting && (chat.working || queue.performing < limits_.performing_per_account) &&
         chat.rows.size() < window() && (chat.rows.empty() || chat.rows.rbegin()->second.item);
}

// ---- Working ----

void Outbox::account_online(accounts::LiveAccount& account) { kick_all(account.id()); }

void Outbox::expire() {
  for (const auto& [account, queue] : queues_) kick_all(account);
}

void Outbox::kick_all(base::AccountId account) {
  const auto queue = queues_.find(account);
  if (queue == queues_.end()) return;
  for (auto& [name, chat] : queue->second.chats) {
    if (queue->second.performing >= limits_.performing_per_account) return;
    kick(account, queue->second, name, chat);
  }
}

void Outbox::kick(base::AccountId account, Queue& queue, const std::string& name, Chat& chat) {
  if (chat.working || chat.rows.empty() || stopping_) return;
  if (queue.performing >= limits_.performing_per_account) return;  // the next that ends kicks all
  const accounts::LiveAccount* live = accounts_.find(account);
  const bool may_send = live && live->is_online() && !chat.resting;
  // Rows of one chat have rising deadlines.
  if (!may_send && chat.rows.begin()->second.deadline > base::to_milliseconds(clock_.now())) return;
  chat.working = true;
  ++queue.performing;
  tasks_.spawn("outbox", work(account, name));
}

Outbox::Chat* Outbox::find(base::AccountId account, const std::string& chat) {
  const auto queue = queues_.find(account);
  if (queue == queues_.end()) return nullptr;
  const auto found = queue->second.chats.find(chat);
  return found == queue->second.chats.end() ? nullptr : &found->second;
}

asio::awaitable<void> Outbox::work(base::AccountId account, std::string chat) {
  for (bool more = true; more;) more = co_await work_one(account, chat);
  const auto queue = queues_.find(account);
  if (queue == queues_.end()) co_return;
  --queue->second.performing;
  if (const auto waiting = queue->second.chats.find(chat); waiting != queue->second.chats.end()) {
    waiting->second.working = false;
    if (waiting->second.rows.empty()) queue->second.chats.erase(waiting);
  }
  // There was no room for more: now there is for one.
  if (queue->second.performing + 1 >= limits_.performing_per_account) kick_all(account);
}

// Works the chat's first row; whether there may be another one to work at once.
asio::awaitable<bool> Outbox::work_one(base::AccountId account, std::string chat) {
  Chat* waiting = find(account, chat);
  const accounts::LiveAccount* live = accounts_.find(account);
  if (!waiting || waiting->rows.empty() || !live || live->removed || stopping_) co_return false;
  const Entry& first = waiting->rows.begin()->second;
  const std::int64_t now = base::to_milliseconds(clock_.now());
  const bool is_expired = first.deadline <= now;
  if (!is_expired && !live->is_online()) co_return false;
  if (!first.item) {
    co_await read_back(account, chat);
    co_return true;
  }
  Item* const item = first.item.get();
  if (is_expired) {
    fail(*item, Error{Errc::unavailable, expired_text});
    co_return true;
  }
  if (item->row.not_before > now) {
    const std::chrono::milliseconds pause(std::min(item->row.not_before, item->row.deadline) - now);
    for (auto& [id, entry] : waiting->rows) release(entry);
    waiting->resting = true;
    tasks_.spawn("outbox.rest", rest(account, chat, pause));
    co_return false;
  }
  // Whether the row is still there: its account may be removed at any wait.
  const auto is_there = [&] {
    waiting = find(account, chat);
    return waiting && !waiting->rows.empty() && waiting->rows.begin()->second.item.get() == item;
  };
  if (!repeats_freely() && item->row.state != store::OutboxState::sending) {
    co_await mark_sending(*item);
    if (!is_there()) co_return true;
  }
  const auto session = live->session;
  waiting->is_with_connector = true;
  ++queues_[account].with_connector;
  ++with_connector_;
  connector::Action action = item->action;
  base::Result<connector::Receipt> result = Error{Errc::uncertain, ""};
  try {
    result = co_await session->perform(std::move(action));
  } catch (const std::exception& e) {
    // The contract lets a lost store pass through perform(); a bug of the connector's must not stop the chat either.
    if (stopping_) throw;
    log::error("session.perform_failed", {{"account", account.value}, {"error", e.what()}});
  }
  --with_connector_;
  if (!is_there()) co_return true;
  waiting->is_with_connector = false;
  --queues_[account].with_connector;
  settle(*item, result);
  events_.settled(account);
  co_return true;
}

// The chat's first rows, from the store. None of them was on the wire in this run, or it is `queued` again since.
asio::awaitable<void> Outbox::read_back(base::AccountId account, std::string chat) {
  std::vector<std::int64_t> ids;
  for (const auto& [id, entry] : find(account, chat)->rows) {
    ids.push_back(id);
    if (ids.size() >= window()) break;
  }
  std::function<std::vector<store::OutboxRow>(db::Transaction&)> read = [ids](db::Transaction& t) { return store::read_outbox(t, ids); };
  auto found = co_await database_.fetch(std::move(read));
  Chat* const waiting = find(account, chat);
  const accounts::LiveAccount* live = accounts_.find(account);
  if (!waiting || !live || live->removed) co_return;
  for (auto& row : found) {
    Entry& entry = waiting->rows.at(row.id);
    entry.item = to_item(std::move(row));
    if (entry.item) ++in_memory_;
  }
  for (const std::int64_t id : ids) {
    if (waiting->rows.at(id).item) continue;
    waiting->rows.erase(id);  // damaged
    --queues_[account].waiting;
  }
}

// Whole again; of a damaged row the sender is told, where it says who that is, and there is nothing.
std::unique_ptr<Outbox::Item> Outbox::to_item(store::OutboxRow row) {
  auto origin = convert::parse_origin(row.origin);
  auto action = connector::parse_action(std::string_view(row.payload));
  row.payload = row.origin = std::string();
  auto item = std::make_unique<Item>();
  item->row = std::move(row);
  if (origin) item->origin = std::move(*origin);
  if (action && origin) {
    item->action = std::move(*action);
    return item;
  }
  log::error("outbox.row_damaged", {{"id", item->row.id}});
  const bool was_sending = item->row.state == store::OutboxState::sending;
  if (origin) give_up(*item, was_sending ? Error{Errc::uncertain, uncertain_text} : Error{Errc::rejected, damaged_text});
  return nullptr;
}

// A chat that waits for its next attempt keeps no other from being worked on.
asio::awaitable<void> Outbox::rest(base::AccountId account, std::string chat, std::chrono::milliseconds pause) {
  co_await base::sleep(pause);
  Chat* const waiting = find(account, chat);
  if (!waiting) co_return;
  waiting->resting = false;
  kick(account, queues_[account], chat, *waiting);
}

asio::awaitable<void> Outbox::mark_sending(Item& item) {
  item.row.state = store::OutboxState::sending;
  journal_.update(item.row);
  auto start = [this](base::Resume resume) {
    auto held = std::make_shared<base::Resume>(std::move(resume));
    journal_.after_commit([held](std::exception_ptr error) { (*held)(error); });
  };
  co_await base::suspend(std::move(start));
}

// ---- Settling: the only table from a result to a row's next state ----

void Outbox::settle(Item& item, const base::Result<connector::Receipt>& result) {
  if (result) {
    if (const auto* message = std::get_if<connector::SendMessage>(&item.action); message && (network_.reports_delivery || (result->id && result->id->value != message->key))) {
      store::SentMessage sent;
      sent.id = item.row.id;
      sent.account = item.row.account;
      if (result->id && result->id->value != message->key) sent.network_id = result->id->value;
      sent.origin = to_text(item.origin);
      sent.chat = item.row.chat;
      sent.stage = connector::Stage::accepted;
      sent.created = base::to_milliseconds(clock_.now());
      events_.sent(item.row.account, sent);
      journal_.insert(std::move(sent));
    }
    log::debug("outbox.settled", {{"id", item.row.id}, {"outcome", "done"}});
    return finish(item);
  }
  const Error& error = result.error();
  log::debug("outbox.settled", {{"id", item.row.id}, {"outcome", base::to_string(error.code)}, {"error", error.text}});
  if (is_final(error.code)) return fail(item, error);
  if (error.code == Errc::uncertain && !repeats_freely()) {
    return fail(item, Error{Errc::uncertain, error.text.empty() ? uncertain_text : error.text});
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
  item.row.state = store::OutboxState::queued;
  journal_.update(item.row);
}

void Outbox::fail(Item& item, Error error) {
  give_up(item, std::move(error));
  pop(item.row.account, std::string(item.row.chat));
}

// Tells the sender and forgets the row, in one commit.
void Outbox::give_up(const Item& item, Error error) {
  if (std::holds_alternative<connector::SendMessage>(item.action) && error.code == Errc::uncertain) {
    // A report may still come, and then counts (Stage).
    store::SentMessage sent;
    sent.id = item.row.id;
    sent.account = item.row.account;
    sent.origin = to_text(item.origin);
    sent.chat = item.row.chat;
    sent.stage = connector::Stage::failed;
    sent.created = base::to_milliseconds(clock_.now());
    journal_.insert(std::move(sent));
  }
  events_.failed(item.row.account, item.origin, std::move(error));
  journal_.remove_outbox(item.row.id);
}

void Outbox::finish(Item& item) {
  journal_.remove_outbox(item.row.id);
  pop(item.row.account, std::string(item.row.chat));
}

void Outbox::pop(base::AccountId account, const std::string& chat) {
  Queue& queue = queues_[account];
  auto& rows = queue.chats[chat].rows;
  release(rows.begin()->second);
  rows.erase(rows.begin());
  --queue.waiting;
}

// Leaves the row to the store.
void Outbox::release(Entry& entry) {
  if (!entry.item) return;
  entry.item = nullptr;
  --in_memory_;
}

void Outbox::account_removed(base::AccountId account, const std::vector<store::OutboxRow>& stored) {
  const auto found = queues_.find(account);
  if (found == queues_.end()) return;
  const auto stored_origin = [&](std::int64_t id) {
    const auto row = std::lower_bound(stored.begin(), stored.end(), id, [](const store::OutboxRow& r, std::int64_t i) { return r.id < i; });
    return row != stored.end() && row->id == id ? convert::parse_origin(row->origin) : Error{Errc::bad_input, "not stored"};
  };
  for (auto& [name, chat] : found->second.chats) {
    for (auto& [id, entry] : chat.rows) {
      const bool is_under_way = std::exchange(chat.is_with_connector, false);  // the first
      auto origin = entry.item ? base::Result<convert::Origin>(std::move(entry.item->origin)) : stored_origin(id);
      release(entry);
      if (origin) events_.failed(account, std::move(*origin), is_under_way ? Error{Errc::uncertain, unregistered_meanwhile_text} : Error{Errc::rejected, unregistered_text});
      else log::error("outbox.row_damaged", {{"id", id}});
    }
  }
  queues_.erase(found);
}

// ---- After a restart ----

asio::awaitable<void> Outbox::load(connector::Network network, std::string key_prefix) {
  network_ = std::move(network);
  key_prefix_ = std::move(key_prefix);
  std::size_t rows = 0;
  std::int64_t after = 0;
  for (bool more = true; more;) {
    std::function<std::vector<store::OutboxRow>(db::Transaction&)> read = [this, after](db::Transaction& t) {
      return store::read_outbox(t, transport_, after, rows_per_read);
    };
    const auto found = co_await database_.fetch(std::move(read));
    for (const auto& row : found) recovered(row);
    rows += found.size();
    more = !found.empty();
    if (more) after = found.back().id;
  }
  if (rows > 0) log::info("outbox.recovered", {{"transport", transport_}, {"rows", rows}});
}

void Outbox::recovered(const store::OutboxRow& row) {
  if (row.state == store::OutboxState::sending && !repeats_freely()) {
    // The process died between the wire and the answer.
    const auto item = to_item(row);
    if (!item) return;
    if (std::holds_alternative<connector::SendMessage>(item->action)) return give_up(*item, Error{Errc::uncertain, uncertain_text});
  }
  Queue& queue = queues_[row.account];
  ++queue.waiting;
  auto& chat = queue.chats[row.chat].rows;
  chat.emplace_hint(chat.end(), row.id, Entry{row.deadline, nullptr});
}

// ---- Asked by others ----

std::optional<std::int64_t> Outbox::id_of(std::string_view key) const {
  if (!key.starts_with(key_prefix_)) return std::nullopt;
  key.remove_prefix(key_prefix_.size());
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
  if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  return id;
}

bool Outbox::is_performing(base::AccountId account) const {
  const auto found = queues_.find(account);
  return found != queues_.end() && found->second.with_connector > 0;
}

asio::awaitable<void> Outbox::stop(std::chrono::milliseconds grace) {
  stopping_ = true;
  const auto deadline = std::chrono::steady_clock::now() + grace;
  const std::chrono::milliseconds step(5);
  // What only waits for its next attempt is not waited for.
  while (with_connector_ > 0 && std::chrono::steady_clock::now() < deadline) co_await base::sleep(step);
  tasks_.cancel();
}

}  // namespace wherry::queues

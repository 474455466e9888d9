#include "gateway/transport/outbox.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"
#include "gateway/connector/codec.hpp"

#include <charconv>

namespace wherry::transport {

using connector::Errc;
using connector::Error;

namespace {

constexpr int rows_per_read = 1000;

const char* uncertain_text = "The connection broke while this message was being sent: it may or may not have arrived. It is not sent again by itself.";

const char* unregistered_meanwhile_text = "You have unregistered while it was being sent.";

const char* unregistered_text = "You are no longer registered here; the message was not sent.";

const char* expired_text = "The network could not be reached for too long; the message was not sent.";

bool is_final(Errc code) { return code != Errc::unavailable && code != Errc::uncertain; }

}  // namespace

Outbox::Outbox(asio::any_io_executor executor, Journal& journal, db::Database& database, Accounts& accounts,
               const base::Clock& clock, std::string transport, OutboxLimits limits, OutboxEvents events)
    : journal_(journal), database_(database), accounts_(accounts), clock_(clock), transport_(std::move(transport)),
      limits_(limits), events_(std::move(events)), tasks_(executor) {}

// ---- Accepting ----

base::Result<void> Outbox::put(LiveAccount& account, connector::SendMessage message, Origin origin) {
  const std::int64_t id = journal_.next_outbox_id();
  message.key = key_prefix_ + std::to_string(id);
  std::string chat = base::to_string(message.chat);
  return accept(account, std::move(message), std::move(chat), std::move(origin), id);
}

base::Result<void> Outbox::put(LiveAccount& account, connector::Action action, std::string chat, Origin origin) {
  return accept(account, std::move(action), std::move(chat), std::move(origin), journal_.next_outbox_id());
}

base::Result<void> Outbox::accept(LiveAccount& account, connector::Action action, std::string chat, Origin origin, std::int64_t id) {
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
                            (chat_queue == queue.chats.end() || chat_queue->second.items.empty());
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
  if (!queues_.contains(item->row.account)) {  // the account was removed meanwhile
    return events_.failed(item->row.account, item->origin, Error{Errc::rejected, unregistered_text});
  }
  if (is_spilled() || in_memory_ >= limits_.in_memory) {
    newest_spilled_ = item->row.id;  // it will be read back in its turn
    return;
  }
  enqueue(std::move(item));
}

void Outbox::enqueue(std::unique_ptr<Item> item) {
  newest_in_memory_ = std::max(newest_in_memory_, item->row.id);
  ++in_memory_;
  const base::AccountId account = item->row.account;
  const std::string chat = item->row.chat;
  queues_[account].chats[chat].items.push_back(std::move(item));
  kick(account, chat);
}

// ---- Working ----

void Outbox::account_online(LiveAccount& account) {
  const auto queue = queues_.find(account.id());
  if (queue == queues_.end()) return;
  std::vector<std::string> chats;
  for (const auto& [chat, waiting] : queue->second.chats) chats.push_back(chat);
  for (const std::string& chat : chats) kick(account.id(), chat);
}

void Outbox::kick(base::AccountId account, const std::string& chat) {
  Queue& queue = queues_[account];
  Chat& waiting = queue.chats[chat];
  if (waiting.working || waiting.resting || waiting.items.empty() || stopping_) return;
  const LiveAccount* live = accounts_.find(account);
  if (!live || !live->is_online()) return;
  if (queue.performing >= limits_.performing_per_account) return;  // the next that ends kicks again
  waiting.working = true;
  ++queue.performing;
  ++performing_;
  tasks_.spawn("outbox", work(account, chat));
}

asio::awaitable<void> Outbox::work(base::AccountId account, std::string chat) {
  for (bool more = true; more;) more = co_await work_one(account, chat);
  --performing_;
  const auto queue = queues_.find(account);
  if (queue == queues_.end()) co_return;
  --queue->second.performing;
  if (const auto waiting = queue->second.chats.find(chat); waiting != queue->second.chats.end()) {
    waiting->second.working = false;
    if (waiting->second.items.empty()) queue->second.chats.erase(waiting);
  }
  if (queue->second.performing + 1 < limits_.performing_per_account) co_return;
  // There was no room for more: now there is for one.
  if (LiveAccount* live = accounts_.find(account); live && live->is_online()) account_online(*live);
}

// Works the chat's first row; whether there may be another one to work at once.
asio::awaitable<bool> Outbox::work_one(base::AccountId account, std::string chat) {
  const auto first = [&]() -> Item* {
    const auto queue = queues_.find(account);
    if (queue == queues_.end()) return nullptr;
    const auto waiting = queue->second.chats.find(chat);
    return waiting == queue->second.chats.end() || waiting->second.items.empty() ? nullptr : waiting->second.items.front().get();
  };
  Item* item = first();
  LiveAccount* live = accounts_.find(account);
  if (!item || !live || !live->is_online() || stopping_) co_return false;

  const std::int64_t now = base::to_milliseconds(clock_.now());
  if (now >= item->row.deadline) {
    fail(*item, Error{Errc::unavailable, expired_text});
    co_return true;
  }
  if (item->row.not_before > now) {
    const std::chrono::milliseconds pause(std::min(item->row.not_before, item->row.deadline) - now);
    queues_[account].chats[chat].resting = true;
    tasks_.spawn("outbox.rest", rest(account, chat, pause));
    co_return false;
  }
  if (!repeats_freely() && item->row.state != store::OutboxState::sending) {
    co_await mark_sending(*item);
    if (first() != item) co_return true;
  }
  const auto session = live->session;
  by_id_[item->row.id] = item;
  ++queues_[account].with_connector;
  connector::Action action = item->action;
  base::Result<connector::Receipt> result = Error{Errc::uncertain, ""};
  try {
    result = co_await session->perform(std::move(action));
  } catch (const std::exception& e) {
    // The contract lets a lost store pass through perform(); a bug of the connector's must not stop the chat either.
    if (stopping_) throw;
    log::error("session.perform_failed", {{"account", account.value}, {"error", e.what()}});
  }
  if (first() != item) co_return true;  // the account was removed meanwhile
  by_id_.erase(item->row.id);
  --queues_[account].with_connector;
  settle(*item, result);
  events_.settled(account);
  co_return true;
}

// A chat that waits for its next attempt keeps no other from being worked on.
asio::awaitable<void> Outbox::rest(base::AccountId account, std::string chat, std::chrono::milliseconds pause) {
  co_await base::sleep(pause);
  const auto queue = queues_.find(account);
  if (queue == queues_.end()) co_return;
  const auto waiting = queue->second.chats.find(chat);
  if (waiting == queue->second.chats.end()) co_return;
  waiting->second.resting = false;
  kick(account, chat);
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
  queue.chats[chat].items.pop_front();
  --queue.waiting;
  --in_memory_;
  if (is_spilled() && !reloading_ && in_memory_ < limits_.in_memory / 2) {
    reloading_ = true;
    tasks_.spawn("outbox.reload", reload());
  }
}

void Outbox::expire() {
  const std::int64_t now = base::to_milliseconds(clock_.now());
  std::vector<Item*> expired;
  for (auto& [account, queue] : queues_) {
    for (auto& [name, chat] : queue.chats) {
      // Rows of one chat have rising deadlines; what is being worked on ends by itself.
      for (const auto& item : chat.items) {
        if (chat.working || item->row.deadline > now) break;
        expired.push_back(item.get());
      }
    }
  }
  for (Item* item : expired) fail(*item, Error{Errc::unavailable, expired_text});
  for (auto& [account, queue] : queues_) {
    std::erase_if(queue.chats, [](const auto& entry) { return entry.second.items.empty() && !entry.second.working; });
  }
}

void Outbox::account_removed(base::AccountId account) {
  const auto found = queues_.find(account);
  if (found == queues_.end()) return;
  for (const auto& [chat, waiting] : found->second.chats) {
    for (const auto& item : waiting.items) {
      const bool is_under_way = by_id_.erase(item->row.id) > 0;
      --in_memory_;
      events_.failed(account, item->origin, is_under_way ? Error{Errc::uncertain, unregistered_meanwhile_text} : Error{Errc::rejected, unregistered_text});
    }
  }
  queues_.erase(found);
}

// ---- After a restart, or an overflow ----

asio::awaitable<void> Outbox::load(connector::Network network, std::string key_prefix) {
  network_ = std::move(network);
  key_prefix_ = std::move(key_prefix);
  first_own_id_ = journal_.next_outbox_id();
  std::size_t rows = 0;
  for (;;) {
    std::function<std::vector<store::OutboxRow>(db::Transaction&)> read = [this, after = newest_in_memory_](db::Transaction& t) {
      return store::read_outbox(t, transport_, after, rows_per_read);
    };
    auto found = co_await database_.fetch(std::move(read));
    for (auto& row : found) {
      newest_in_memory_ = row.id;
      ++queues_[row.account].waiting;
      recovered(std::move(row));
    }
    rows += found.size();
    if (found.size() < static_cast<std::size_t>(rows_per_read)) break;
    if (in_memory_ >= limits_.in_memory) {
      newest_spilled_ = newest_in_memory_ + 1;
      break;
    }
  }
  if (rows > 0) log::info("outbox.recovered", {{"transport", transport_}, {"rows", rows}});
}

asio::awaitable<void> Outbox::reload() {
  const std::int64_t spilled_before = newest_spilled_;
  std::function<std::vector<store::OutboxRow>(db::Transaction&)> read = [this, after = newest_in_memory_](db::Transaction& t) {
    return store::read_outbox(t, transport_, after, rows_per_read);
  };
  auto found = co_await database_.fetch(std::move(read));
  reloading_ = false;
  const bool is_all = found.size() < static_cast<std::size_t>(rows_per_read);
  for (auto& row : found) {
    newest_in_memory_ = std::max(newest_in_memory_, row.id);
    recovered(std::move(row));
  }
  if (!is_all) newest_spilled_ = std::max(newest_spilled_, newest_in_memory_ + 1);
  // What was committed after the read began has been spilled in its turn (Database calls back in order), and raised the mark.
  else if (newest_spilled_ == spilled_before) newest_spilled_ = 0;
}

void Outbox::recovered(store::OutboxRow row) {
  const auto queue = queues_.find(row.account);
  if (queue == queues_.end()) return;
  auto action = connector::parse_action(std::string_view(row.payload));
  auto origin = parse_origin(row.origin);
  if (!action || !origin) {
    log::error("outbox.row_damaged", {{"id", row.id}});
    return;
  }
  auto item = std::make_unique<Item>();
  item->action = std::move(*action);
  item->origin = std::move(*origin);
  item->row = std::move(row);
  item->row.payload = item->row.origin = std::string();
  if (item->row.state == store::OutboxState::sending && item->row.id < first_own_id_ && !repeats_freely() &&
      std::holds_alternative<connector::SendMessage>(item->action)) {
    // The process died between the wire and the answer. (A row of this run that is read back was never in memory, nor on the wire.)
    --queue->second.waiting;
    return give_up(*item, Error{Errc::uncertain, uncertain_text});
  }
  enqueue(std::move(item));
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
  // by_id_ holds what is with the connector; what only waits for its next attempt is not waited for.
  while (!by_id_.empty() && std::chrono::steady_clock::now() < deadline) co_await base::sleep(step);
  tasks_.cancel();
}

}  // namespace wherry::transport

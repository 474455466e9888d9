#include "gateway/queues/backlog.hpp"

#include <algorithm>
#include <utility>

namespace wherry::queues {

Backlog::Chat* Backlog::find(base::AccountId account, const std::string& chat) {
  const auto queue = queues_.find(account);
  if (queue == queues_.end()) return nullptr;
  const auto found = queue->second.chats.find(chat);
  return found == queue->second.chats.end() ? nullptr : &found->second;
}

// ---- Coming ----

bool Backlog::has_room(base::AccountId account) const {
  const auto queue = queues_.find(account);
  return queue == queues_.end() || queue->second.waiting < limits_.waiting_per_account;
}

bool Backlog::enter(base::AccountId account, const std::string& name, bool is_online) {
  Queue& queue = queues_[account];
  Chat& chat = queue.chats[name];
  const bool has_turn = is_online && chat.rows.empty() && chat.entering == 0 && chat.state == ChatState::idle &&
                        queue.working + queue.turns < limits_.performing_per_account;
  ++queue.waiting;
  ++chat.entering;
  if (has_turn) ++queue.turns;
  return has_turn;
}

void Backlog::add(std::unique_ptr<Item> item, bool is_online, std::int64_t deadline) {
  Queue& queue = queues_[item->row.account];
  Chat& chat = queue.chats[item->row.chat];
  --chat.entering;
  if (item->has_turn) --queue.turns;
  const bool kept = item->has_turn || is_kept(queue, chat, is_online);
  Entry& entry = chat.rows.emplace_hint(chat.rows.end(), item->row.id, Entry{deadline, 0, nullptr})->second;
  if (kept) hold(entry, std::move(item));
}

bool Backlog::is_kept(const Queue& queue, const Chat& chat, bool is_online) const {
  const bool is_worked_on = chat.state == ChatState::working || chat.state == ChatState::performing;
  return is_online && chat.state != ChatState::resting &&
         (is_worked_on || queue.working < limits_.performing_per_account) && chat.rows.size() < window() &&
         (chat.rows.empty() || chat.rows.rbegin()->second.item);
}

void Backlog::withdraw(const Item& item) {
  const auto queue = queues_.find(item.row.account);
  if (queue == queues_.end()) return;
  --queue->second.waiting;
  if (item.has_turn) --queue->second.turns;
  const auto chat = queue->second.chats.find(item.row.chat);
  if (chat == queue->second.chats.end()) return;
  --chat->second.entering;
  forget_if_empty(queue->second, item.row.chat);
}

void Backlog::recover(base::AccountId account, const std::string& name, std::int64_t id, std::int64_t deadline,
                      std::int64_t not_before) {
  Queue& queue = queues_[account];
  ++queue.waiting;
  auto& rows = queue.chats[name].rows;
  rows.emplace_hint(rows.end(), id, Entry{deadline, not_before, nullptr});
}

// ---- Working ----

std::vector<base::AccountId> Backlog::accounts() const {
  std::vector<base::AccountId> ids;
  for (const auto& [account, queue] : queues_) ids.push_back(account);
  return ids;
}

std::vector<std::string> Backlog::chats_of(base::AccountId account) const {
  std::vector<std::string> names;
  if (const auto queue = queues_.find(account); queue != queues_.end()) {
    for (const auto& [name, chat] : queue->second.chats) names.push_back(name);
  }
  return names;
}

bool Backlog::has(base::AccountId account, const std::string& name) const {
  const auto queue = queues_.find(account);
  return queue != queues_.end() && queue->second.chats.contains(name);
}

bool Backlog::begin(base::AccountId account, const std::string& name, Reach reach, std::int64_t now) {
  Chat* const chat = find(account, name);
  if (!chat || chat->rows.empty() || chat->state == ChatState::working || chat->state == ChatState::performing)
    return false;
  Queue& queue = queues_[account];
  const bool may_send = reach == Reach::online && chat->state == ChatState::idle;
  // Rows of one chat have rising deadlines.
  if (!may_send && chat->rows.begin()->second.deadline > now) return false;
  if (queue.working >= limits_.performing_per_account) {
    if (!std::exchange(chat->is_denied, true)) queue.denied.push_back(name);
    return false;
  }
  wake(account, name, *chat);
  chat->state = ChatState::working;
  ++queue.working;
  return true;
}

Backlog::Step Backlog::next(base::AccountId account, const std::string& name, Reach reach, std::int64_t now) {
  using Kind = Step::Kind;
  Chat* const chat = find(account, name);
  if (!chat || chat->rows.empty() || reach == Reach::gone) return {};
  auto& [id, first] = *chat->rows.begin();
  Step step;
  step.item = first.item.get();
  const bool is_expired = first.deadline <= now;
  const bool is_sending = first.item && first.item->row.state == store::OutboxState::sending;
  if (is_expired && first.item) {
    step.kind = Kind::expire;
  } else if (!is_expired && reach == Reach::away) {
    step.kind = is_sending ? Kind::unmark : Kind::stop;
  } else if (!is_expired && first.not_before > now) {
    step.kind = Kind::rest;
    step.until = std::min(first.not_before, first.deadline);
    for (auto& [other, entry] : chat->rows) take(entry);
    step.item = nullptr;
    chat->state = ChatState::resting;
    chat->rests_until = step.until;
    resting_.emplace(step.until, account, name);
  } else if (!first.item) {
    step.kind = Kind::load;
    for (const auto& [other, entry] : chat->rows) {
      step.ids.push_back(other);
      if (step.ids.size() >= window()) break;
    }
  } else if (first.item->row.state == store::OutboxState::queued) {
    step.kind = Kind::mark;
  } else {
    step.kind = Kind::perform;
  }
  return step;
}

void Backlog::end(base::AccountId account, const std::string& name) {
  const auto found = queues_.find(account);
  if (found == queues_.end()) return;
  Queue& queue = found->second;
  if (Chat* const chat = find(account, name); chat && chat->state == ChatState::working) chat->state = ChatState::idle;
  forget_if_empty(queue, name);
  --queue.working;
}

std::optional<std::string> Backlog::take_denied(base::AccountId account) {
  const auto found = queues_.find(account);
  while (found != queues_.end() && !found->second.denied.empty()) {
    std::string name = std::move(found->second.denied.front());
    found->second.denied.pop_front();
    Chat* const chat = find(account, name);
    if (!chat) continue;
    chat->is_denied = false;
    return name;
  }
  return std::nullopt;
}

void Backlog::wake(base::AccountId account, const std::string& name, Chat& chat) {
  if (chat.state != ChatState::resting) return;
  chat.state = ChatState::idle;
  resting_.erase({chat.rests_until, account, name});
}

std::optional<std::int64_t> Backlog::next_rest_end() const {
  if (resting_.empty()) return std::nullopt;
  return std::get<0>(*resting_.begin());
}

std::vector<std::pair<base::AccountId, std::string>> Backlog::take_rested(std::int64_t now) {
  std::vector<std::pair<base::AccountId, std::string>> rested;
  while (!resting_.empty() && std::get<0>(*resting_.begin()) <= now) {
    auto [until, account, name] = *resting_.begin();
    if (Chat* const chat = find(account, name)) wake(account, name, *chat);
    rested.emplace_back(account, std::move(name));
  }
  return rested;
}

Backlog::Item* Backlog::first(base::AccountId account, const std::string& name) {
  Chat* const chat = find(account, name);
  return chat && !chat->rows.empty() ? chat->rows.begin()->second.item.get() : nullptr;
}

void Backlog::load(base::AccountId account, const std::string& name, const std::vector<std::int64_t>& ids,
                   std::vector<std::unique_ptr<Item>> items) {
  Chat* const chat = find(account, name);
  if (!chat) return;
  for (auto& item : items) {
    const auto entry = chat->rows.find(item->row.id);
    if (entry == chat->rows.end() || entry->second.item) continue;
    hold(entry->second, std::move(item));
  }
  for (const std::int64_t id : ids) {
    const auto entry = chat->rows.find(id);
    if (entry == chat->rows.end() || entry->second.item) continue;
    chat->rows.erase(entry);
    --queues_[account].waiting;
  }
}

void Backlog::begin_perform(base::AccountId account, const std::string& name) {
  Chat* const chat = find(account, name);
  if (!chat || chat->rows.empty()) return;
  chat->state = ChatState::performing;
  chat->with_connector = chat->rows.begin()->first;
}

Backlog::Item* Backlog::end_perform(base::AccountId account, const std::string& name, std::int64_t id) {
  Chat* const chat = find(account, name);
  if (!chat || chat->state != ChatState::performing) return nullptr;
  chat->state = ChatState::working;
  if (chat->rows.empty() || chat->rows.begin()->first != id) return nullptr;
  return chat->rows.begin()->second.item.get();
}

void Backlog::remove_first(base::AccountId account, const std::string& name) {
  Chat* const chat = find(account, name);
  if (!chat || chat->rows.empty()) return;
  take(chat->rows.begin()->second);
  chat->rows.erase(chat->rows.begin());
  --queues_[account].waiting;
}

void Backlog::retry_first(base::AccountId account, const std::string& name, std::int64_t not_before) {
  Chat* const chat = find(account, name);
  if (chat && !chat->rows.empty()) chat->rows.begin()->second.not_before = not_before;
}

std::optional<Backlog::Place> Backlog::find(base::AccountId account, const std::string& name, std::int64_t id) {
  Chat* const chat = find(account, name);
  if (!chat) return std::nullopt;
  const auto row = chat->rows.find(id);
  if (row == chat->rows.end()) return std::nullopt;
  return Place{row->second.item.get(), chat->state == ChatState::performing && chat->with_connector == id};
}

void Backlog::remove(base::AccountId account, const std::string& name, std::int64_t id) {
  Chat* const chat = find(account, name);
  const auto row = chat ? chat->rows.find(id) : decltype(chat->rows.begin())();
  if (!chat || row == chat->rows.end()) return;
  take(row->second);
  chat->rows.erase(row);
  wake(account, name, *chat);
  Queue& queue = queues_[account];
  --queue.waiting;
  forget_if_empty(queue, name);
}

// ---- Going ----

std::vector<Backlog::Item*> Backlog::idle_sending() {
  std::vector<Item*> items;
  for (auto& [account, queue] : queues_) {
    for (auto& [name, chat] : queue.chats) {
      for (auto& [id, entry] : chat.rows) {
        const bool is_performing = chat.state == ChatState::performing && id == chat.with_connector;
        if (!entry.item || entry.item->row.state != store::OutboxState::sending || is_performing) continue;
        items.push_back(entry.item.get());
      }
    }
  }
  return items;
}

std::vector<Backlog::Removed> Backlog::remove(base::AccountId account) {
  std::vector<Removed> removed;
  const auto found = queues_.find(account);
  if (found == queues_.end()) return removed;
  for (auto& [name, chat] : found->second.chats) {
    wake(account, name, chat);
    for (auto& [id, entry] : chat.rows) {
      removed.push_back({id, take(entry), chat.state == ChatState::performing && id == chat.with_connector});
    }
  }
  queues_.erase(found);
  return removed;
}

void Backlog::forget_if_empty(Queue& queue, const std::string& name) {
  const auto chat = queue.chats.find(name);
  if (chat == queue.chats.end() || !chat->second.rows.empty() || chat->second.entering > 0) return;
  if (chat->second.state == ChatState::idle) queue.chats.erase(chat);
}

void Backlog::hold(Entry& entry, std::unique_ptr<Item> item) {
  ++in_memory_;
  in_memory_bytes_ += item->bytes;
  entry.item = std::move(item);
}

std::unique_ptr<Backlog::Item> Backlog::take(Entry& entry) {
  if (!entry.item) return nullptr;
  --in_memory_;
  in_memory_bytes_ -= entry.item->bytes;
  return std::move(entry.item);
}

}  // namespace wherry::queues

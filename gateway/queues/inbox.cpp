#include "gateway/queues/inbox.hpp"

#include "gateway/base/log.hpp"
#include "gateway/store/retention.hpp"

#include <algorithm>
#include <utility>

namespace wherry::queues {

namespace {

constexpr int rows_per_read = 1000;
constexpr std::size_t most_seen = 200000;
constexpr std::size_t most_lately = 1000, most_lately_bytes = 512 << 10;

// What a server gives back is tried again, in ms: when it is as old again, but at least and at most so long after the last time; and when
// its user comes, unless it was given back so often while they were there.
constexpr std::int64_t least_wait = 30 * 60 * 1000, most_wait = 24 * 60 * 60 * 1000;
constexpr int most_refusals = 3;

// Which event ids may come again after an interruption.
std::string repeatable_id(const connector::Event& event) {
  if (const auto* message = std::get_if<connector::MessageReceived>(&event)) return "m" + message->id.value;
  return {};
}

// What the user is to read, whenever they come; a receipt that its device no longer waits for is nothing to keep.
bool is_for_reading(const convert::Delivery& delivery) {
  return std::holds_alternative<connector::MessageReceived>(delivery) || std::holds_alternative<convert::SendFailed>(delivery);
}

// In memory, about.
std::size_t bytes_of(const convert::Delivery& delivery) {
  std::size_t bytes = sizeof delivery;
  if (const auto* message = std::get_if<connector::MessageReceived>(&delivery)) {
    bytes += message->content.text.size();
    for (const auto& file : message->content.files) bytes += sizeof file + file.url.size();
  } else if (const auto* failed = std::get_if<convert::SendFailed>(&delivery)) {
    bytes += failed->text.size();
  }
  return bytes;
}

}  // namespace

Inbox::Inbox(asio::any_io_executor executor, Journal& journal, db::Database& database, accounts::Accounts& accounts,
             xmpp::Component& link, const Keys& keys, const base::Clock& clock, std::string transport, InboxLimits limits,
             ToStanzas to_stanzas)
    : journal_(journal), database_(database), accounts_(accounts), link_(link), keys_(keys), clock_(clock), transport_(std::move(transport)),
      limits_(limits), to_stanzas_(std::move(to_stanzas)), seen_(most_seen), lately_(most_lately), tasks_(executor) {}

asio::awaitable<void> Inbox::load(connector::Network network) {
  network_ = std::move(network);
  const std::int64_t since = base::to_milliseconds(clock_.now() - store::seen_kept);
  auto read = [this, since](db::Transaction& t) {
    return std::pair(store::seen_key(t), store::read_seen(t, transport_, store::SeenKind::events, since, most_seen));
  };
  const auto lately = co_await database_.fetch(std::move(read));
  seen_.load(lately.first, lately.second);
  co_await reload();
  if (!rows_.empty()) log::info("inbox.recovered", {{"transport", transport_}, {"rows", rows_.size()}});
}

// ---- Accepting ----

asio::awaitable<void> Inbox::publish(base::AccountId account, connector::Event event) {
  std::optional<std::uint64_t> hash;
  if (network_.redelivers) {
    if (const std::string id = repeatable_id(event); !id.empty()) {
      hash = seen_.hash(account.value, id);
      while (seen_.contains(*hash)) {
        log::debug("inbox.repeated", {{"account", account.value}});
        const std::uint64_t before = not_kept_;
        co_await journal_.commit();  // the first one may be on its way to the disk just now
        if (not_kept_ == before) co_return;
      }
    }
  }
  std::visit(
      [&](auto& e) {
        using E = std::decay_t<decltype(e)>;
        if constexpr (std::is_constructible_v<convert::Delivery, E> && !std::is_same_v<E, connector::MessageProgressed>) put(account, std::move(e));
      },
      event);
  if (hash) {
    seen_.insert(*hash);
    journal_.remember_event(*hash);
    journal_.after_commit([this, kept = *hash](std::exception_ptr error) {
      if (!error) return;
      seen_.erase(kept);  // so it may come again
      ++not_kept_;
    });
  }
  co_await journal_.commit();
}

void Inbox::put(base::AccountId account, convert::Delivery delivery) {
  Item item;
  item.account = account;
  item.created = now();
  item.delivery = std::move(delivery);
  put(std::move(item));
}

void Inbox::put(Item item) {
  item.id = journal_.next_inbox_id();
  journal_.insert(row_of(item.id, item.account, item.delivery, item.created));
  auto held = std::make_shared<Item>(std::move(item));
  journal_.after_commit([this, held](std::exception_ptr error) {
    if (!error) committed(std::move(*held));
  });
}

store::InboxRow Inbox::row_of(std::int64_t id, base::AccountId account, const convert::Delivery& delivery, std::int64_t created) const {
  store::InboxRow row;
  row.id = id;
  row.account = account;
  row.payload = to_text(delivery);
  row.created = created;
  return row;
}

// ---- Sending ----

void Inbox::committed(Item item) {
  if (is_spilled() || rows_.size() >= limits_.in_memory) {
    newest_spilled_ = item.id;
    return;
  }
  newest_in_memory_ = std::max(newest_in_memory_, item.id);
  rows_.push_back(std::move(item));
  pump();
}

void Inbox::pump() {
  while (sent_ < rows_.size() && link_.can_send()) {
    Item& item = rows_[sent_];
    xmpp::Sequence sequence = sent_ > 0 ? rows_[sent_ - 1].sequence : 0;
    if (!item.returned) {
      item.withheld = false;
      for (const xmpp::Element& stanza : to_stanzas_(accounts_.find(item.account), item.delivery, stanza_id(item.id))) {
        auto sent = link_.send(stanza, xmpp::Component::Track::yes);
        if (!sent) {
          item.withheld = true;
          log::error("inbox.withheld", {{"account", item.account.value}, {"id", item.id}});
          sent = send_note_for(stanza);
        }
        sequence = std::max(sequence, sent.value_or(0));
      }
    }
    item.sequence = sequence;
    ++sent_;
  }
  confirmed(0);  // rows that gave no stanza wait for no confirmation
}

// What the link withheld is not delivered: its row stays in the store until it expires, and the contact's chat says that there was something.
std::optional<xmpp::Sequence> Inbox::send_note_for(const xmpp::Element& withheld) {
  if (withheld.child_text("body", withheld.ns()).empty()) return 0;
  xmpp::Element note("message", withheld.ns());
  for (const char* name : {"from", "to", "type", "id"}) note.set(name, withheld.attribute(name));
  note.add_text_child("body", "A message from this contact could not be shown here: it is too large.");
  return link_.send(note, xmpp::Component::Track::yes);
}

void Inbox::connected() { pump(); }

void Inbox::disconnected() { sent_ = 0; }

void Inbox::confirmed(xmpp::Sequence sequence) {
  while (sent_ > 0 && rows_.front().sequence <= sequence) {
    Item& item = rows_.front();
    if (!item.returned && !item.withheld) {
      journal_.remove_inbox(item.id);
      if (is_for_reading(item.delivery)) keep_lately(std::move(item));
    }
    rows_.pop_front();
    --sent_;
  }
  reload_if_low();
}

// ---- What came back ----

void Inbox::keep_lately(Item item) {
  const std::size_t bytes = bytes_of(item.delivery);
  while (lately_.full() || (!lately_.empty() && lately_bytes_ + bytes > most_lately_bytes)) {
    lately_bytes_ -= bytes_of(lately_.front().delivery);
    lately_.pop_front();
  }
  lately_bytes_ += bytes;
  lately_.push_back(std::move(item));
}

// A server that has nobody to give it to says so at once; ours does before it answers the ping behind the message, so that the row is still
// among rows_. Another server's answer may come later, and so may that of one whose client vanished and never resumed its session: the row is gone then.
bool Inbox::returned(const accounts::LiveAccount& account, std::string_view of_stanza) {
  const auto row = of_stanza.starts_with('w') ? keys_.row_of(of_stanza.substr(1)) : std::nullopt;  // a part's id goes on with "-2"
  if (!row) return false;
  const std::int64_t id = *row;
  const auto find = [&](auto& items) -> Item* {  // both are in order of ids
    const auto item = std::lower_bound(items.begin(), items.end(), id, [](const Item& i, std::int64_t wanted) { return i.id < wanted; });
    const bool found = item != items.end() && item->id == id && item->account == account.id();
    return found && is_for_reading(item->delivery) ? &*item : nullptr;
  };
  Item* present = find(rows_);
  Item* item = present ? present : find(lately_);
  if (!item || item->returned) return item != nullptr;  // each part of it may come back
  item->returned = true;
  if (account.takes_messages()) ++item->refusals;
  if (present) wait_for_next_try(*item, id);
  else keep_returned(*item);
  return true;
}

// Its row is gone: it gets another, as old as the first (store::undelivered_kept), which is not sent yet.
void Inbox::keep_returned(const Item& item) {
  const std::int64_t id = journal_.next_inbox_id();
  journal_.insert(row_of(id, item.account, item.delivery, item.created));
  Item head;
  head.account = item.account;
  head.created = item.created;
  head.refusals = item.refusals;
  journal_.after_commit([this, id, head = std::make_shared<Item>(std::move(head))](std::exception_ptr error) {
    if (error) return log::error("inbox.returned_not_kept", {{"account", head->account.value}});
    if (is_spilled()) {
      newest_spilled_ = std::max(newest_spilled_, id);  // read back with the others, and so sent anew
      return;
    }
    newest_in_memory_ = std::max(newest_in_memory_, id);
    wait_for_next_try(*head, id);
  });
}

void Inbox::wait_for_next_try(const Item& item, std::int64_t id) {
  const std::int64_t due = now() + std::clamp(now() - item.created, least_wait, most_wait);
  returned_[item.account].push_back({id, due, item.refusals});
}

void Inbox::resend_returned(base::AccountId account) {
  resend_if(account, [](const Returned& row) { return row.refusals < most_refusals; });
}

void Inbox::resend_returned() {
  std::vector<base::AccountId> accounts;
  for (const auto& [account, rows] : returned_) accounts.push_back(account);
  for (const base::AccountId account : accounts) {
    const accounts::LiveAccount* live = accounts_.find(account);
    if (live && live->presence_seen && !live->takes_messages()) continue;  // they are away, and will be seen coming
    resend_if(account, [now = now()](const Returned& row) { return row.due <= now; });
  }
}

template <class Wanted> void Inbox::resend_if(base::AccountId account, Wanted wanted) {
  const auto found = returned_.find(account);
  if (found == returned_.end()) return;
  auto& rows = found->second;
  const auto first = std::partition(rows.begin(), rows.end(), [&](const Returned& row) { return !wanted(row); });
  std::vector<Returned> chosen(first, rows.end());
  rows.erase(first, rows.end());
  if (rows.empty()) returned_.erase(found);
  if (!chosen.empty()) tasks_.spawn("inbox.resend", resend(account, std::move(chosen)));
}

// Each becomes a new row behind all others, in the commit that removes the old one. What the store does not do now, it may do later.
asio::awaitable<void> Inbox::resend(base::AccountId account, std::vector<Returned> rows) {
  std::sort(rows.begin(), rows.end(), [](const Returned& a, const Returned& b) { return a.id < b.id; });
  auto next = rows.begin();
  try {
    while (next != rows.end()) {
      auto read = [account, after = next->id - 1](db::Transaction& t) {
        return store::read_inbox(t, account, after, rows_per_read);
      };
      const auto found = co_await database_.fetch(std::move(read));
      for (const auto& row : found) {
        while (next != rows.end() && next->id < row.id) ++next;  // removed meanwhile
        if (next == rows.end()) break;
        if (next->id != row.id) continue;
        auto delivery = convert::parse_delivery(row.payload);
        if (delivery) put(Item{0, account, row.created, std::move(*delivery), next->refusals});
        journal_.remove_inbox(row.id);
        journal_.after_commit([this, account, waiting = *next](std::exception_ptr error) {
          if (error) returned_[account].push_back(waiting);
        });
        journal_.close_step();
        ++next;
      }
      if (found.size() < static_cast<std::size_t>(rows_per_read)) break;
    }
  } catch (...) {
    auto& waiting = returned_[account];
    waiting.insert(waiting.end(), next, rows.end());
    throw;
  }
}

void Inbox::reload_if_low() {
  if (!is_spilled() || reloading_ || rows_.size() >= limits_.in_memory / 2) return;
  reloading_ = true;
  tasks_.spawn("inbox.reload", reload());
}

asio::awaitable<void> Inbox::reload() {
  const std::int64_t spilled_before = newest_spilled_;
  auto read = [this, after = newest_in_memory_](db::Transaction& t) {
    return store::read_inbox(t, transport_, after, rows_per_read);
  };
  const auto found = co_await database_.fetch(std::move(read));
  reloading_ = false;
  for (const auto& row : found) {
    newest_in_memory_ = std::max(newest_in_memory_, row.id);
    auto delivery = convert::parse_delivery(row.payload);
    if (!delivery) {
      log::error("inbox.row_damaged", {{"id", row.id}});
      continue;
    }
    rows_.push_back(Item{row.id, row.account, row.created, std::move(*delivery)});
  }
  if (found.size() == static_cast<std::size_t>(rows_per_read)) newest_spilled_ = std::max(newest_spilled_, newest_in_memory_ + 1);
  else if (newest_spilled_ == spilled_before) newest_spilled_ = 0;
  pump();
  reload_if_low();
}

asio::awaitable<void> Inbox::stop() {
  tasks_.cancel();
  co_await tasks_.join();
}

}  // namespace wherry::queues

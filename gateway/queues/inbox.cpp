#include "gateway/queues/inbox.hpp"

#include "gateway/base/log.hpp"
#include "gateway/store/retention.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace wherry::queues {

namespace {

constexpr int rows_per_read = 1000;
constexpr std::size_t most_seen = 200000;
constexpr std::size_t most_parked = 1000;  // of one account
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
             xmpp::Component& link, const base::Clock& clock, std::string transport, InboxLimits limits, ToStanzas to_stanzas)
    : journal_(journal), database_(database), accounts_(accounts), link_(link), clock_(clock), transport_(std::move(transport)),
      limits_(limits), to_stanzas_(std::move(to_stanzas)), seen_(most_seen), lately_(most_lately), tasks_(executor) {}

asio::awaitable<void> Inbox::load(connector::Network network, std::string id_prefix, Outbox& outbox) {
  network_ = std::move(network);
  id_prefix_ = std::move(id_prefix);
  outbox_ = &outbox;
  const std::int64_t since = base::to_milliseconds(clock_.now() - store::seen_kept);
  using SeenLately = std::pair<std::string, std::vector<std::uint64_t>>;
  std::function<SeenLately(db::Transaction&)> read = [this, since](db::Transaction& t) {
    return SeenLately(store::seen_key(t), store::read_seen(t, transport_, since, most_seen));
  };
  const SeenLately lately = co_await database_.fetch(std::move(read));
  seen_.load(lately.first, lately.second);
  co_await reload();
  if (!rows_.empty()) log::info("inbox.recovered", {{"transport", transport_}, {"rows", rows_.size()}});
}

// ---- Accepting ----

asio::awaitable<void> Inbox::publish(base::AccountId account, connector::Event event) {
  if (auto* progress = std::get_if<connector::MessageProgressed>(&event)) {
    co_await publish_progress(account, std::move(*progress));
    co_return;
  }
  std::optional<std::uint64_t> hash;
  if (network_.redelivers) {
    if (const std::string id = repeatable_id(event); !id.empty()) {
      hash = seen_.hash(account.value, id);
      while (seen_.contains(*hash)) {
        log::debug("inbox.repeated", {{"account", account.value}});
        const std::uint64_t before = not_kept_;
        co_await commit();  // the first one may be on its way to the disk just now
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
    journal_.remember(*hash);
    journal_.after_commit([this, kept = *hash](std::exception_ptr error) {
      if (!error) return;
      seen_.erase(kept);  // so it may come again
      ++not_kept_;
    });
  }
  co_await commit();
}

asio::awaitable<void> Inbox::commit() {
  auto start = [this](base::Resume resume) {
    auto held = std::make_shared<base::Resume>(std::move(resume));
    journal_.after_commit([held](std::exception_ptr error) { (*held)(error); });
  };
  co_await base::suspend(std::move(start));
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

void Inbox::put_failed(base::AccountId account, convert::Origin origin, base::Error error) {
  if (origin.user.empty()) return;  // nobody asked
  convert::SendFailed failed;
  failed.origin = std::move(origin);
  failed.code = error.code;
  failed.text = std::move(error.text);
  put(account, std::move(failed));
}

// ---- Reports on what we sent ----

asio::awaitable<void> Inbox::publish_progress(base::AccountId account, connector::MessageProgressed progress) {
  for (std::uint64_t before = settles_[account];;) {
    const bool known = co_await apply_progress(account, progress);
    if (known) co_return;
    const std::uint64_t now = settles_[account];
    if (std::exchange(before, now) == now) break;  // else the send may have returned while we looked
  }
  // It may be about a send that has not returned yet. It waits in memory: should the process die now, the send itself is
  // reported as uncertain, and the report is not needed for the sender to know.
  auto& parked = parked_[account];
  if (outbox_->is_performing(account) && parked.size() < most_parked) {
    parked.push_back(std::move(progress));
  } else {
    log::debug("inbox.report_unmatched", {{"account", account.value}});
  }
}

void Inbox::outbox_settled(base::AccountId account) {
  ++settles_[account];
  const auto found = parked_.find(account);
  if (found == parked_.end() || found->second.empty()) return;
  auto parked = std::move(found->second);
  parked_.erase(found);
  tasks_.spawn("inbox.parked", apply_parked(std::move(parked), account));
}

asio::awaitable<void> Inbox::apply_parked(std::vector<connector::MessageProgressed> parked, base::AccountId account) {
  for (auto& progress : parked) co_await publish_progress(account, std::move(progress));
}

// Whether the message it is about is known.
asio::awaitable<bool> Inbox::apply_progress(base::AccountId account, connector::MessageProgressed progress) {
  const std::optional<store::SentMessage> sent = co_await find_sent(account, progress.id.value);
  if (!sent) co_return false;
  const connector::Stage before = sent->stage.value_or(connector::Stage::accepted);
  // delivered after failed counts, failed after delivered does not (connector::Stage).
  const bool was_delivered = before == connector::Stage::delivered || before == connector::Stage::read;
  if (progress.stage == before || progress.stage == connector::Stage::accepted || was_delivered) co_return true;
  auto origin = convert::parse_origin(sent->origin);
  if (!origin) co_return true;
  recent_.set_stage(sent->id, progress.stage);
  journal_.set_stage(sent->id, progress.stage);
  if (progress.stage == connector::Stage::failed) {
    put_failed(account, std::move(*origin), base::Error{base::Errc::rejected, progress.text});
  } else if (origin->wants_receipt) {
    convert::SendDelivered delivered;
    delivered.origin = std::move(*origin);
    put(account, std::move(delivered));
  }
  co_await commit();
  co_return true;
}

asio::awaitable<std::optional<store::SentMessage>> Inbox::find_sent(base::AccountId account, const std::string& network_id) {
  const std::optional<std::int64_t> id = outbox_->id_of(network_id);
  if (const store::SentMessage* recent = id ? recent_.find(account, *id) : recent_.find(account, network_id)) co_return *recent;
  std::function<std::optional<store::SentMessage>(db::Transaction&)> read = [account, id, network_id](db::Transaction& t) {
    return id ? store::find_sent(t, account, *id) : store::find_sent(t, account, std::string_view(network_id));
  };
  co_return co_await database_.fetch(std::move(read));
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
      for (const xmpp::Element& stanza : to_stanzas_(accounts_.find(item.account), item.delivery, stanza_id(item.id))) {
        sequence = std::max(sequence, link_.send(stanza, xmpp::Component::Track::yes));
      }
    }
    item.sequence = sequence;
    ++sent_;
  }
  confirmed(0);  // rows that gave no stanza wait for no confirmation
}

void Inbox::connected() { pump(); }

void Inbox::disconnected() { sent_ = 0; }

void Inbox::confirmed(xmpp::Sequence sequence) {
  while (sent_ > 0 && rows_.front().sequence <= sequence) {
    Item& item = rows_.front();
    if (!item.returned) {
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
  if (!of_stanza.starts_with(id_prefix_)) return false;
  of_stanza.remove_prefix(id_prefix_.size());
  std::int64_t id = 0;
  std::from_chars(of_stanza.data(), of_stanza.data() + of_stanza.size(), id);  // a part's id goes on with "-2"
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
      std::function<std::vector<store::InboxRow>(db::Transaction&)> read = [account, after = next->id - 1](db::Transaction& t) {
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
  std::function<std::vector<store::InboxRow>(db::Transaction&)> read = [this, after = newest_in_memory_](db::Transaction& t) {
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

}  // namespace wherry::queues

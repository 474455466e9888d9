#include "connectors/sms/smpp/inbound.hpp"

#include "connectors/sms/smpp/address.hpp"
#include "connectors/sms/text/row.hpp"
#include "connectors/sms/text/storage_key.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace wherry::sms::smpp {

namespace {

constexpr std::size_t most_waiting = 2000;
constexpr std::size_t segments_per_read = 500;
constexpr std::chrono::seconds house_kept_every{10};  // how often texts are given up and receipts placed
constexpr std::chrono::hours swept_every{1};

}  // namespace

Inbound::Inbound(const Setting& setting, connector::Services services, CarrierEvents& events, Ledger& ledger,
                 Reports& reports)
    : setting_(setting),
      services_(services),
      events_(events),
      ledger_(ledger),
      reports_(reports),
      redeliveries_(setting.redelivery_window),
      reassembly_(setting.part_patience),
      changed_(services.executor) {}

std::string Inbound::key(std::string_view kind, std::string_view rest) const {
  return fmt::format("{}/{}/{}", setting_.name, kind, rest);
}

std::vector<connector::Entry> Inbound::below(std::string_view kind, std::vector<connector::Entry> entries) const {
  for (auto& entry : entries) entry.key = key(kind, entry.key);
  return entries;
}

void Inbound::take(Link& link, Asked asked) {
  if (stopping_ || queue_.size() >= most_waiting) {
    link.answer(asked, Status::temporary_failure);
    return;
  }
  queue_.push_back({&link, std::move(asked), std::nullopt, {}});
  changed_.notify();
}

void Inbound::proved(const Link& link, Proved proved) {
  std::deque<Unproved>& texts = unproved_[&link];
  for (; !texts.empty() && texts.front().answer <= proved.answers; texts.pop_front())
    redeliveries_.proved(texts.front().id);
}

void Inbound::stop() {
  stopping_ = true;
  changed_.notify();
}

asio::awaitable<void> Inbound::session_ended(bool confirmed) {
  queue_.clear();
  unproved_.clear();
  stopping_ = false;
  redeliveries_.session_ended(services_.clock.now(), confirmed);
  // Now, since there may be no later: the next process would hold what is settled for unanswered.
  connector::Changes gone = take_forgotten();
  co_await store_first(std::move(gone));
}

asio::awaitable<void> Inbound::run() {
  while (!stopping_) {
    try {
      if (!loaded_) co_await load();
      if (is_house_due()) co_await keep_house();
    } catch (const std::exception& e) {
      log::error("smpp.store_failed", {{"carrier", setting_.name}, {"error", e.what()}});
      loaded_ = false;
    }
    auto batch = std::exchange(queue_, {});
    if (!batch.empty()) {
      co_await work(std::move(batch));
      continue;
    }
    if (!stopping_) co_await changed_.wait();
  }
}

asio::awaitable<void> Inbound::tick() {
  for (;;) {
    co_await base::sleep(house_kept_every);
    changed_.notify();
  }
}

// What an earlier run left; and, after a failure, what is true.
asio::awaitable<void> Inbound::load() {
  const base::Time now = services_.clock.now();
  reassembly_ = Reassembly(setting_.part_patience);
  for (const char* kind : {"p", "d"}) {
    const std::string prefix = key(kind, "");
    std::string after;
    for (;;) {
      const auto page = co_await services_.storage.read(prefix, after, segments_per_read);
      for (const auto& entry : page) {
        const std::string rest = entry.key.substr(prefix.size());
        const bool read =
            *kind == 'p' ? reassembly_.restore({rest, entry.value}, now) : restore_arrival(rest, entry.value);
        if (!read)
          log::warn("smpp.row_damaged", {{"carrier", setting_.name}, {"kind", *kind == 'p' ? "segment" : "arrival"}});
      }
      if (page.size() < segments_per_read) break;
      after = page.back().key;
    }
  }
  co_await ledger_.load();
  swept_ = now;
  loaded_ = true;
}

// "<time> <digest>"; those of before are JSON.
bool Inbound::restore_arrival(const std::string& id, const std::string& value) {
  std::int64_t at = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), at);
  if (error == std::errc() && end != value.data() + value.size() && *end == ' ') {
    redeliveries_.restore(id, std::string(end + 1, value.data() + value.size()), stored_time(at));
    return true;
  }
  const auto json = nlohmann::json::parse(value, nullptr, false);
  if (!json.is_object()) return false;
  try {
    redeliveries_.restore(id, json.at("digest").get<std::string>(), stored_time(json.at("at").get<std::int64_t>()));
  } catch (const nlohmann::json::exception&) {  // a value is missing, or of another type
    return false;
  }
  return true;
}

// Also where the clock was put back: the next time would be far away.
bool Inbound::is_house_due() const {
  const base::Time now = services_.clock.now();
  return now >= house_kept_ + house_kept_every || now < house_kept_;
}

// Texts that are given up, receipts that can be placed by now, entries that nobody needs.
asio::awaitable<void> Inbound::keep_house() {
  house_kept_ = services_.clock.now();
  connector::Changes gone = take_forgotten();
  std::vector<Delivery> deliveries;
  for (Joined& joined : reassembly_.expire(house_kept_)) {
    if (joined.is_nothing()) {
      for (auto& entry : below("p", std::move(joined.forget))) gone.push_back(std::move(entry));
    } else {
      deliveries.push_back(to_delivery(std::move(joined)));
    }
  }
  if (!gone.empty()) co_await services_.storage.write(std::move(gone));
  co_await deliver_in_order(&deliveries);
  ledger_.look_again();
  co_await reports_.settle_waiting();
  if (house_kept_ >= swept_ + swept_every || house_kept_ < swept_) {
    co_await ledger_.sweep();
    swept_ = house_kept_;
  }
}

asio::awaitable<void> Inbound::work(std::vector<Item> batch) {
  connector::Changes store;
  std::vector<Delivery> deliveries;
  std::vector<std::pair<Item*, SeenReceipt>> receipts;
  std::vector<std::pair<Item*, SeenNothing>> unread;
  const auto now = services_.clock.now();
  for (Item& item : batch) {
    if (!loaded_) continue;  // answered with a temporary failure
    Seen seen = read_message(item.asked.message, setting_);
    if (auto* receipt = std::get_if<SeenReceipt>(&seen)) {
      receipts.emplace_back(&item, std::move(*receipt));
    } else if (auto* text = std::get_if<SeenText>(&seen)) {
      deliveries.push_back(read_text(item, std::move(text->text)));
    } else if (auto* piece = std::get_if<SeenPiece>(&seen)) {
      piece->piece.arrived = now;
      read_piece(item, std::move(piece->piece), store, deliveries);
    } else if (auto& nothing = std::get<SeenNothing>(seen); !nothing.guesses.empty()) {
      unread.emplace_back(&item, std::move(nothing));
    } else {
      ignore(item, nothing);
    }
  }
  // What is forgotten goes with what is written; where nothing is, with what comes next (keep_house()).
  if (!deliveries.empty()) std::ranges::move(take_forgotten(), std::back_inserter(deliveries.back().text.last));
  else if (!store.empty()) std::ranges::move(take_forgotten(), std::back_inserter(store));
  const bool stored = co_await store_first(std::move(store));
  if (stored) {
    base::TaskGroup tasks(services_.executor);
    for (Delivery& delivery : deliveries) tasks.spawn("smpp.deliver", deliver(&delivery));
    for (auto& [item, receipt] : receipts)
      tasks.spawn("smpp.report", logging_failure(report(item, std::move(receipt))));
    for (auto& [item, nothing] : unread) tasks.spawn("smpp.report", logging_failure(guess(item, std::move(nothing))));
    co_await tasks.join();
  } else {
    for (Item& item : batch) {
      if (item.status == Status::ok) item.status.reset();  // a segment that is not kept, for one
      if (!item.id.empty()) redeliveries_.withdrawn(item.id);
    }
  }
  for (Item& item : batch) answer(item);
}

// What is answered and cannot be used is counted, and said where operators look: of the first ones, and then ever more
// rarely.
void Inbound::ignore(Item& item, const SeenNothing& seen) {
  item.status = Status::ok;
  log::debug("smpp.message_ignored", {{"why", seen.why}, {"octets", base::to_hex(item.asked.message.user_data())}});
  if (!seen.unread) return;
  ++unread_;
  if (unread_ > 10 && (unread_ & (unread_ - 1)) != 0) return;
  log::warn("smpp.receipt_not_understood", {{"carrier", setting_.name},
                                            {"why", seen.why},
                                            {"form", shape_of(item.asked.message.user_data())},
                                            {"so_far", unread_}});
}

void Inbound::answer(Item& item) {
  const Status status = item.status.value_or(Status::temporary_failure);
  if (!item.id.empty()) {
    if (status == Status::ok) redeliveries_.answered(item.id, services_.clock.now());
    else if (status == Status::temporary_failure) redeliveries_.refused(item.id);
    else redeliveries_.withdrawn(item.id);
  }
  const std::uint64_t answer = item.link->answer(item.asked, status);
  if (!item.id.empty() && status == Status::ok) unproved_[item.link].push_back({answer, item.id});
}

connector::Changes Inbound::take_forgotten() {
  connector::Changes gone;
  for (const std::string& id : redeliveries_.take_forgotten(services_.clock.now())) gone.push_back({key("d", id), {}});
  return gone;
}

// False where the store is lost.
asio::awaitable<bool> Inbound::store_first(connector::Changes changes) {
  if (changes.empty()) co_return true;
  try {
    co_await services_.storage.write(std::move(changes));
    co_return true;
  } catch (const std::exception& e) {
    log::error("smpp.store_failed", {{"carrier", setting_.name}, {"error", e.what()}});
    loaded_ = false;
  }
  co_return false;
}

// Whether the same came before and our answer to it may be lost. Also then it is stored: it may not have been, since
// the store was lost.
Redeliveries::Arrival Inbound::note_arrival(Item& item, connector::Changes& store) {
  const auto now = services_.clock.now();
  const std::string content = content_digest(item.asked.message);
  auto arrival = redeliveries_.arrived(content, now);
  item.id = arrival.id;
  store.push_back({key("d", arrival.id), fmt::format("{} {}", base::to_milliseconds(now), content)});
  return arrival;
}

// By what it would be known again is written with the text: after a crash the store has both, or neither, and then it
// comes again and is new.
Inbound::Delivery Inbound::read_text(Item& item, std::string text) {
  const ShortMessage& message = item.asked.message;
  Delivery delivery;
  auto arrival = note_arrival(item, delivery.text.first);
  delivery.item = &item;
  delivery.text.id = std::move(arrival.id);
  delivery.text.from = from_network(message.source, setting_.addresses);
  delivery.text.to = destination_from_network(message.destination, setting_.addresses);
  delivery.text.text = std::move(text);
  delivery.text.sent_at = services_.clock.now();
  return delivery;
}

void Inbound::read_piece(Item& item, Piece piece, connector::Changes& store, std::vector<Delivery>& deliveries) {
  piece.again = note_arrival(item, store).again;
  auto added = reassembly_.add(std::move(piece));
  for (auto& entry : below("p", std::move(added.store))) store.push_back(std::move(entry));
  if (added.overtaken) deliveries.push_back(to_delivery(std::move(*added.overtaken)));
  if (!added.joined) {
    item.status = Status::ok;  // once it is stored
    return;
  }
  deliveries.push_back(to_delivery(std::move(*added.joined)));
  deliveries.back().item = &item;
}

Inbound::Delivery Inbound::to_delivery(Joined joined) const {
  Delivery delivery;
  delivery.text = {joined.id, group_sender(joined.group), group_receiver(joined.group), std::move(joined.text),
                   joined.arrived};
  delivery.text.last = below("p", std::move(joined.forget));  // the segments are there until everybody has the text
  return delivery;
}

// Spawned in order, and publish() takes its place in the queue before it first waits: so the order is kept.
asio::awaitable<void> Inbound::deliver_in_order(std::vector<Delivery>* deliveries) {
  base::TaskGroup tasks(services_.executor);
  for (Delivery& delivery : *deliveries) tasks.spawn("smpp.deliver", deliver(&delivery));
  co_await tasks.join();
}

asio::awaitable<void> Inbound::deliver(Delivery* delivery) {
  try {
    const bool taken = co_await events_.received(std::move(delivery->text));
    if (delivery->item) delivery->item->status = taken ? Status::ok : Status::permanent_failure;
  } catch (const std::exception& e) {
    log::error("smpp.delivery_failed", {{"carrier", setting_.name}, {"error", e.what()}});
    loaded_ = false;  // the memory of segments is ahead of the store
  }
}

asio::awaitable<void> Inbound::logging_failure(asio::awaitable<void> task) {
  try {
    co_await std::move(task);
  } catch (const std::exception& e) {
    log::error("smpp.receipt_not_stored", {{"carrier", setting_.name}, {"error", e.what()}});
  }
}

asio::awaitable<void> Inbound::report(Item* item, SeenReceipt seen) {
  const ShortMessage& message = item->asked.message;
  ReportedReceipt reported = ledger_.arrived(message, std::move(seen.receipt), seen.certain);
  Match match = co_await ledger_.find(reported);
  if (match.record) {
    connector::Changes also;
    co_await reports_.settle(std::move(match), std::move(reported.receipt), std::move(also));
  } else if (seen.certain) {
    std::vector<connector::Entry> entries = ledger_.park(std::move(reported));
    co_await services_.storage.write(std::move(entries));
  } else {  // somebody wrote what looks like a receipt
    Delivery delivery = read_text(*item, std::move(seen.text));
    co_await deliver(&delivery);
    co_return;
  }
  item->status = Status::ok;
  co_await reports_.settle_waiting();  // this receipt may have shown how to read others
}

// A receipt in a form of its own is about the text that its words name, if they name just one.
asio::awaitable<void> Inbound::guess(Item* item, SeenNothing seen) {
  const ShortMessage& message = item->asked.message;
  Match found;
  Receipt receipt;
  for (const Receipt& guessed : seen.guesses) {
    ReportedReceipt reported = ledger_.arrived(message, guessed, false);
    const Match match = co_await ledger_.find_named(std::move(reported));
    if (!match.record) continue;
    const bool is_second = found.record && (found.record != match.record || found.segment != match.segment);
    if (is_second) co_return ignore(*item, seen);
    found = match;
    receipt = guessed;
  }
  // Of one whose state cannot be read, too, somebody must hear.
  if (!found.record || receipt.state == MessageState::unknown) ignore(*item, seen);
  if (found.record) {
    connector::Changes also;
    co_await reports_.settle(std::move(found), std::move(receipt), std::move(also));
  }
  item->status = Status::ok;
}

}  // namespace wherry::sms::smpp

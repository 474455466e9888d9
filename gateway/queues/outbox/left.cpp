// Outbox: rows that an earlier run left, and what is left of an account that is gone.
#include "gateway/queues/outbox.hpp"

#include "gateway/base/log.hpp"
#include "gateway/connector/action_codec.hpp"
#include "gateway/queues/outbox/pause.hpp"
#include "gateway/queues/outbox/told.hpp"

#include <algorithm>
#include <utility>

namespace wherry::queues {

using connector::Errc;
using connector::Error;
using store::OutboxState;

namespace {

constexpr int outbox_rows_per_read = 250;  // at the start; a row may have 100 KiB
// A row that an earlier run left has so long at least, since the clock may have leapt meanwhile.
constexpr std::chrono::hours least_time_left{1};

}  // namespace

asio::awaitable<void> Outbox::load(connector::Network network) {
  network_ = std::move(network);
  std::size_t rows = 0;
  std::int64_t after = 0;
  for (bool more = true; more;) {
    auto read = [this, after](db::Transaction& t) {
      return store::read_outbox(t, transport_, after, outbox_rows_per_read);
    };
    const auto found = co_await database_.fetch(std::move(read));
    for (const auto& row : found) {
      expect_repeats(row);
      recover(row);
    }
    rows += found.size();
    more = !found.empty();
    if (more) after = found.back().id;
  }
  co_await reports_.load(transport_);
  if (rows > 0) log::info("outbox.recovered", {{"transport", transport_}, {"rows", rows}});
  auto read = [](db::Transaction& t) { return store::read_orphaned_outbox(t); };
  for (const auto& row : co_await database_.fetch(std::move(read))) tell_orphaned(row);
  journal_.close_step();
}

// Its user unregistered, and the gateway died before they were told. The address that was written to says whose network
// it was.
void Outbox::tell_orphaned(const store::OutboxRow& row) {
  auto origin = convert::parse_origin(row.origin);
  const auto contact = origin ? xmpp::Jid::parse(origin->contact) : Error{Errc::bad_input, ""};
  if (!contact || contact->domain() != transport_) return;
  const bool may_have_gone = row.state == OutboxState::unsure || row.state == OutboxState::sending;
  Error error =
      may_have_gone ? Error{Errc::uncertain, told::unregistered_unsure} : Error{Errc::rejected, told::unregistered};
  reports_.put_failed(row.account, row.id, std::move(*origin), std::move(error));
  journal_.remove_outbox(row.id);
}

void Outbox::expect_repeats(const store::OutboxRow& row) {
  const auto origin = convert::parse_origin(row.origin);
  const auto action = parse_row(row.payload);
  if (origin && action) repeats_.insert(repeats_.fingerprint(row.account, *origin, *action));
}

void Outbox::recover(const store::OutboxRow& row) {
  // The process died between the mark and the answer; or the network deduplicated then, and does no longer.
  if (row.state != OutboxState::queued && !repeats_freely(row.account)) {
    const auto item = to_item(row);
    if (!item) return;
    if (!may_repeat(item->action)) {
      report_failure(*item, Error{Errc::uncertain, told::uncertain});
      journal_.close_step();
      return;
    }
  }
  const auto ms = [](auto duration) { return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(); };
  const std::int64_t now = base::to_milliseconds(clock_.now()), forward = now_forward();
  const std::int64_t least = std::min(ms(limits_.deadline), ms(least_time_left));
  const std::int64_t left = std::clamp(row.deadline - now, least, std::max(least, ms(limits_.deadline)));
  // A clock that is behind says nothing of waits; else what is longer than the row's own pause may be the network's
  // wish.
  const std::chrono::milliseconds most =
      journal_.began_behind() ? pause_after(row.attempts, row.id, limits_.retry) : limits_.retry.most;
  const std::int64_t pause = std::clamp<std::int64_t>(row.not_before - now, 0, ms(most));
  if (row.state != OutboxState::queued) reports_.send_began(row.account, row.id, row.chat);
  backlog_.recover(row.account, row.chat, row.id, forward + left, forward + pause);
}

// Whole again; of a damaged row the sender is told, where it says who that is, and there is nothing.
std::unique_ptr<Outbox::Item> Outbox::to_item(store::OutboxRow row) {
  auto origin = convert::parse_origin(row.origin);
  auto action = parse_row(row.payload);
  const std::size_t bytes = row.origin.size() + row.payload.size();
  row.payload = row.origin = std::string();
  // Found so by load(), on a network that may be asked again: an earlier run was at it.
  if (row.state == OutboxState::sending && repeats_freely(row.account)) row.state = OutboxState::unsure;
  auto item = std::make_unique<Item>();
  item->row = std::move(row);
  item->bytes = bytes;
  if (origin) item->origin = std::move(*origin);
  if (action && origin) {
    item->action = std::move(*action);
    item->fingerprint = repeats_.fingerprint(item->row.account, item->origin, item->action);
    return item;
  }
  log::error("outbox.row_damaged", {{"id", item->row.id}});
  const bool may_have_gone = item->row.state != OutboxState::queued;
  if (origin)
    report_failure(*item,
                   may_have_gone ? Error{Errc::uncertain, told::uncertain} : Error{Errc::rejected, told::damaged});
  journal_.close_step();
  return nullptr;
}

void Outbox::account_removed(base::AccountId account, const std::vector<store::OutboxRow>& stored) {
  const auto find = [&](std::int64_t id) -> const store::OutboxRow* {
    const auto row = std::lower_bound(stored.begin(), stored.end(), id,
                                      [](const store::OutboxRow& r, std::int64_t i) { return r.id < i; });
    return row != stored.end() && row->id == id ? &*row : nullptr;
  };
  for (Backlog::Removed& row : backlog_.remove(account)) {
    if (row.is_performing && row.item) {
      left_.emplace(row.id, Left{account, std::move(row.item->origin), row.item->row.state == OutboxState::unsure});
      continue;
    }
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
    Error error =
        may_have_gone ? Error{Errc::uncertain, told::unregistered_unsure} : Error{Errc::rejected, told::unregistered};
    reports_.put_failed(account, row.id, std::move(*origin), std::move(error));
  }
  reports_.forget(account);
  journal_.close_step();
}

// What the network took needs no word. Should the gateway end before the answer, the next start tells (tell_orphaned).
void Outbox::end_left(std::int64_t id, const base::Result<connector::Receipt>& result) {
  Left left = std::move(left_.extract(id).mapped());
  journal_.remove_outbox(id);
  if (result) return;
  Error error{Errc::rejected, told::unregistered};
  if (result.error().code == Errc::uncertain) error = Error{Errc::uncertain, told::unregistered_meanwhile};
  else if (left.is_unsure) error = Error{Errc::uncertain, told::unregistered_unsure};
  reports_.put_failed(left.account, id, std::move(left.origin), std::move(error));
}

}  // namespace wherry::queues

#include "gateway/queues/journal.hpp"

#include "gateway/base/clock.hpp"
#include "gateway/base/log.hpp"
#include "gateway/store/connector_storage.hpp"
#include "gateway/store/retention.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <iterator>
#include <span>
#include <stdexcept>

namespace wherry::queues {

namespace {

constexpr std::int64_t ids_reserved_at_once = 100000;
constexpr std::chrono::milliseconds longest_ride{20};
constexpr std::chrono::milliseconds shortest_ride{10};

template <class T>
std::span<const T> part(const std::vector<T>& all, std::size_t from, std::size_t to) {
  return std::span<const T>(all).subspan(from, to - from);
}

// Rows mostly leave in the order they came, so that neighbours make one range.
std::vector<store::IdRange> to_ranges(std::span<const std::int64_t> ids) {
  std::vector<std::int64_t> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<store::IdRange> ranges;
  for (const std::int64_t id : sorted) {
    if (!ranges.empty() && ranges.back().last + 1 >= id) ranges.back().last = id;
    else ranges.push_back({id, id});
  }
  return ranges;
}

template <class T>
void move_all(std::vector<T>& from, std::vector<T>& to) {
  if (from.empty()) return;
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  from.clear();
}

void log_failure(const std::string& transport, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    log::error("journal.failed", {{"transport", transport}, {"error", e.what()}});
  }
}

}  // namespace

Journal::Journal(boost::asio::any_io_executor executor, db::Database& database, std::string transport)
    : executor_(executor),
      database_(database),
      transport_(std::move(transport)),
      began_(base::to_milliseconds(std::chrono::system_clock::now())),
      ride_(executor) {}

// The time when the run began, and what has passed since: it leaps at a start only.
std::int64_t Journal::run_time() const {
  const auto passed =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began_forward_);
  return began_ + passed.count();
}

// Advanced as the store advances it, and never slower than the time that passes: rows do not age while the clock is
// behind.
std::int64_t Journal::stamp(std::int64_t time_of_day) {
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - aged_);
  aged_ += passed;
  age_time_ = std::max(age_time_ + passed.count(), store::age_time(age_time_, time_of_day, passed));
  return std::max(time_of_day, age_time_);
}

Journal::Batch& Journal::soon() {
  is_soon_ = true;
  if (!std::exchange(flush_is_posted_, true)) {
    boost::asio::post(executor_, [this] { flush(); });
  }
  if (!open_) open_ = std::make_shared<Turn>();
  return open_->batch;
}

Journal::Mark Journal::end_of(const Batch& b) {
  return {b.new_outbox.size(),    b.changed_outbox.size(), b.gone_outbox.size(), b.gone_inbox.size(),
          b.gone_messages.size(), b.new_inbox.size(),      b.messages.size(),    b.stages.size(),
          b.events.size(),        b.stanzas.size(),        b.changes.size(),     b.done.size(),
          b.waiting.size()};
}

Journal::Mark Journal::Mark::operator+(const Mark& o) const {
  return {new_outbox + o.new_outbox,
          changed_outbox + o.changed_outbox,
          gone_outbox + o.gone_outbox,
          gone_inbox + o.gone_inbox,
          gone_messages + o.gone_messages,
          new_inbox + o.new_inbox,
          messages + o.messages,
          stages + o.stages,
          events + o.events,
          stanzas + o.stanzas,
          changes + o.changes,
          done + o.done,
          waiting + o.waiting};
}

void Journal::append(Turn& to, Batch& step) {
  move_all(step.new_outbox, to.batch.new_outbox);
  move_all(step.changed_outbox, to.batch.changed_outbox);
  move_all(step.gone_outbox, to.batch.gone_outbox);
  move_all(step.gone_inbox, to.batch.gone_inbox);
  move_all(step.gone_messages, to.batch.gone_messages);
  move_all(step.new_inbox, to.batch.new_inbox);
  move_all(step.messages, to.batch.messages);
  move_all(step.stages, to.batch.stages);
  move_all(step.events, to.batch.events);
  move_all(step.stanzas, to.batch.stanzas);
  move_all(step.changes, to.batch.changes);
  move_all(step.done, to.batch.done);
  move_all(step.waiting, to.batch.waiting);
}

void Journal::append(Turn& to, Turn& other) {
  const Mark before = end_of(to.batch);
  append(to, other.batch);
  for (const Mark& end : other.steps) to.steps.push_back(before + end);
}

void Journal::write(connector::Changes changes) {
  if (!changes.empty()) move_all(changes, soon().changes);
}

void Journal::close_step() {
  const bool is_soon = std::exchange(is_soon_, false);
  if (!is_soon && step_.gone_outbox.empty() && step_.gone_inbox.empty() && step_.gone_messages.empty() &&
      step_.stanzas.empty())
    return;
  std::shared_ptr<Turn>& turn = is_soon ? open_ : riding_;
  const bool begins_to_ride = !turn;
  if (begins_to_ride) turn = std::make_shared<Turn>();
  append(*turn, step_);
  turn->steps.push_back(end_of(turn->batch));
  if (!begins_to_ride) return;
  ride_.expires_after(longest_ride);
  ride_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    ride_is_over_ = true;
    flush();
  });
}

void Journal::write(db::Transaction& t, const Batch& batch, Mark from, Mark to, const std::string& transport,
                    std::int64_t now) {
  const auto new_outbox = part(batch.new_outbox, from.new_outbox, to.new_outbox);
  const auto new_inbox = part(batch.new_inbox, from.new_inbox, to.new_inbox);
  if (!new_outbox.empty()) store::insert_outbox(t, new_outbox);
  if (from.changed_outbox < to.changed_outbox)
    store::update_outbox(t, part(batch.changed_outbox, from.changed_outbox, to.changed_outbox));
  if (from.gone_outbox < to.gone_outbox)
    store::remove_outbox(t, to_ranges(part(batch.gone_outbox, from.gone_outbox, to.gone_outbox)));
  if (!new_inbox.empty()) store::insert_inbox(t, new_inbox);
  if (from.gone_inbox < to.gone_inbox)
    store::remove_inbox(t, to_ranges(part(batch.gone_inbox, from.gone_inbox, to.gone_inbox)));
  if (from.messages < to.messages) store::insert_messages(t, part(batch.messages, from.messages, to.messages));
  if (from.gone_messages < to.gone_messages)
    store::remove_messages(t, part(batch.gone_messages, from.gone_messages, to.gone_messages));
  for (const auto& [id, message_part, stage] : part(batch.stages, from.stages, to.stages))
    store::set_stage(t, id, message_part, stage);
  if (from.changes < to.changes) store::write_entries(t, transport, part(batch.changes, from.changes, to.changes));
  const auto events = part(batch.events, from.events, to.events);
  if (!events.empty()) store::insert_seen(t, transport, store::SeenKind::events, new_inbox.front().id, now, events);
  const auto stanzas = part(batch.stanzas, from.stanzas, to.stanzas);
  if (stanzas.empty()) return;
  std::vector<std::uint64_t> pairs;
  for (const Stanza& stanza : stanzas) pairs.insert(pairs.end(), {stanza.hash, stanza.content});
  store::insert_seen(t, transport, store::SeenKind::stanzas, stanzas.front().row, stanzas.front().time, pairs);
}

void Journal::flush() {
  flush_is_posted_ = false;
  close_step();
  std::shared_ptr<Turn> turn = std::exchange(open_, nullptr);
  const bool is_over = std::exchange(ride_is_over_, false);
  if (riding_ && (is_over || std::chrono::steady_clock::now() >= ride_.expiry() - longest_ride + shortest_ride)) {
    ride_.cancel();
    std::shared_ptr<Turn> rode = std::exchange(riding_, nullptr);
    if (turn) append(*rode, *turn);
    turn = std::move(rode);
  }
  if (!turn) return;
  submit(turn);
}

// One value that the store refuses must not undo what its neighbours did: then each step is written by itself. A single
// step is tried once more, too, since nobody would ever do it else.
void Journal::submit(const std::shared_ptr<Turn>& turn) {
  const std::int64_t now = stamp(base::to_milliseconds(std::chrono::system_clock::now()));
  const auto part = [this, turn, transport = transport_, now](Mark from, Mark to) {
    return db::Database::Part{
        [turn, from, to, transport, now](db::Transaction& t) { write(t, turn->batch, from, to, transport, now); },
        [this, turn, from, to](const std::exception_ptr& error) { tell(*turn, from, to, error); }};
  };
  auto whole = part({}, turn->steps.back());
  auto steps = [turn, part] {
    std::vector<db::Database::Part> parts;
    Mark from;
    for (const Mark& to : turn->steps) parts.push_back(part(std::exchange(from, to), to));
    return parts;
  };
  database_.submit(std::move(whole.closure), std::move(steps), std::move(whole.done));
}

void Journal::tell(Turn& turn, Mark from, Mark to, const std::exception_ptr& error) {
  if (error) log_failure(transport_, error);
  Batch& batch = turn.batch;
  {
    const log::Hold lines;  // each may write one
    for (std::size_t i = from.done; i < to.done; ++i) batch.done[i](error);
  }
  const auto begin = std::make_move_iterator(batch.waiting.begin());
  std::vector<base::Resume> waiting(begin + static_cast<std::ptrdiff_t>(from.waiting),
                                    begin + static_cast<std::ptrdiff_t>(to.waiting));
  base::Resume::all(std::move(waiting), error);
}

boost::asio::awaitable<void> Journal::commit_all() {
  ride_is_over_ = true;
  return commit();
}

boost::asio::awaitable<void> Journal::commit() {
  auto start = [this](base::Resume resume) {
    soon().waiting.push_back(std::move(resume));
    close_step();
  };
  co_await base::suspend(std::move(start));
}

boost::asio::awaitable<void> Journal::start() {
  auto read = [now = began_](db::Transaction& t) { return store::read_age_time(t, now); };
  age_time_ = co_await database_.fetch(std::move(read));
  began_behind_ = began_ < age_time_;
  began_ = std::max(began_, age_time_);
  for (Ids* ids : {&outbox_ids_, &inbox_ids_}) {
    auto reserve = [](db::Transaction& t) { return store::reserve_ids(t, ids_reserved_at_once); };
    ids->ranges.push_back(co_await database_.fetch(std::move(reserve)));
  }
}

std::int64_t Journal::next(Ids& ids) {
  if (ids.ranges.empty()) throw std::runtime_error("the store gives out no ids");
  store::IdRange& range = ids.ranges.front();
  const std::int64_t id = range.first++;
  if (ids.ranges.size() == 1 && range.last - range.first < ids_reserved_at_once / 2 && !ids.reserving) reserve(ids);
  if (range.first > range.last) ids.ranges.erase(ids.ranges.begin());
  return id;
}

void Journal::reserve(Ids& ids) {
  ids.reserving = true;
  auto reserved = std::make_shared<store::IdRange>();
  database_.submit([reserved](db::Transaction& t) { *reserved = store::reserve_ids(t, ids_reserved_at_once); },
                   [&ids, reserved](std::exception_ptr error) {
                     ids.reserving = false;
                     if (!error) ids.ranges.push_back(*reserved);
                   });
}

}  // namespace wherry::queues

#include "gateway/queues/journal.hpp"

#include "gateway/base/clock.hpp"
#include "gateway/base/log.hpp"

#include <boost/asio/post.hpp>

#include <stdexcept>

namespace wherry::queues {

namespace {
constexpr std::int64_t ids_reserved_at_once = 100000;
}

Journal::Journal(boost::asio::any_io_executor executor, db::Database& database, std::string transport)
    : executor_(std::move(executor)), database_(database), transport_(std::move(transport)) {}

Journal::Batch& Journal::batch() {
  if (!open_) {
    open_ = std::make_shared<Batch>();
    boost::asio::post(executor_, [this] { flush(); });
  }
  return *open_;
}

// Rows mostly leave in the order they came, so that neighbours make one range.
void Journal::add(std::vector<store::IdRange>& ranges, std::int64_t id) {
  if (!ranges.empty() && ranges.back().last + 1 == id) ranges.back().last = id;
  else if (!ranges.empty() && ranges.back().first - 1 == id) ranges.back().first = id;
  else ranges.push_back({id, id});
}

void Journal::write(db::Transaction& transaction, const Batch& batch, const std::string& transport, std::int64_t now) {
  if (!batch.new_outbox.empty()) store::insert_outbox(transaction, batch.new_outbox);
  if (!batch.changed_outbox.empty()) store::update_outbox(transaction, batch.changed_outbox);
  if (!batch.gone_outbox.empty()) store::remove_outbox(transaction, batch.gone_outbox);
  if (!batch.new_inbox.empty()) store::insert_inbox(transaction, batch.new_inbox);
  if (!batch.gone_inbox.empty()) store::remove_inbox(transaction, batch.gone_inbox);
  if (!batch.sent.empty()) store::insert_sent(transaction, batch.sent);
  for (const auto& [id, stage] : batch.stages) store::set_stage(transaction, id, stage);
  if (!batch.seen.empty()) store::insert_seen(transaction, transport, batch.new_inbox.front().id, now, batch.seen);
}

void Journal::flush() {
  auto batch = std::move(open_);
  open_ = nullptr;
  const std::int64_t now = base::to_milliseconds(std::chrono::system_clock::now());
  database_.submit([batch, transport = transport_, now](db::Transaction& t) { write(t, *batch, transport, now); },
                   [batch](std::exception_ptr error) {
                     for (const Done& done : batch->done) done(error);
                   });
}

boost::asio::awaitable<void> Journal::start() {
  for (Ids* ids : {&outbox_ids_, &inbox_ids_}) {
    std::function<store::IdRange(db::Transaction&)> reserve = [](db::Transaction& t) {
      return store::reserve_ids(t, ids_reserved_at_once);
    };
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

#include "gateway/db/worker.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"

#include <boost/asio/post.hpp>

namespace wherry::db {

namespace {

constexpr base::BackoffPolicy reconnecting{std::chrono::milliseconds(200), std::chrono::milliseconds(5000), 0.2};

std::string what(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown";
  }
}

}  // namespace

Worker::Worker(std::unique_ptr<Driver> driver, DatabasePolicy policy)
    : context_(std::make_unique<asio::io_context>(1)),
      executor_(context_->get_executor()),
      driver_(std::move(driver)),
      policy_(policy),
      backoff_(reconnecting, base::random_number()),
      work_(executor_),
      thread_([this] { context_->run(); }) {}

Worker::Worker(std::unique_ptr<Driver> driver, DatabasePolicy policy, asio::any_io_executor executor)
    : executor_(std::move(executor)),
      driver_(std::move(driver)),
      policy_(policy),
      backoff_(reconnecting, base::random_number()),
      work_(executor_) {}

Worker::~Worker() { stop(); }

void Worker::drop() {
  todo_.clear();
  finished_ = nullptr;
  retry_.reset();
  work_.reset();
}

void Worker::stop() {
  if (!context_) {
    drop();
  } else if (thread_.joinable()) {
    asio::post(executor_, [this] { drop(); });
    thread_.join();
  }
  alive_.reset();
  driver_.reset();
}

// A retry that is waited for comes at once, and is the last.
void Worker::abandon() {
  abandoned_ = true;
  if (driver_) driver_->abandon();
  asio::post(executor_, [this, alive = std::weak_ptr<const bool>(alive_)] {
    if (!alive.expired() && retry_) retry_->cancel();
  });
}

void Worker::run(Group group, std::function<void(Group)> finished) {
  // Where the loop is the caller's, this worker may be gone when the group's turn comes.
  asio::post(executor_, [this, alive = std::weak_ptr<const bool>(alive_), group = std::move(group),
                         finished = std::move(finished)]() mutable {
    if (alive.expired()) return;
    group_ = std::move(group);
    finished_ = std::move(finished);
    todo_.assign(1, Range{&group_, 0, group_.size()});
    advance();
  });
}

void Worker::advance() {
  while (!todo_.empty()) {
    const Range range = todo_.back();
    try {
      attempt(range);
      todo_.pop_back();
    } catch (const DatabaseLost& lost) {
      driver_->rollback();
      if (may_retry(lost)) return;
      const auto error = std::current_exception();
      for (const Range& left : todo_) {
        for (std::size_t i = left.first; i < left.last; ++i) (*left.items)[i].error = error;
      }
      todo_.clear();
    } catch (...) {
      driver_->rollback();
      todo_.pop_back();
      split(range, std::current_exception());
    }
  }
  deliver();
}

void Worker::attempt(Range range) {
  attempt_began_ = std::chrono::steady_clock::now();
  driver_->begin();
  for (std::size_t i = range.first; i < range.last; ++i) (*range.items)[i].closure(driver_->transaction());
  driver_->commit();
  if (!lost_since_) return;
  lost_since_.reset();
  backoff_.reset();
  log::info("database.regained");
}

// One closure must not fail its neighbours, and PostgreSQL's pipeline does not always tell whose fault it was. Halving
// finds the guilty in about 2·log2(n) commits, where a transaction for each would be n. The order stays: what comes
// later may build upon what comes before.
void Worker::split(Range range, const std::exception_ptr& error) {
  if (range.last - range.first == 1) return refuse((*range.items)[range.first], error);
  const std::size_t middle = range.first + (range.last - range.first) / 2;
  todo_.push_back({range.items, middle, range.last});
  todo_.push_back({range.items, range.first, middle});
}

void Worker::refuse(GroupItem& item, const std::exception_ptr& error) {
  item.error = error;
  if (!item.make_parts) return;
  log::warn("database.refused", {{"error", what(error)}, {"done", "its parts, each for itself"}});
  for (Database::Part& part : item.make_parts())
    item.parts.push_back({std::move(part.closure), std::move(part.done), nullptr, nullptr, {}});
  todo_.push_back({&item.parts, 0, item.parts.size()});
}

// Counted from the loss, not from the group: once the time is over, every further group fails at its first attempt.
bool Worker::may_retry(const DatabaseLost& error) {
  const auto now = std::chrono::steady_clock::now();
  if (!lost_since_) {
    lost_since_ = attempt_began_;  // a server that hangs is lost since it was asked
    log::warn("database.lost", {{"error", error.what()}});
  }
  if (abandoned_ || now - *lost_since_ >= policy_.give_up_after) {
    log::error("database.given_up", {{"error", error.what()}});
    return false;
  }
  if (!retry_) retry_.emplace(executor_);
  retry_->expires_after(
      std::min<std::chrono::steady_clock::duration>(backoff_.next(), *lost_since_ + policy_.give_up_after - now));
  // A wait rather than a sleep, so that stop() can come between.
  retry_->async_wait([this, alive = std::weak_ptr<const bool>(alive_)](boost::system::error_code) {
    if (!alive.expired() && finished_) advance();
  });
  return true;
}

// The closures go back with the group: what they captured came from the loop and ends there.
void Worker::deliver() {
  auto finished = std::move(finished_);
  finished_ = nullptr;
  finished(std::exchange(group_, {}));
}

}  // namespace wherry::db

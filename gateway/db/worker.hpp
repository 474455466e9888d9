// The database's side: runs groups of closures, each group in one transaction if it can be. Database's other half.
#pragma once

#include "gateway/base/backoff.hpp"
#include "gateway/db/database.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace wherry::db {

struct GroupItem {
  Database::Closure closure;
  Database::Done done;
  std::exception_ptr error;  // what it came to, once the group is finished; null: durable
  std::function<std::vector<Database::Part>()> make_parts;  // none: it is one
  std::vector<GroupItem> parts;                             // what was done instead of it
};
using Group = std::vector<GroupItem>;

// What a Database gives its groups to; whoever tests with a slow or a failing store is another one.
class GroupRunner {
 public:
  virtual ~GroupRunner() = default;

  // One group at a time. `finished` is called, on any thread, with the group and its errors, unless stop() comes first.
  virtual void run(Group group, std::function<void(Group)> finished) = 0;

  // Waits for the end of what runs at this moment. A group that waits for a lost database is dropped.
  virtual void stop() = 0;

  // From any thread: the group that runs, and each later one, fails with DatabaseLost as soon as that can be.
  virtual void abandon() {}
};

class Worker final : public GroupRunner {
 public:
  // On a thread of its own: the database thread.
  Worker(std::unique_ptr<Driver> driver, DatabasePolicy policy);
  // On a loop of the caller's, which the driver then blocks: for programs that do nothing else meanwhile.
  Worker(std::unique_ptr<Driver> driver, DatabasePolicy policy, asio::any_io_executor executor);
  ~Worker() override;

  void run(Group group, std::function<void(Group)> finished) override;
  void stop() override;
  void abandon() override;

 private:
  // Items [first, last) of the group, or of the parts of one: what one transaction tries.
  struct Range {
    Group* items = nullptr;
    std::size_t first = 0, last = 0;
  };
  void advance();
  void attempt(Range range);
  void split(Range range, const std::exception_ptr& error);
  void refuse(GroupItem& item, const std::exception_ptr& error);
  bool may_retry(const DatabaseLost& error);
  void deliver();
  void drop();

  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // until stop()
  // Null where the executor is the caller's.
  std::unique_ptr<asio::io_context> context_;
  asio::any_io_executor executor_;

  // Of the executor's thread.
  std::unique_ptr<Driver> driver_;
  DatabasePolicy policy_;
  Group group_;
  std::function<void(Group)> finished_;
  std::vector<Range> todo_;  // the next one last
  base::Backoff backoff_;
  std::chrono::steady_clock::time_point attempt_began_;
  std::optional<std::chrono::steady_clock::time_point> lost_since_;  // the beginning of the first attempt that failed
  std::atomic<bool> abandoned_ = false;

  // Made when it is needed first: a loop without timers sleeps on a condition variable, and is woken at half the cost.
  std::optional<asio::steady_timer> retry_;
  asio::executor_work_guard<asio::any_io_executor> work_;
  std::thread thread_;  // last: it starts when all the rest is there
};

}  // namespace wherry::db

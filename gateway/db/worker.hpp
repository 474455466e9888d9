// The database thread: runs groups of closures, each group in one transaction if it can be. Database's other half.
#pragma once

#include "gateway/base/backoff.hpp"
#include "gateway/db/database.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

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
  std::function<void(std::exception_ptr)> done;
  std::exception_ptr error;  // what it came to, once the group is finished; null: durable
};
using Group = std::vector<GroupItem>;

class Worker {
 public:
  Worker(std::unique_ptr<Driver> driver, DatabasePolicy policy);
  ~Worker();

  // From any thread; one group at a time. `finished` is called on the database thread with the group and its errors,
  // unless stop() comes first.
  void run(Group group, std::function<void(Group)> finished);

  // Waits for the end of what runs at this moment. A group that waits for a lost database is dropped.
  void stop();

 private:
  // Items [first, last) of the group: what one transaction tries.
  struct Range {
    std::size_t first = 0, last = 0;
  };
  void advance();
  void attempt(Range range);
  void split(Range range, const std::exception_ptr& error);
  bool may_retry(const DatabaseLost& error);
  void deliver();

  // Of the database thread.
  std::unique_ptr<Driver> driver_;
  DatabasePolicy policy_;
  Group group_;
  std::function<void(Group)> finished_;
  std::vector<Range> todo_;  // the next one last
  base::Backoff backoff_;
  std::optional<std::chrono::steady_clock::time_point> lost_since_;

  asio::io_context context_{1};
  asio::steady_timer retry_{context_};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::thread thread_;  // last: it starts when all the rest is there
};

}  // namespace wherry::db

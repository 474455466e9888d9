// Owns coroutines: the only co_spawn of the project. Whoever starts work can cancel it and wait for its end.
#pragma once

#include "gateway/base/suspend.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace wherry::base {

class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  ~TaskGroup();  // the group must be empty: join() first, unless the loop itself has ended
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Runs `task` on the loop, from its next turn on: nothing of it runs inside this call. An exception that leaves it
  // ends this task only: it is logged as task.failed with `name`. Cancellation is not a failure. The signal cancels
  // this task alone, is emitted on the loop only, and lives until the task has ended. A task that is cancelled before
  // it begins still begins, and ends at its first cancellable wait.
  asio::cancellation_signal& spawn(std::string name, asio::awaitable<void> task);

  // Cancels every task; each ends at its next (or present) cancellable wait. Off the loop it is done in the loop's next
  // turn.
  void cancel();

  // Waits until no task is left. Tasks spawned meanwhile are waited for too.
  asio::awaitable<void> join();

  // Cancels every task, also those that are spawned meanwhile, and waits until none is left. Then it may be used anew.
  asio::awaitable<void> end();

  bool empty() const { return tasks_.empty(); }
  asio::any_io_executor executor() const { return executor_; }

 private:
  enum class State {
    waiting,    // for the loop's next turn
    beginning,  // runs up to its first wait
    running,
    over,  // ended without a wait
  };
  struct Task {
    std::string name;
    asio::cancellation_signal cancel;
    State state = State::waiting;
    bool cancelled = false;  // before it began
  };
  using Entry = std::list<Task>::iterator;
  void begin(Entry task, asio::awaitable<void> work);
  void cancel_all();
  void ended(Entry task, const std::exception_ptr& error);
  void remove(Entry task);

  asio::any_io_executor executor_;
  std::list<Task> tasks_;
  int ending_ = 0;  // calls of end()
  std::vector<Resume> joining_;
  std::shared_ptr<TaskGroup*> self_;  // goes with the group
};

}  // namespace wherry::base

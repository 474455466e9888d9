#include "gateway/base/task_group.hpp"

#include "gateway/base/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

namespace wherry::base {

namespace {

bool is_cancellation(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : executor_(std::move(executor)), self_(std::make_shared<TaskGroup*>(this)) {}
TaskGroup::~TaskGroup() = default;

asio::cancellation_signal& TaskGroup::spawn(std::string name, asio::awaitable<void> task) {
  tasks_.emplace_back();
  const auto entry = std::prev(tasks_.end());
  entry->name = std::move(name);
  entry->cancelled = ending_ > 0;
  entry->cancel.slot().assign([entry](asio::cancellation_type) { entry->cancelled = true; });
  // co_spawn alone would run the task inside this call, up to its first wait: callers would find what they hold
  // changed.
  asio::post(executor_, [this, entry, task = std::move(task)]() mutable { begin(entry, std::move(task)); });
  return entry->cancel;
}

void TaskGroup::begin(Entry task, asio::awaitable<void> work) {
  task->state = State::beginning;
  asio::co_spawn(executor_, std::move(work),
                 asio::bind_cancellation_slot(task->cancel.slot(),
                                              [this, task](const std::exception_ptr& error) { ended(task, error); }));
  if (task->state == State::over) return remove(task);
  task->state = State::running;
  if (task->cancelled) task->cancel.emit(asio::cancellation_type::terminal);
}

void TaskGroup::ended(Entry task, const std::exception_ptr& error) {
  if (error && !is_cancellation(error)) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      log::error("task.failed", {{"task", task->name}, {"error", e.what()}});
    } catch (...) {
      log::error("task.failed", {{"task", task->name}, {"error", "unknown"}});
    }
  }
  if (task->state == State::beginning) task->state = State::over;  // begin() still holds it
  else remove(task);
}

void TaskGroup::remove(Entry task) {
  tasks_.erase(task);
  if (!tasks_.empty()) return;
  auto joining = std::move(joining_);
  joining_.clear();
  for (auto& resume : joining) resume();
}

// Off the loop the signal's handler would only be posted (Boost 1.81, co_spawn_cancellation_handler), with a pointer
// into a task that may have ended by then. So the whole of it is.
void TaskGroup::cancel() {
  asio::dispatch(executor_, [weak = std::weak_ptr(self_)] {
    if (const auto self = weak.lock()) (*self)->cancel_all();
  });
}

void TaskGroup::cancel_all() {
  // A cancelled task may end at once and remove itself, so the next one is looked up first.
  for (auto task = tasks_.begin(); task != tasks_.end();) (task++)->cancel.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> TaskGroup::end() {
  ++ending_;
  cancel();
  co_await join();
  --ending_;
}

asio::awaitable<void> TaskGroup::join() {
  while (!tasks_.empty()) {
    auto start = [this](Resume resume) { joining_.push_back(std::move(resume)); };
    co_await suspend(std::move(start));
  }
}

}  // namespace wherry::base

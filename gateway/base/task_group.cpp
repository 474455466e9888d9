#include "gateway/base/task_group.hpp"

#include "gateway/base/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
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

TaskGroup::TaskGroup(asio::any_io_executor executor) : executor_(std::move(executor)) {}
TaskGroup::~TaskGroup() = default;

asio::cancellation_signal& TaskGroup::spawn(std::string name, asio::awaitable<void> task) {
  tasks_.emplace_back();
  const auto entry = std::prev(tasks_.end());
  entry->name = std::move(name);
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(entry->cancel.slot(),
                                              [this, entry](std::exception_ptr error) { ended(entry, std::move(error)); }));
  return entry->cancel;
}

void TaskGroup::ended(std::list<Task>::iterator task, std::exception_ptr error) {
  if (error && !is_cancellation(error)) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      log::error("task.failed", {{"task", task->name}, {"error", e.what()}});
    } catch (...) {
      log::error("task.failed", {{"task", task->name}, {"error", "unknown"}});
    }
  }
  tasks_.erase(task);
  if (!tasks_.empty()) return;
  auto joining = std::move(joining_);
  joining_.clear();
  for (auto& resume : joining) resume();
}

void TaskGroup::cancel() {
  // A cancelled task may end at once and remove itself, so the next one is looked up first.
  for (auto task = tasks_.begin(); task != tasks_.end();) (task++)->cancel.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> TaskGroup::join() {
  while (!tasks_.empty()) {
    auto start = [this](Resume resume) { joining_.push_back(std::move(resume)); };
    co_await suspend(std::move(start));
  }
}

}  // namespace wherry::base

#include "connectors/msn/link/notification_link.hpp"

#include <boost/system/system_error.hpp>

#include <utility>

namespace wherry::msn {

using std::chrono::steady_clock;

namespace {

constexpr std::size_t most_said = 1000;

}  // namespace

NotificationLink::NotificationLink(const asio::any_io_executor& executor, const std::string& email)
    : Connection(executor, Notification(email, steady_clock::now()), most_said), executor_(executor) {}

void NotificationLink::settle(std::uint32_t transaction, Reply reply) {
  const auto found = waiters_.find(transaction);
  if (found == waiters_.end()) return;
  found->second->reply = std::move(reply);
  found->second->changed.notify();
  waiters_.erase(found);
}

void NotificationLink::take(NotificationEvent event) {
  if (auto* answered = std::get_if<Answered>(&event)) {
    const auto error = answered->command.error();
    Reply reply{error ? Reply::Kind::refused : Reply::Kind::done, error.value_or(0), std::move(answered->command)};
    settle(answered->transaction, std::move(reply));
  } else if (const auto* unanswered = std::get_if<Unanswered>(&event)) {
    Reply reply;
    if (!machine_.protocol().ended()) reply.kind = Reply::Kind::silence;
    settle(unanswered->transaction, std::move(reply));
  } else {
    queue_.push_back(std::move(event));
  }
}

asio::awaitable<Reply> NotificationLink::ask(std::string name, std::vector<std::string> args) {
  return ask(std::move(name), std::move(args), std::nullopt);
}

asio::awaitable<Reply> NotificationLink::ask(std::string name, std::vector<std::string> args,
                                             std::optional<std::string> payload) {
  if (!machine_.is_ready()) co_return Reply();
  const std::uint32_t transaction = machine_.request(name, std::move(args), steady_clock::now(), payload);
  const auto waiter = std::make_shared<Waiter>(executor_);
  waiters_[transaction] = waiter;
  wake();
  try {
    while (!waiter->reply) co_await waiter->changed.wait();
  } catch (const boost::system::system_error&) {
    waiters_.erase(transaction);
    throw;
  }
  co_return std::move(*waiter->reply);
}

void NotificationLink::give_ticket(const std::string& ticket) {
  machine_.give_ticket(ticket, steady_clock::now());
  wake();
}

void NotificationLink::log_out() {
  machine_.log_out();
  collect();
  wake();
}

}  // namespace wherry::msn

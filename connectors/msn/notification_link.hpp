// A connected notification session: what is asked is answered, what is said stands in a queue.
#pragma once

#include "connectors/msn/client/notification.hpp"
#include "connectors/msn/speaker.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wherry::msn {

// What came of a request.
struct Reply {
  enum class Kind {
    done,
    refused,  // with `error`
    silence,  // within the limit
    over,     // the connection has ended; the server may have done it
  };
  Kind kind = Kind::over;
  int error = 0;
  Command command = {};
  bool is_done() const { return kind == Kind::done; }
};

class NotificationLink final : public Speaker {
 public:
  NotificationLink(const asio::any_io_executor& executor, const std::string& email);

  // Hold the link while it runs, as everywhere below.
  asio::awaitable<Reply> ask(std::string name, std::vector<std::string> args, std::optional<std::string> payload);
  asio::awaitable<Reply> ask(std::string name, std::vector<std::string> args);
  // What is said, in order; nothing: the connection has ended, and there is no more.
  asio::awaitable<std::optional<NotificationEvent>> next();

  void give_ticket(const std::string& ticket);
  void log_out();
  const Notification& machine() const { return machine_; }

 private:
  struct Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : changed(executor) {}
    std::optional<Reply> reply;
    base::Signal changed;
  };
  void hear(std::string_view bytes, Time now) override;
  void pass_time(Time now) override;
  Time next_time() const override { return machine_.next_tick(); }
  Protocol& protocol() override { return machine_.protocol(); }
  asio::awaitable<void> await_room() override;
  void collect();
  void settle(std::uint32_t transaction, Reply reply);

  asio::any_io_executor executor_;
  Notification machine_;
  std::map<std::uint32_t, std::shared_ptr<Waiter>> waiters_;
  std::deque<NotificationEvent> said_;
  base::Signal changed_;  // something was said or taken, or the end
};

}  // namespace wherry::msn

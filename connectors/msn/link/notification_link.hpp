// A connected notification session: what is asked is answered, what is said stands in a queue.
#pragma once

#include "connectors/msn/client/notification.hpp"
#include "connectors/msn/link/speaker.hpp"

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

class NotificationLink final : public Connection<Notification, NotificationEvent> {
 public:
  NotificationLink(const asio::any_io_executor& executor, const std::string& email);

  // Hold the link while it runs, as everywhere below.
  asio::awaitable<Reply> ask(std::string name, std::vector<std::string> args, std::optional<std::string> payload);
  asio::awaitable<Reply> ask(std::string name, std::vector<std::string> args);

  void give_ticket(const std::string& ticket);
  void log_out();

 private:
  struct Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : changed(executor) {}
    std::optional<Reply> reply;
    base::Signal changed;
  };
  void take(NotificationEvent event) override;
  void settle(std::uint32_t transaction, Reply reply);

  asio::any_io_executor executor_;
  std::map<std::uint32_t, std::shared_ptr<Waiter>> waiters_;
};

}  // namespace wherry::msn

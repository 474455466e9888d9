// The way to one network: its settings, the pace of logins, and a login.
#pragma once

#include "connectors/oscar/client/login.hpp"
#include "connectors/oscar/conversation.hpp"
#include "connectors/oscar/settings.hpp"
#include "gateway/net/login_pace.hpp"

#include <memory>
#include <string>

namespace wherry::oscar {

class Server {
 public:
  Server(Settings settings, const asio::any_io_executor& executor);

  const Settings& settings() const { return settings_; }
  bool is_icq() const { return settings_.kind == Settings::Kind::icq; }

  // Waits for its turn, and tells the password. `first`: somebody sits there and waits. Never throws but when
  // cancelled.
  asio::awaitable<LoginResult> log_in(std::string name, base::Secret password, bool first);
  // Connects to where the ticket is good. Throws std::runtime_error with a sentence.
  asio::awaitable<std::shared_ptr<Conversation>> enter(Ticket ticket, std::uint32_t status);
  // The same for a service beside the session.
  asio::awaitable<std::shared_ptr<Conversation>> enter_service(Ticket ticket, std::uint16_t service);
  // Whether it can be reached.
  asio::awaitable<base::Result<void>> reach();

 private:
  asio::awaitable<LoginResult> attempt(LoginRequest request);
  asio::awaitable<std::unique_ptr<Link>> connect_session(const Ticket& ticket);
  asio::awaitable<std::unique_ptr<Link>> connect(std::string host, std::uint16_t port);

  Settings settings_;
  std::shared_ptr<net::LoginPace> pace_;
};

}  // namespace wherry::oscar

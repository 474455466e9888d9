// Buddy icons: who shows which is told with their presence; the pictures are with a service beside the session, which
// is entered when somebody asks and left when nobody has asked for a while.
#pragma once

#include "connectors/oscar/client/services/icon.hpp"
#include "connectors/oscar/conversation.hpp"
#include "connectors/oscar/server.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/connector/contract.hpp"

#include <memory>
#include <optional>
#include <string>

namespace wherry::oscar {

// The contract's name of a picture, and back.
std::string to_avatar(const std::string& owner, const IconId& icon);
struct Avatar {
  std::string owner;
  IconId icon;
};
std::optional<Avatar> parse_avatar(std::string_view avatar);

// Of one account.
class Icons {
 public:
  Icons(Server& server, const asio::any_io_executor& executor);

  // The session that the service belongs to. end() before the next begin().
  void begin(std::shared_ptr<Conversation> session) { session_ = std::move(session); }
  asio::awaitable<void> end();

  // The picture's octets.
  asio::awaitable<connector::Result<std::string>> fetch(std::string avatar);
  // Gives the service the account's own picture.
  asio::awaitable<connector::Result<void>> give(std::string picture);

 private:
  class Turn;
  asio::awaitable<connector::Result<Reply>> ask(std::uint16_t subtype, std::string body);
  asio::awaitable<connector::Result<void>> enter();
  asio::awaitable<void> keep(std::shared_ptr<Conversation> service);
  asio::awaitable<void> listen(std::shared_ptr<Conversation> service);
  void end_turn();

  Server& server_;
  std::shared_ptr<Conversation> session_, service_;
  bool is_ready_ = false, is_busy_ = false;
  std::size_t asked_ = 0;
  std::string last_avatar_, last_picture_;  // who asks for a picture asks twice: what it is, and for its octets
  base::Signal changed_;
  base::TaskGroup tasks_;
};

}  // namespace wherry::oscar

// What people say to the user in conversations, as events.
#pragma once

#include "connectors/msn/conversations.hpp"
#include "connectors/msn/roster.hpp"
#include "connectors/msn/typing.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/connector/contract.hpp"

#include <memory>
#include <string>
#include <vector>

namespace wherry::msn {

asio::awaitable<void> publish_all(connector::EventSink& events, std::vector<connector::Event> news);
// What the network tells the user.
asio::awaitable<void> notify(connector::EventSink& events, std::string text);

class Hearing final : public Listener {
 public:
  // All outlive this.
  Hearing(const Contacts& contacts, Typing& typing, const base::Clock& clock, connector::EventSink& events)
      : contacts_(contacts), typing_(typing), clock_(clock), events_(events) {}

  asio::awaitable<void> heard(std::shared_ptr<Board> board, Heard message) override;

 private:
  asio::awaitable<void> announce_group(std::shared_ptr<Board> board);

  const Contacts& contacts_;
  Typing& typing_;
  const base::Clock& clock_;
  connector::EventSink& events_;
};

}  // namespace wherry::msn

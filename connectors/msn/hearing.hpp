// What people say to the user in conversations, as events.
#pragma once

#include "connectors/msn/conversations.hpp"
#include "connectors/msn/roster.hpp"
#include "connectors/msn/typing.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/connector/contract.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace wherry::msn {

asio::awaitable<void> publish_all(connector::EventSink& events, std::vector<connector::Event> news);
// What the network tells the user; under the same `id` once only.
asio::awaitable<void> notify(connector::EventSink& events, std::string text, std::string id);
asio::awaitable<void> notify(connector::EventSink& events, std::string text);

class Hearing final : public Listener {
 public:
  // All outlive this.
  Hearing(const Contacts& contacts, Typing& typing, const base::Clock& clock, connector::EventSink& events)
      : contacts_(contacts), typing_(typing), clock_(clock), events_(events) {}

  asio::awaitable<void> heard(std::shared_ptr<Board> board, Heard message) override;
  asio::awaitable<void> ended(std::shared_ptr<Board> board) override;
  asio::awaitable<void> missed(std::string email) override;
  bool wants(const std::string& email) const override { return !contacts_.is_on(email, list::block); }

 private:
  asio::awaitable<void> announce_group(std::shared_ptr<Board> board);
  asio::awaitable<void> tell(std::shared_ptr<Board> board, Heard message);
  asio::awaitable<void> tell_torn(std::shared_ptr<Board> board);

  const Contacts& contacts_;
  Typing& typing_;
  const base::Clock& clock_;
  connector::EventSink& events_;
  std::set<std::string> missed_;  // who called in vain, and that was told
};

}  // namespace wherry::msn

// One account of the connector "msn", live: a notification session and its conversations.
#pragma once

#include "connectors/msn/hearing.hpp"
#include "connectors/msn/list_keeper.hpp"
#include "connectors/msn/list_memory.hpp"
#include "connectors/msn/login/login.hpp"
#include "connectors/msn/roster.hpp"
#include "connectors/msn/sender.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/connector/contract.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wherry::msn {

class MsnSession final : public connector::Session {
 public:
  // `memory_key`: where the connector's storage has what the lists were like.
  MsnSession(Upstream& upstream, connector::Services services, Credentials credentials, std::string memory_key,
             connector::EventSink& events, std::shared_ptr<Persona> persona);

  asio::awaitable<void> run() override;
  asio::awaitable<connector::Result<connector::Receipt>> perform(connector::Action action) override;
  asio::awaitable<connector::Result<connector::Answer>> query(connector::Query query) override;
  connector::Capabilities capabilities(const connector::ChatId& chat) const override;

 private:
  using Done = connector::Result<connector::Receipt>;

  asio::awaitable<void> live();
  asio::awaitable<std::optional<Roster>> sign_in();  // nothing: only a new login helps, and that was told
  asio::awaitable<bool> appear();
  // After the end: throws with `trouble`, unless the account has logged in elsewhere, which is told.
  asio::awaitable<void> give_way(std::string trouble);
  asio::awaitable<void> close();
  asio::awaitable<void> hush();
  asio::awaitable<void> handle(NotificationEvent event);
  asio::awaitable<void> handle_notice(std::string payload);
  asio::awaitable<void> keep_typing();
  asio::awaitable<void> tell_state(bool online, bool needs_login, std::string text);

  asio::awaitable<Done> change_list(connector::Action action);
  asio::awaitable<Done> set_presence(connector::SetPresence presence);
  asio::awaitable<Done> set_profile(connector::SetProfile profile);
  asio::awaitable<Reply> show_name();
  asio::awaitable<Reply> ask(std::string name, std::vector<std::string> args);

  Upstream& upstream_;
  const connector::Services services_;
  const Credentials credentials_;
  connector::EventSink& events_;
  const std::shared_ptr<Persona> persona_;
  ListMemory memory_;
  base::TaskGroup tasks_;                         // cancelled at the end
  base::TaskGroup hearers_;                       // given some time at the end
  base::TaskGroup connections_;                   // end by themselves
  std::shared_ptr<NotificationLink> link_;        // from the login on
  std::shared_ptr<Conversations> conversations_;  // the same
  std::shared_ptr<Mailbox> mailbox_;              // the same
  std::shared_ptr<ListKeeper> lists_;             // the same
  std::shared_ptr<Sender> sender_;                // the same
  std::string ticket_;
  std::vector<NotificationEvent> early_;  // what came before the list was whole
  Contacts contacts_;
  Typing typing_;
  Hearing hearing_;
};

}  // namespace wherry::msn

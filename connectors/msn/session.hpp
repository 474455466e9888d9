// One account of the connector "msn", live: a notification session and its conversations.
#pragma once

#include "connectors/msn/conversations.hpp"
#include "connectors/msn/login.hpp"
#include "connectors/msn/mailbox.hpp"
#include "connectors/msn/roster.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace wherry::msn {

// How the user wants to be seen: outlives the sessions.
struct Persona {
  connector::Availability availability = connector::Availability::online;
  std::string status;
  std::string name;  // empty: as the server has it
};

class MsnSession final : public connector::Session, private Listener {
 public:
  MsnSession(Upstream& upstream, const base::Clock& clock, Credentials credentials, connector::EventSink& events,
             std::shared_ptr<Persona> persona);

  asio::awaitable<void> run() override;
  asio::awaitable<connector::Result<connector::Receipt>> perform(connector::Action action) override;
  connector::Capabilities capabilities(const connector::ChatId& chat) const override;

 private:
  using Done = connector::Result<connector::Receipt>;

  asio::awaitable<void> live();
  asio::awaitable<std::optional<Roster>> sign_in();  // nothing: the password is wrong, and that was told
  asio::awaitable<void> appear();
  asio::awaitable<void> close();
  asio::awaitable<void> handle(NotificationEvent event);
  asio::awaitable<void> handle_notice(std::string payload);
  asio::awaitable<void> keep_typing();
  asio::awaitable<void> heard(std::shared_ptr<Board> board, Heard message) override;
  asio::awaitable<void> announce_group(std::shared_ptr<Board> board);
  asio::awaitable<void> publish_all(std::vector<connector::Event> events);
  asio::awaitable<void> notify(std::string text);
  asio::awaitable<void> tell_state(bool online, bool needs_login, std::string text);
  asio::awaitable<void> show_typing(std::string email, bool typing);

  asio::awaitable<Done> send(connector::SendMessage message);
  asio::awaitable<connector::Result<void>> say(std::string email, std::string part);
  asio::awaitable<Done> set_typing(connector::SetTyping typing);
  asio::awaitable<Done> set_presence(connector::SetPresence presence);
  asio::awaitable<Done> set_profile(connector::SetProfile profile);
  asio::awaitable<Done> add(connector::AddContact action);
  asio::awaitable<Done> answer(connector::AnswerContact action);
  asio::awaitable<Done> remove(connector::RemoveContact action);
  asio::awaitable<Done> rename(connector::RenameContact action);
  asio::awaitable<Done> block(connector::BlockContact action);

  // Both do nothing where it is so already.
  asio::awaitable<connector::Result<void>> put_on(std::string email, list::Bit bit);
  asio::awaitable<connector::Result<void>> take_off(std::string email, list::Bit bit);
  asio::awaitable<connector::Result<void>> let_see(std::string email, bool allowed);
  asio::awaitable<Reply> ask(std::string name, std::vector<std::string> args);

  Upstream& upstream_;
  const base::Clock& clock_;
  const Credentials credentials_;
  connector::EventSink& events_;
  const std::shared_ptr<Persona> persona_;
  base::TaskGroup tasks_;                         // cancelled at the end
  base::TaskGroup connections_;                   // end by themselves
  std::shared_ptr<NotificationLink> link_;        // from the login on
  std::shared_ptr<Conversations> conversations_;  // the same
  std::shared_ptr<Mailbox> mailbox_;              // the same
  std::string ticket_;
  Contacts contacts_;
  struct Typing {
    Time again_at, until;
  };
  std::map<std::string, Typing> typing_;      // whom the user writes to
  std::map<std::string, Time> shown_typing_;  // who is shown to write, until then
};

}  // namespace wherry::msn

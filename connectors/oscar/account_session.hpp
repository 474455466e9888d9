// One account of an ICQ or AIM network, live.
#pragma once

#include "connectors/oscar/account/icons.hpp"
#include "connectors/oscar/account/icq_services.hpp"
#include "connectors/oscar/account/own_profile.hpp"
#include "connectors/oscar/account/people.hpp"
#include "connectors/oscar/contact_list.hpp"
#include "connectors/oscar/conversation.hpp"
#include "connectors/oscar/server.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/connector/contract.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>

namespace wherry::oscar {

class AccountSession final : public connector::Session {
 public:
  AccountSession(Server& server, const connector::Account& account, connector::EventSink& events,
                 const connector::Services& services);

  asio::awaitable<void> run() override;
  asio::awaitable<connector::Result<connector::Receipt>> perform(connector::Action action) override;
  connector::Capabilities capabilities(const connector::ChatId& chat) const override;
  asio::awaitable<connector::Result<connector::Answer>> query(connector::Query query) override;
  asio::awaitable<connector::Result<void>> fetch(std::string handle, connector::FileSink& sink) override;
  asio::awaitable<connector::Result<void>> probe() override;

 private:
  using Time = std::chrono::steady_clock::time_point;

  // ---- The session ----
  asio::awaitable<bool> converse(std::shared_ptr<Conversation> conversation);
  asio::awaitable<void> take_news(std::shared_ptr<Conversation> conversation, base::TaskGroup& errands,
                                  std::shared_ptr<Ended> ended);
  asio::awaitable<void> wait_before_the_next(bool was_sent_away);
  asio::awaitable<void> needs_login(std::string text);
  asio::awaitable<void> come_up(std::shared_ptr<Conversation> conversation, base::TaskGroup& errands);

  // ---- What comes ----
  asio::awaitable<void> tell(std::shared_ptr<Conversation> conversation, News news);
  asio::awaitable<void> tell_message(std::shared_ptr<Conversation> conversation, IncomingMessage message);
  asio::awaitable<void> tell_presences(std::shared_ptr<Conversation> conversation, std::vector<UserInfo> users);
  std::optional<base::Time> idle_since(const UserInfo& user, std::optional<base::Time> before) const;
  asio::awaitable<void> tell_departed(std::vector<std::string> names);
  asio::awaitable<void> tell_packet(std::shared_ptr<Conversation> conversation, IcqPacket packet);
  asio::awaitable<void> tell_typing(std::string name, bool typing);
  asio::awaitable<void> tell_notice(std::string id, std::string text);
  asio::awaitable<void> publish(connector::Event event);
  asio::awaitable<void> fetch_away_texts(std::shared_ptr<Conversation> conversation);

  // ---- What is asked ----
  asio::awaitable<connector::Result<connector::Receipt>> send(std::shared_ptr<Conversation> with,
                                                              connector::SendMessage message);
  asio::awaitable<connector::Result<connector::Receipt>> show(std::shared_ptr<Conversation> with,
                                                              connector::SetPresence presence);
  std::string cookie_of(const std::string& key, std::size_t piece) const;
  bool is_there(const std::string& name) const;

  Server& server_;
  connector::AccountId account_;
  std::string name_;
  base::Secret password_;
  connector::EventSink& events_;
  const connector::Services& services_;
  ContactList list_;
  IcqServices icq_;
  Icons icons_;
  People people_;
  OwnProfile own_profile_;
  std::shared_ptr<Conversation> conversation_;  // while it is up
  struct Contact {
    connector::Availability availability = connector::Availability::offline;
    std::string text;
    std::optional<base::Time> idle_since;
  };
  std::map<std::string, Contact> present_;
  std::deque<std::string> away_;  // whose text is not known yet
  base::Signal away_changed_;
  std::deque<Time> sent_away_;         // when the server ended the session
  std::map<std::string, int> stored_;  // how often each id has come among what the server kept
};

}  // namespace wherry::oscar

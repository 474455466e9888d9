// One account of an ICQ or AIM network, live: it logs in, and gives what comes and what is asked to its parts.
#pragma once

#include "connectors/oscar/account/contact_list.hpp"
#include "connectors/oscar/account/icons.hpp"
#include "connectors/oscar/account/icq_services.hpp"
#include "connectors/oscar/account/messages.hpp"
#include "connectors/oscar/account/own_profile.hpp"
#include "connectors/oscar/account/people.hpp"
#include "connectors/oscar/account/presences.hpp"
#include "connectors/oscar/conversation.hpp"
#include "connectors/oscar/server.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/connector/contract.hpp"

#include <chrono>
#include <deque>
#include <exception>
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

  asio::awaitable<bool> converse(std::shared_ptr<Conversation> conversation);
  // What `converse` knows of a conversation beside its task that tells the news.
  struct Course {
    explicit Course(const asio::any_io_executor& executor) : errands(executor) {}
    base::TaskGroup errands;
    Ended ended;
    bool is_cancelled = false;
    std::exception_ptr failure;  // of telling
  };
  asio::awaitable<void> take_news(std::shared_ptr<Conversation> conversation, Course& course);
  asio::awaitable<void> tell_until_the_end(std::shared_ptr<Conversation> conversation, Course& course);
  asio::awaitable<void> wait_before_the_next(bool was_sent_away);
  asio::awaitable<void> needs_login(std::string text);
  asio::awaitable<void> come_up(std::shared_ptr<Conversation> conversation, base::TaskGroup& errands);
  asio::awaitable<void> tell(std::shared_ptr<Conversation> conversation, News news);
  asio::awaitable<void> tell_packet(std::shared_ptr<Conversation> conversation, IcqPacket packet);
  asio::awaitable<void> publish(connector::Event event);
  void fetch_stored(Conversation& from);

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
  Presences presences_;
  Messages messages_;
  std::shared_ptr<Conversation> conversation_;  // while it is up
  std::deque<Time> sent_away_;                  // when the server ended the session
  int unfinished_fetches_ = 0;                  // in a row, of what the server kept
};

}  // namespace wherry::oscar

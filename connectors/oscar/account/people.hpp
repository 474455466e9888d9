// What is known of people: their profiles, who fits a search, what they call themselves and which picture they show.
#pragma once

#include "connectors/oscar/account/icons.hpp"
#include "connectors/oscar/account/icq_services.hpp"
#include "connectors/oscar/conversation.hpp"
#include "connectors/oscar/server.hpp"
#include "gateway/connector/contract.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>

namespace wherry::oscar {

// Of one account.
class People {
 public:
  using Answered = connector::Result<connector::Answer>;

  People(Server& server, IcqServices& services, Icons& icons, connector::EventSink& events,
         const asio::any_io_executor& executor)
      : server_(server), services_(services), icons_(icons), events_(events), unnamed_changed_(executor) {}

  asio::awaitable<Answered> answer(std::shared_ptr<Conversation> with, connector::Query query);

  // Tells what is new of somebody in a presence.
  asio::awaitable<void> saw(std::shared_ptr<Conversation> at, const UserInfo& user);
  // Asks for the names of those who have none in the list, one by one, for as long as it is not cancelled.
  asio::awaitable<void> ask_names(std::shared_ptr<Conversation> with);
  void forget();

 private:
  struct Known {
    std::string name, avatar;
    bool was_asked = false;
  };
  asio::awaitable<Answered> profile(std::shared_ptr<Conversation> with, std::string of);
  asio::awaitable<connector::Result<connector::Profile>> icq_profile(std::shared_ptr<Conversation> with, std::string of,
                                                                     bool is_whole);
  asio::awaitable<connector::Result<connector::Profile>> aim_profile(std::shared_ptr<Conversation> with,
                                                                     std::string of);
  asio::awaitable<Answered> avatar(std::string avatar);
  asio::awaitable<Answered> search(std::shared_ptr<Conversation> with, std::string words);
  asio::awaitable<Answered> find_address(std::shared_ptr<Conversation> with, std::string address);
  Known known_of(const std::string& name) const;
  asio::awaitable<void> learn(std::string of, Known now);

  Server& server_;
  IcqServices& services_;
  Icons& icons_;
  connector::EventSink& events_;
  std::map<std::string, Known> known_;
  std::deque<std::string> unnamed_;  // whom to ask
  base::Signal unnamed_changed_;
};

}  // namespace wherry::oscar

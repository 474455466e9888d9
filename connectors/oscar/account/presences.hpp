// Who is there, and why not; and what the user shows.
#pragma once

#include "connectors/oscar/account/people.hpp"
#include "connectors/oscar/conversation.hpp"
#include "connectors/oscar/server.hpp"
#include "gateway/connector/contract.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wherry::oscar {

// Of one account.
class Presences {
 public:
  Presences(Server& server, People& people, connector::EventSink& events, const connector::Services& services)
      : server_(server), people_(people), events_(events), clock_(services.clock), away_changed_(services.executor) {}

  asio::awaitable<void> arrived(std::shared_ptr<Conversation> conversation, std::vector<UserInfo> users);
  asio::awaitable<void> departed(std::vector<std::string> names);
  // For as long as it is not cancelled.
  asio::awaitable<void> ask_away_texts(std::shared_ptr<Conversation> conversation);
  bool is_there(const std::string& name) const { return present_.contains(name); }
  void forget();
  // What is shown first, after a login: what the user has shown last.
  std::uint32_t status() const { return status_; }

  asio::awaitable<connector::Result<connector::Receipt>> show(std::shared_ptr<Conversation> with,
                                                              connector::SetPresence presence);

 private:
  struct Contact {
    connector::Availability availability = connector::Availability::offline;
    std::string text;
    std::optional<base::Time> idle_since;
  };
  void want_away_text(const std::string& name);
  bool is_away(const std::string& name) const;
  asio::awaitable<void> tell_away_text(std::string name, std::string text);
  std::optional<base::Time> idle_since(const UserInfo& user, std::optional<base::Time> before) const;
  asio::awaitable<void> publish(connector::PresenceChanged presence);

  Server& server_;
  People& people_;
  connector::EventSink& events_;
  const base::Clock& clock_;
  std::uint32_t status_ = 0;
  std::map<std::string, Contact> present_;
  std::deque<std::string> away_;  // whose text is to be asked for
  base::Signal away_changed_;
};

}  // namespace wherry::oscar

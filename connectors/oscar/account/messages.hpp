// Messages both ways, what becomes of them, and typing.
#pragma once

#include "connectors/oscar/account/contact_list.hpp"
#include "connectors/oscar/account/presences.hpp"
#include "connectors/oscar/conversation.hpp"
#include "connectors/oscar/server.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace wherry::oscar {

// Of one account.
class Messages {
 public:
  Messages(connector::AccountId account, Server& server, ContactList& list, const Presences& presences,
           connector::EventSink& events, const base::Clock& clock)
      : account_(account), server_(server), list_(list), presences_(presences), events_(events), clock_(clock) {}

  // Returns once it is durable, and acknowledges it then where its sender wants that.
  asio::awaitable<void> received(std::shared_ptr<Conversation> conversation, IncomingMessage message);
  // One of those that ICQ's server kept.
  asio::awaitable<void> kept(std::shared_ptr<Conversation> conversation, IcqPacket packet);
  // They are asked for, or all have come.
  void begin_kept();
  asio::awaitable<void> missed(Missed missed);
  asio::awaitable<void> heard(Heard heard);
  asio::awaitable<void> typing(TypingNotice notice);

  asio::awaitable<connector::Result<connector::Receipt>> send(std::shared_ptr<Conversation> with,
                                                              connector::SendMessage message);
  asio::awaitable<connector::Result<connector::Receipt>> show_typing(std::shared_ptr<Conversation> with,
                                                                     connector::SetTyping typing);

 private:
  asio::awaitable<void> tell(std::shared_ptr<Conversation> conversation, IncomingMessage message);
  asio::awaitable<void> decline(std::shared_ptr<Conversation> conversation, IncomingMessage message);
  asio::awaitable<void> publish(connector::Event event);
  asio::awaitable<void> tell_notice(std::string id, std::string text);
  std::string cookie_of(const std::string& key, std::size_t piece) const;

  connector::AccountId account_;
  Server& server_;
  ContactList& list_;
  const Presences& presences_;
  connector::EventSink& events_;
  const base::Clock& clock_;
  bool was_kept(const IncomingMessage& message);
  std::string description_of(const IncomingMessage& message) const;

  std::map<std::string, int> stored_;  // how often each id has come among what the server kept
  std::multiset<std::string> kept_;    // what has come so: the server may have to give it out by its other way again
};

}  // namespace wherry::oscar

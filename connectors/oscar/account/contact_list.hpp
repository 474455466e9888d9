// What a user does to the account's contact list: changes at the server, one after the other, and the questions and
// answers between people that go with them.
#pragma once

#include "connectors/oscar/conversation.hpp"
#include "gateway/connector/contract.hpp"

#include <memory>
#include <string>

namespace wherry::oscar {

// Of one account. Every function may be cancelled.
class ContactList {
 public:
  ContactList(connector::AccountId account, connector::Storage& storage, connector::EventSink& events,
              const asio::any_io_executor& executor)
      : account_(account), storage_(storage), events_(events), free_(executor) {}

  asio::awaitable<connector::Result<connector::Receipt>> add(std::shared_ptr<Conversation> with,
                                                             connector::AddContact action);
  asio::awaitable<connector::Result<connector::Receipt>> answer(std::shared_ptr<Conversation> with,
                                                                connector::AnswerContact action);
  asio::awaitable<connector::Result<connector::Receipt>> remove(std::shared_ptr<Conversation> with,
                                                                connector::ContactId contact);
  asio::awaitable<connector::Result<connector::Receipt>> rename(std::shared_ptr<Conversation> with,
                                                                connector::RenameContact action);
  asio::awaitable<connector::Result<connector::Receipt>> block(std::shared_ptr<Conversation> with,
                                                               connector::BlockContact action);

  // The account's own icon, by its hash.
  asio::awaitable<connector::Result<connector::Receipt>> show_icon(std::shared_ptr<Conversation> with,
                                                                   std::string hash);

  // After a login: tells the whole list, and whose answer came while nobody was there to hear it.
  asio::awaitable<void> tell_all(std::shared_ptr<Conversation> of);
  // The list was changed by another program of the user's.
  asio::awaitable<void> tell_change(std::shared_ptr<Conversation> of, RosterChange change);
  asio::awaitable<void> answered(std::string name, bool accepted);
  asio::awaitable<void> asked(std::string name, std::string why);
  // So that the server tells us when others type.
  asio::awaitable<void> show_typing(std::shared_ptr<Conversation> with);

 private:
  // The server's verdict on the first change that it does not take; 0: it took all.
  struct Verdict {
    std::uint16_t code = 0;
    bool is_broken = false;  // there was no answer
  };
  using Changes = std::vector<RosterChange>;
  asio::awaitable<Verdict> make(std::shared_ptr<Conversation> with, Changes changes);
  asio::awaitable<connector::Result<connector::Receipt>> carry_out(std::shared_ptr<Conversation> with, Changes changes);
  asio::awaitable<connector::Result<connector::Receipt>> add_alone(std::shared_ptr<Conversation> with,
                                                                   connector::AddContact action);
  std::string waiting_key(const std::string& contact) const;

  // One change of the list at a time: each begins with what the one before it has left.
  class Turn;
  asio::awaitable<void> begin();
  void end();

  connector::AccountId account_;
  connector::Storage& storage_;
  connector::EventSink& events_;
  bool is_busy_ = false;
  base::Signal free_;
};

}  // namespace wherry::oscar

// What a user does to the account's contact list: changes at the server, one after the other, and the questions and
// answers between people that go with them.
#pragma once

#include "connectors/oscar/account/list_memory.hpp"
#include "connectors/oscar/conversation.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <memory>
#include <string>

namespace wherry::oscar {

// Of one account. Every function may be cancelled.
class ContactList {
 public:
  // `number`: the account's own number or screen name.
  ContactList(connector::AccountId account, const std::string& number, std::string code_page,
              const connector::Services& services, connector::EventSink& events)
      : account_(account),
        number_(number),
        code_page_(std::move(code_page)),
        storage_(services.storage),
        memory_(account, number, services.storage),
        events_(events),
        free_(services.executor) {}

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

  // After a login: tells the whole list, who is gone from it, and whose answer came while nobody was there to hear it.
  asio::awaitable<void> tell_all(std::shared_ptr<Conversation> of);
  // The list was changed by another program of the user's.
  asio::awaitable<void> tell_change(std::shared_ptr<Conversation> of, RosterChange change);
  // Whom other programs have removed before the call before this one, and not put elsewhere since.
  asio::awaitable<void> tell_losses(std::shared_ptr<Conversation> of);
  // Names and reasons as they come, in octets.
  asio::awaitable<void> answered(std::string name, bool accepted);
  asio::awaitable<void> asked(std::string name, std::string why);
  // So that the server tells us when others type.
  asio::awaitable<void> show_typing(std::shared_ptr<Conversation> with);

 private:
  static constexpr const char* usual_reason = "Please let me see when you are there.";
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
  asio::awaitable<bool> is_asked_by_server(std::shared_ptr<Conversation> with, std::string contact);
  asio::awaitable<void> tell_who_is_gone(std::set<std::string> listed, std::set<std::string> before);
  asio::awaitable<void> tell_loss(std::string name);
  asio::awaitable<void> tell_answers(std::set<std::string> allowed);
  connector::ListedContact to_listed(const RosterContact& contact) const;
  std::string waiting_key(const std::string& contact) const { return waiting_prefix(account_) + contact; }

  // One change of the list at a time: each begins with what the one before it has left.
  class Turn;
  asio::awaitable<void> begin();
  void end();

  connector::AccountId account_;
  std::string number_, code_page_;
  connector::Storage& storage_;
  ListMemory memory_;
  std::map<std::string, int> missing_;  // since how many calls of tell_losses
  connector::EventSink& events_;
  bool is_busy_ = false;
  base::Signal free_;
};

}  // namespace wherry::oscar

// What the user changes in the lists of the account, one command after the other. What is so already is not asked for.
#pragma once

#include "connectors/msn/link/notification_link.hpp"
#include "connectors/msn/roster.hpp"
#include "gateway/connector/contract.hpp"

#include <memory>
#include <string>

namespace wherry::msn {

class ListKeeper {
 public:
  using Done = connector::Result<connector::Receipt>;

  // `contacts` and `events` outlive this.
  ListKeeper(Contacts& contacts, std::shared_ptr<NotificationLink> link, std::string email,
             connector::EventSink& events)
      : contacts_(contacts), link_(std::move(link)), email_(std::move(email)), events_(events) {}

  asio::awaitable<Done> add(connector::AddContact action);
  asio::awaitable<Done> answer(connector::AnswerContact action);
  asio::awaitable<Done> remove(connector::RemoveContact action);
  asio::awaitable<Done> rename(connector::RenameContact action);
  asio::awaitable<Done> block(connector::BlockContact action);

 private:
  asio::awaitable<connector::Result<void>> put_on(std::string email, list::Bit bit);
  asio::awaitable<connector::Result<void>> take_off(std::string email, list::Bit bit);
  asio::awaitable<connector::Result<void>> let_see(std::string email, bool allowed);

  Contacts& contacts_;
  const std::shared_ptr<NotificationLink> link_;
  const std::string email_;
  connector::EventSink& events_;
};

}  // namespace wherry::msn

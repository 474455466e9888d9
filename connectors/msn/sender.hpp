// What the user says to people: in a conversation, or in a letter where somebody is away.
#pragma once

#include "connectors/msn/conversations.hpp"
#include "connectors/msn/mailbox.hpp"
#include "connectors/msn/typing.hpp"
#include "gateway/connector/contract.hpp"

#include <memory>
#include <string>

namespace wherry::msn {

// How the user wants to be seen: outlives the sessions.
struct Persona {
  connector::Availability availability = connector::Availability::online;
  std::string status;
  std::string name;  // empty: as the server has it
};

class Sender {
 public:
  using Done = connector::Result<connector::Receipt>;

  // References outlive this.
  Sender(const Settings& settings, std::string email, std::shared_ptr<const Persona> persona,
         std::shared_ptr<Conversations> conversations, std::shared_ptr<Mailbox> mailbox, Typing& typing,
         connector::EventSink& events)
      : settings_(settings),
        email_(std::move(email)),
        persona_(std::move(persona)),
        conversations_(std::move(conversations)),
        mailbox_(std::move(mailbox)),
        typing_(typing),
        events_(events) {}

  asio::awaitable<Done> send(connector::SendMessage message);
  asio::awaitable<Done> set_typing(connector::SetTyping typing);

 private:
  // Where it went.
  enum class Way { conversation, letter };
  asio::awaitable<connector::Result<Way>> say(std::string email, std::string part);

  const Settings& settings_;
  const std::string email_;
  const std::shared_ptr<const Persona> persona_;
  const std::shared_ptr<Conversations> conversations_;
  const std::shared_ptr<Mailbox> mailbox_;
  Typing& typing_;
  connector::EventSink& events_;
};

}  // namespace wherry::msn

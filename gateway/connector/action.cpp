#include "gateway/connector/action.hpp"

#include <utility>

namespace wherry::connector {

const std::string* key_of(const Action& action) {
  return std::visit(
      [](const auto& it) -> const std::string* {
        if constexpr (requires { it.key; }) return &it.key;
        else return nullptr;
      },
      action);
}

std::string* key_of(Action& action) { return const_cast<std::string*>(key_of(std::as_const(action))); }

const ChatId* chat_of(const Action& action) {
  return std::visit(
      [](const auto& it) -> const ChatId* {
        if constexpr (requires { it.chat; }) return &it.chat;
        else return nullptr;
      },
      action);
}

ChatId* chat_of(Action& action) { return const_cast<ChatId*>(chat_of(std::as_const(action))); }

std::vector<MessageId>* ids_of_target(Action& action) {
  return std::visit(
      [](auto& it) -> std::vector<MessageId>* {
        if constexpr (requires { it.target.ids; }) return &it.target.ids;
        else return nullptr;
      },
      action);
}

std::vector<MessageId>* ids_of_reply(Action& action) {
  return std::visit(
      [](auto& it) -> std::vector<MessageId>* {
        if constexpr (requires { it.content.reply_to; })
          return it.content.reply_to ? &it.content.reply_to->ids : nullptr;
        else return nullptr;
      },
      action);
}

void set_author_of_target(Action& action, bool is_user) {
  std::visit(
      [is_user](auto& it) {
        if constexpr (requires { it.target.from_me; }) it.target.from_me = is_user;
      },
      action);
}

void set_author_of_reply(Action& action, bool is_user) {
  std::visit(
      [is_user](auto& it) {
        if constexpr (requires { it.content.reply_to; }) {
          const auto* contact = std::get_if<ContactId>(&it.chat);
          if (it.content.reply_to && !is_user && contact) it.content.reply_to->author = *contact;
        }
      },
      action);
}

}  // namespace wherry::connector

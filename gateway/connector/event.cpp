#include "gateway/connector/event.hpp"

#include <concepts>

namespace wherry::connector {

namespace {

template <class T, class... Durable>
concept IsOneOf = (std::same_as<T, Durable> || ...);

template <class T>
constexpr bool is_kept = IsOneOf<T, MessageReceived, MessageEdited, MessageRetracted, Reacted, MessageProgressed,
                                 ContactAsked, ContactAnswered, ContactRemoved, AccountNotice, RoomClosed>;

}  // namespace

bool is_durable(const Event& event) {
  return std::visit([]<class T>(const T&) { return is_kept<T>; }, event);
}

const MessageId* id_of(const Event& event) {
  return std::visit(
      []<class T>(const T& it) -> const MessageId* {
        // of a report, `id` names the message that it is about
        if constexpr (requires { it.id; } && !std::same_as<T, MessageProgressed>) return &it.id;
        else return nullptr;
      },
      event);
}

const ChatId* chat_of(const Event& event) {
  return std::visit(
      []<class T>(const T& it) -> const ChatId* {
        if constexpr (std::same_as<T, CapabilitiesChanged>) return it.chat ? &*it.chat : nullptr;
        else if constexpr (requires { it.chat; }) return &it.chat;
        else return nullptr;
      },
      event);
}

Content* content_of(Event& event) {
  return std::visit(
      [](auto& it) -> Content* {
        if constexpr (requires { it.content; }) return &it.content;
        else return nullptr;
      },
      event);
}

Reply* reply_of(Event& event) {
  return std::visit(
      [](auto& it) -> Reply* {
        if constexpr (requires { it.content.reply_to; }) return it.content.reply_to ? &*it.content.reply_to : nullptr;
        else return nullptr;
      },
      event);
}

MessageId* target_of(Event& event) {
  return std::visit(
      [](auto& it) -> MessageId* {
        if constexpr (requires { it.target; }) return &it.target;
        else if constexpr (requires { it.up_to; }) return &it.up_to;
        else return nullptr;
      },
      event);
}

}  // namespace wherry::connector

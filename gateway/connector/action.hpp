// What a user asks of a network. A new capability is a new struct here, never a new virtual function: a connector
// that does not know it answers Errc::unsupported.
#pragma once

#include "gateway/base/ids.hpp"
#include "gateway/connector/entry.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace wherry::connector {

using base::ChatId;
using base::ContactId;
using base::MessageId;
using base::RoomId;

struct File {
  std::string url;          // https, or what the network gave
  std::string media_type;   // RFC 6838, empty when unknown
  std::uint64_t bytes = 0;  // 0 when unknown
  bool operator==(const File&) const = default;
};

struct Content {
  std::string text;  // UTF-8, as the sender wrote it
  std::vector<File> files;
  bool operator==(const Content&) const = default;
};

// RFC 6121 §4.7.2.1; `offline` is unavailable presence.
enum class Availability { offline, online, chat, away, extended_away, do_not_disturb };

struct SendMessage {
  ChatId chat;
  std::string key;  // one per send, for ever: the same key again means the same message again, after an interruption
  Content content;
  bool operator==(const SendMessage&) const = default;
};
struct SetPresence {
  std::optional<ContactId> to;  // one contact, or everybody
  Availability availability = Availability::online;
  std::string status;
  bool operator==(const SetPresence&) const = default;
};
struct AddContact {  // the answer comes as ContactAnswered, at once where the network asks nobody
  ContactId contact;
  bool operator==(const AddContact&) const = default;
};
struct AnswerContact {  // to ContactAsked
  ContactId contact;
  bool accepted = false;
  bool operator==(const AnswerContact&) const = default;
};
struct RemoveContact {
  ContactId contact;
  bool operator==(const RemoveContact&) const = default;
};

using Action = std::variant<SendMessage, SetPresence, AddContact, AnswerContact, RemoveContact>;

// What perform() gives back on success.
struct Receipt {
  std::optional<MessageId> id;  // the network's id of what was sent, where it gives one and may report on it later
  // To the connector's storage, in the commit that says that the message is sent: both are durable, or neither is.
  Changes changes = {};
  bool operator==(const Receipt&) const = default;
};

}  // namespace wherry::connector

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
  std::string url;             // https, or what the network gave; empty: there is a handle
  std::string media_type;      // RFC 6838, empty when unknown
  std::uint64_t bytes = 0;     // this and the numbers below: 0 when unknown
  std::string name = {};       // as its sender calls it, or empty
  std::string sha256 = {};     // 64 lower-case hexadecimal digits, or empty
  std::uint32_t width = 0;     // in pixels
  std::uint32_t height = 0;    // in pixels
  std::uint64_t duration = 0;  // in milliseconds
  std::string handle = {};     // what Session::fetch() takes, where only the connector can fetch it
  bool operator==(const File&) const = default;
};

// What a message answers to.
struct Reply {
  std::vector<MessageId> ids;       // of all its parts; empty: nobody knows them, and `text` is all there is
  std::optional<ContactId> author;  // null: the user
  std::string text;                 // how it begins, or empty
  bool operator==(const Reply&) const = default;
};

struct Location {
  double latitude = 0, longitude = 0;  // WGS 84, degrees
  std::string name = {};
  bool operator==(const Location&) const = default;
};

struct Content {
  std::string text;  // UTF-8, as the sender wrote it
  std::vector<File> files = {};
  std::optional<Reply> reply_to = {};
  std::string thread = {};  // messages of one thread have the same, or empty
  std::optional<Location> location = {};
  bool operator==(const Content&) const = default;
};

// A message that was sent or came before.
struct Target {
  std::vector<MessageId> ids;  // the network's, of all its parts, in order; never empty
  bool from_me = false;        // the user sent it
  bool operator==(const Target&) const = default;
};

// RFC 6121 §4.7.2.1; `offline` is unavailable presence.
enum class Availability { offline, online, chat, away, extended_away, do_not_disturb };

// ---- Messages: durable. `key`: one per action, for ever; the same key again means the same action again, after an
// interruption ----
struct SendMessage {
  ChatId chat;
  std::string key;
  Content content;
  bool operator==(const SendMessage&) const = default;
};
struct EditMessage {  // of the user's own
  ChatId chat;
  std::string key;
  Target target;
  Content content;  // the whole message, as it reads now
  bool operator==(const EditMessage&) const = default;
};
struct RetractMessage {  // of the user's own
  ChatId chat;
  std::string key;
  Target target;
  bool operator==(const RetractMessage&) const = default;
};
struct React {
  ChatId chat;
  std::string key;
  Target target;
  std::vector<std::string> reactions;  // all that the user has there now; empty: none any more
  bool operator==(const React&) const = default;
};

// ---- What may be dropped: the newest of each kind and chat wins ----
struct MarkRead {
  ChatId chat;
  Target target;  // this message, and those before it
  bool operator==(const MarkRead&) const = default;
};
struct SetTyping {
  ChatId chat;
  bool typing = false;
  bool operator==(const SetTyping&) const = default;
};
struct SetPresence {
  std::optional<ContactId> to;  // one contact, or everybody
  Availability availability = Availability::online;
  std::string status;
  bool operator==(const SetPresence&) const = default;
};
struct SetProfile {
  std::string name;
  std::optional<File> avatar = {};
  bool operator==(const SetProfile&) const = default;
};

// ---- Contacts: durable ----
struct AddContact {  // the answer comes as ContactAnswered, at once where the network asks nobody
  ContactId contact;
  std::string text = {};  // why, for the contact, or empty
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
struct RenameContact {
  ContactId contact;
  std::string name;
  bool operator==(const RenameContact&) const = default;
};
struct BlockContact {
  ContactId contact;
  bool blocked = false;
  bool operator==(const BlockContact&) const = default;
};

// ---- Rooms: durable ----
enum class Role { none, member, moderator, owner };

struct CreateRoom {  // the answer comes as RoomListed
  std::string name;
  std::vector<ContactId> members;
  bool operator==(const CreateRoom&) const = default;
};
struct JoinRoom {
  RoomId room;
  std::string nick;
  bool operator==(const JoinRoom&) const = default;
};
struct LeaveRoom {
  RoomId room;
  bool operator==(const LeaveRoom&) const = default;
};
struct SetTopic {
  RoomId room;
  std::string topic;
  bool operator==(const SetTopic&) const = default;
};
struct Invite {
  RoomId room;
  ContactId contact;
  bool operator==(const Invite&) const = default;
};
struct SetRole {
  RoomId room;
  ContactId contact;
  Role role = Role::none;
  bool operator==(const SetRole&) const = default;
};

using Action = std::variant<SendMessage, EditMessage, RetractMessage, React, MarkRead, SetTyping, SetPresence,
                            SetProfile, AddContact, AnswerContact, RemoveContact, RenameContact, BlockContact,
                            CreateRoom, JoinRoom, LeaveRoom, SetTopic, Invite, SetRole>;

// The key of an action that has one; null: it has none.
const std::string* key_of(const Action& action);
std::string* key_of(Action& action);

// The chat of an action that has one; null: it has none.
const ChatId* chat_of(const Action& action);
ChatId* chat_of(Action& action);
// The earlier messages that an action names, each by the ids of its parts; null: it names none.
std::vector<MessageId>* ids_of_target(Action& action);
std::vector<MessageId>* ids_of_reply(Action& action);
// Whether the user has sent the message that it is about, and the one that it replies to.
void set_author_of_target(Action& action, bool is_user);
void set_author_of_reply(Action& action, bool is_user);

// What perform() gives back on success.
struct Receipt {
  // The network's ids of what was sent, one for each part, where it gives some and may name them later.
  std::vector<MessageId> ids = {};
  // To the connector's storage, in the commit that says that the message is sent: both are durable, or neither is.
  Changes changes = {};
  bool operator==(const Receipt&) const = default;
};

}  // namespace wherry::connector

// What happened on a network. Past tense; values only.
#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/connector/action.hpp"

namespace wherry::connector {

// How far a message of ours has come. `accepted` by the network; `delivered` to the other side's device; `read` by its
// person; `failed` for good. Later stages overtake earlier ones: delivered after failed counts, failed after delivered
// does not.
enum class Stage { accepted, delivered, read, failed };

// ---- Durable: publish() returns once it is committed ----
// `id`: the event's own; a second event with the same id, in the same account, is dropped. `sender`: who did it; where
// `from_me`, it was the user, by another program.
struct MessageReceived {
  ChatId chat;
  ContactId sender;
  MessageId id;
  Content content;
  base::Time sent_at;
  bool from_me = false;
  bool operator==(const MessageReceived&) const = default;
};
struct MessageEdited {
  ChatId chat;
  ContactId sender;
  MessageId id;
  MessageId target;
  Content content;  // the whole message, as it reads now
  base::Time sent_at;
  bool from_me = false;
  bool operator==(const MessageEdited&) const = default;
};
struct MessageRetracted {
  ChatId chat;
  ContactId sender;
  MessageId id;
  MessageId target;
  bool from_me = false;
  bool operator==(const MessageRetracted&) const = default;
};
struct Reacted {
  ChatId chat;
  ContactId sender;
  MessageId id;
  MessageId target;
  std::vector<std::string> reactions;  // all that the sender has there now; empty: none any more
  bool from_me = false;
  bool operator==(const Reacted&) const = default;
};
struct MessageProgressed {
  MessageId id;  // as Receipt gave it, or the key of the send
  Stage stage = Stage::accepted;
  std::string text;  // with failed: why, for the sender
  bool operator==(const MessageProgressed&) const = default;
};
struct ContactAsked {  // wants to see the user's presence
  ContactId contact;
  std::string name;       // what it calls itself, or empty
  std::string text = {};  // why it asks, or empty
  bool operator==(const ContactAsked&) const = default;
};
struct ContactAnswered {  // to AddContact
  ContactId contact;
  bool accepted = false;
  bool operator==(const ContactAnswered&) const = default;
};
struct ContactRemoved {  // the contact removed the user
  ContactId contact;
  bool still_seen = false;  // the user goes on seeing the contact's presence
  bool operator==(const ContactRemoved&) const = default;
};
struct AccountNotice {  // what the network tells the user, as from nobody
  MessageId id;
  std::string text;
  bool operator==(const AccountNotice&) const = default;
};
struct RoomClosed {  // the user is in it no longer
  RoomId room;
  MessageId id;
  std::string text;  // why, or empty
  bool operator==(const RoomClosed&) const = default;
};

// ---- Volatile: publish() returns at once; never stored, the newest wins ----
struct ListedContact {
  ContactId contact;
  std::string name;                 // as the list names it, or empty
  std::vector<std::string> groups;  // the list's own, or none
  bool operator==(const ListedContact&) const = default;
};
// What has changed in the list since ContactsListed.
struct ContactListChanged {
  std::vector<ListedContact> changed;  // new, or with another name or other groups
  std::vector<ContactId> removed;
  bool operator==(const ContactListChanged&) const = default;
};
// The account's contact list as the network keeps it, whole: after every login, and when it has changed elsewhere. Who
// is new to the gateway is offered to the user; AddContact and AnswerContact may then name it like any other.
struct ContactsListed {
  std::vector<ListedContact> contacts;
  bool operator==(const ContactsListed&) const = default;
};
struct PresenceChanged {
  ContactId contact;
  Availability availability = Availability::online;
  std::string status;
  std::optional<base::Time> idle_since = {};  // has not touched their program since then; null: has, or nobody knows
  bool operator==(const PresenceChanged&) const = default;
};
// The contact has read the user's messages up to this one.
struct MessageRead {
  ChatId chat;
  ContactId sender;
  MessageId up_to;
  bool operator==(const MessageRead&) const = default;
};
struct TypingChanged {
  ChatId chat;
  ContactId sender;
  bool typing = false;
  bool operator==(const TypingChanged&) const = default;
};
struct ContactChanged {
  ContactId contact;
  std::string name;    // as it calls itself, or empty
  std::string avatar;  // names the picture: another picture has another name; empty: none
  bool operator==(const ContactChanged&) const = default;
};
struct CapabilitiesChanged {  // of one chat, or of all; Session::capabilities() gives the new ones
  std::optional<ChatId> chat;
  bool operator==(const CapabilitiesChanged&) const = default;
};
struct RoomListed {  // the user is in it, or was asked to be
  RoomId room;
  std::string name;
  bool operator==(const RoomListed&) const = default;
};
struct RoomChanged {
  RoomId room;
  std::string name;
  std::string topic;
  std::string avatar;        // as ContactChanged::avatar
  Role role = Role::member;  // the user's own
  bool operator==(const RoomChanged&) const = default;
};
struct Participant {
  ContactId contact;
  std::string nick;
  Role role = Role::member;
  bool operator==(const Participant&) const = default;
};
struct ParticipantsChanged {
  RoomId room;
  std::vector<Participant> changed;  // who joined, or has another nick or role
  std::vector<ContactId> left;
  bool operator==(const ParticipantsChanged&) const = default;
};
struct AccountChanged {  // the session's own state
  bool online = false;
  bool needs_login = false;  // the credentials no longer work: no retry until the user registers again
  std::string text;          // for the user, where something is wrong
  bool operator==(const AccountChanged&) const = default;
};

using Event = std::variant<MessageReceived, MessageEdited, MessageRetracted, Reacted, MessageProgressed, ContactAsked,
                           ContactAnswered, ContactRemoved, AccountNotice, RoomClosed, ContactsListed,
                           ContactListChanged, PresenceChanged, MessageRead, TypingChanged, ContactChanged,
                           CapabilitiesChanged, RoomListed, RoomChanged, ParticipantsChanged, AccountChanged>;

// Whether the event is kept in the store until the XMPP side has it.
bool is_durable(const Event& event);

// The event's own id, in its account; null: it has none.
const MessageId* id_of(const Event& event);
// The chat of an event that has one; null: it has none.
const ChatId* chat_of(const Event& event);
// The earlier message that the event is about; null: it names none.
MessageId* target_of(Event& event);
// What it says; null: nothing.
Content* content_of(Event& event);
// What it replies to; null: nothing.
Reply* reply_of(Event& event);

}  // namespace wherry::connector

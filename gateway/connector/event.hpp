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
struct MessageReceived {
  ChatId chat;
  ContactId sender;
  MessageId id;  // a second one with the same id, in the same account, is dropped
  Content content;
  base::Time sent_at;
  bool operator==(const MessageReceived&) const = default;
};
struct MessageProgressed {
  MessageId id;  // as Receipt gave it, or the key of the send
  Stage stage = Stage::accepted;
  std::string text;  // with failed: why, for the sender
  bool operator==(const MessageProgressed&) const = default;
};
struct ContactAsked {  // wants to see the user's presence
  ContactId contact;
  std::string name;  // what it calls itself, or empty
  bool operator==(const ContactAsked&) const = default;
};
struct ContactAnswered {  // to AddContact
  ContactId contact;
  bool accepted = false;
  bool operator==(const ContactAnswered&) const = default;
};
struct ContactRemoved {  // the contact removed the user
  ContactId contact;
  bool operator==(const ContactRemoved&) const = default;
};

// ---- Volatile: publish() returns at once; never stored, the newest wins ----
struct ListedContact {
  ContactId contact;
  std::string name;                 // as the list names it, or empty
  std::vector<std::string> groups;  // the list's own, or none
  bool operator==(const ListedContact&) const = default;
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
  bool operator==(const PresenceChanged&) const = default;
};
struct AccountChanged {  // the session's own state
  bool online = false;
  bool needs_login = false;  // the credentials no longer work: no retry until the user registers again
  std::string text;          // for the user, where something is wrong
  bool operator==(const AccountChanged&) const = default;
};

using Event = std::variant<MessageReceived, MessageProgressed, ContactAsked, ContactAnswered, ContactRemoved,
                           ContactsListed, PresenceChanged, AccountChanged>;

// Whether the event is kept in the store until the XMPP side has it.
bool is_durable(const Event& event);

}  // namespace wherry::connector

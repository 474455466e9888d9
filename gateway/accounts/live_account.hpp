// One registered account in memory: its row, its session, its user's devices, its contacts. A reference to one is valid
// until the next co_await; across a wait keep the id, and look it up again (Accounts::find).
#pragma once

#include "gateway/accounts/resources.hpp"
#include "gateway/connector/contract.hpp"
#include "gateway/store/accounts.hpp"
#include "gateway/store/contacts.hpp"

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace wherry::accounts {

struct LiveContact {
  store::ContactRow row;
  connector::Availability availability = connector::Availability::offline;  // the newest PresenceChanged
  std::string status;
  std::optional<base::Time> idle_since;
  std::string unusable_avatar = {};  // the name of a picture that is too large, or none that programs show
  bool directed = false;             // the user has sent it presence of its own (RFC 6121 §4.6)

  void take(const connector::PresenceChanged& change) {
    availability = change.availability;
    status = change.status;
    idle_since = change.idle_since;
  }
};

class LiveAccount {
 public:
  enum class State {
    offline,     // no session, or it has failed and is tried again
    connecting,  // its session is being brought up, or has lost its network
    online,
    needs_login,  // until its user registers anew
  };
  enum class Standing {
    registered,
    leaving,  // is being erased in the store, which may fail: durable events wait
    removed,  // is erased, and is here until its session has ended
  };

  explicit LiveAccount(store::AccountRow account_row) : row(std::move(account_row)) {}

  base::AccountId id() const { return row.id; }
  const xmpp::Jid& user() const { return row.user; }
  const std::string& alias() const { return row.alias; }
  bool is_online() const { return state == State::online; }
  bool is_removed() const { return standing == Standing::removed; }
  bool takes_messages() const { return resources.takes_messages(); }
  // Whether presence says that none of the user's devices takes messages.
  bool is_seen_away() const { return presence_seen && !takes_messages(); }
  // Whether the session should be up (AccountPolicy), unless the user has logged out.
  bool is_wanted() const {
    return !is_removed() && !row.logged_out && state != State::needs_login &&
           (row.policy == store::AccountPolicy::always_on || !resources.empty());
  }

  // What can be done in a chat of its network, and what its user would rather have refused than said in words. While
  // there is no session: nothing is known.
  std::optional<connector::Capabilities> capabilities(const base::ChatId& chat) const;

  // What the network's list or the contact itself calls it, else its id.
  std::string name_of(const base::ContactId& contact) const;

  // Who the user is there, by what they registered with; may be empty.
  std::string name_at_network() const;

  store::AccountRow row;
  std::uint64_t registration = 0;  // counts what its user has registered anew in this run
  State state = State::offline;
  Standing standing = Standing::registered;
  std::string trouble;         // the last failure, for the user
  Resources resources;         // the user's devices that are there
  bool presence_seen = false;  // in this run: otherwise `resources` says nothing
  std::map<base::ContactId, LiveContact> contacts;
  // Of who is there and is not among these yet, or not known to be: the network tells of its list before the user has
  // taken it over.
  static constexpr std::size_t most_early = 1000;
  std::map<base::ContactId, connector::PresenceChanged> early_presence;
  // Of contacts that write just now, or have lately, and up to which message of the user's, by its stanza id, contacts
  // have read: what the user may yet have to be told. At most `most_noted` each.
  static constexpr std::size_t most_noted = 64;
  std::map<base::ContactId, bool> typing;
  std::map<base::ContactId, std::string> read_up_to;
  bool list_was_full = false;                  // in this run: said once in the log
  std::list<connector::ListedContact> listed;  // of the network's contact list: who is not among `contacts`
  // Shared with the performs in flight, which may outlast the account's removal.
  std::shared_ptr<connector::Session> session;
  std::unique_ptr<connector::EventSink> sink;
};

}  // namespace wherry::accounts

// The live accounts of one transport: who is registered, whose session is up, who sees whom.
#pragma once

#include "gateway/base/backoff.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/connector/contract.hpp"
#include "gateway/store/accounts.hpp"
#include "gateway/store/contacts.hpp"
#include "gateway/store/outbox.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <algorithm>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace wherry::accounts {

// Of a user's one resource, as its presence said.
struct UserPresence {
  connector::Availability availability = connector::Availability::online;
  std::string status;
  bool takes_messages = true;  // its priority is not negative (RFC 6121 §8.5.2.1.1)
};

struct LiveContact {
  store::ContactRow row;
  connector::Availability availability = connector::Availability::offline;  // the newest PresenceChanged
  std::string status;
  bool directed = false;  // the user has sent it presence of its own (RFC 6121 §4.6)
};

class LiveAccount {
 public:
  enum class State { offline, connecting, online, needs_login };

  explicit LiveAccount(store::AccountRow row)
      : row(std::move(row)), backoff(base::BackoffPolicy{}, static_cast<std::uint64_t>(this->row.id.value)) {}

  base::AccountId id() const { return row.id; }
  const xmpp::Jid& user() const { return row.user; }
  bool is_online() const { return state == State::online; }
  // Whether a message to the bare address reaches a device, as far as presence tells.
  bool takes_messages() const {
    return std::any_of(resources.begin(), resources.end(), [](const auto& entry) { return entry.second.takes_messages; });
  }
  // Whether the session should be up (AccountPolicy).
  bool is_wanted() const {
    return !removed && state != State::needs_login &&
           (row.policy == store::AccountPolicy::always_on || !resources.empty());
  }

  store::AccountRow row;
  State state = State::offline;
  std::string trouble;  // the last failure, for the user
  std::map<std::string, UserPresence> resources;  // available ones, by full JID
  bool presence_seen = false;                     // in this run: otherwise resources say nothing
  std::map<base::ContactId, LiveContact> contacts;
  std::list<connector::ListedContact> listed;  // of the network's contact list: who is not among `contacts`
  bool offering = false;                       // … and is being offered to the user
  // Shared with the performs in flight, which may outlast the account's removal.
  std::shared_ptr<connector::Session> session;
  std::unique_ptr<connector::EventSink> sink;
  base::Backoff backoff;
  bool removed = false;
  asio::cancellation_signal* attempt = nullptr;  // of the coroutine that keeps its session up and refers to it; null: there is none
  bool interrupted = false;  // that coroutine was cancelled because the session is not wanted any more
  // What the user was last shown of the session.
  bool shown_online = false;
  std::string shown_trouble;
};

// What happens to accounts, told to the transport; each is called on the loop.
struct AccountEvents {
  std::function<std::unique_ptr<connector::EventSink>(LiveAccount&)> make_sink;
  std::function<void(LiveAccount&)> state_changed;
  // Just before it is gone; the rows are those that the store held for its network, in order of id.
  std::function<void(LiveAccount&, const std::vector<store::OutboxRow>&)> removed;
};

class Accounts {
 public:
  Accounts(asio::any_io_executor executor, db::Database& database, const base::Sealer& sealer, std::string transport,
           AccountEvents events);

  // Reads every account and its contacts, and tells the connector of them.
  asio::awaitable<void> load(connector::Connector& connector);
  // Keeps the sessions of wanted accounts up until cancelled (by stop).
  void start();
  asio::awaitable<void> stop();

  // The account of a user here, or null; valid until the next co_await.
  LiveAccount* find(const xmpp::Jid& user);
  LiveAccount* find(base::AccountId id);
  std::size_t size() const { return by_id_.size(); }
  const std::map<base::AccountId, std::unique_ptr<LiveAccount>>& all() const { return by_id_; }

  // Stores a new account, or new credentials of the present one, and (re)starts its session.
  asio::awaitable<void> put(store::AccountRow row);
  // Ends the session, removes everything that is kept for the account.
  asio::awaitable<void> remove(base::AccountId id);

  // The session's own report of itself.
  void report(LiveAccount& account, const connector::AccountChanged& change);
  // A resource of the user came (or changed) or went; starts or ends the session where it follows presence.
  void user_available(LiveAccount& account, const xmpp::Jid& full, UserPresence presence);
  void user_unavailable(LiveAccount& account, const xmpp::Jid& full);

  // Changes a contact in memory and in the store.
  void put_contact(LiveAccount& account, store::ContactRow contact);
  void remove_contact(LiveAccount& account, const base::ContactId& contact);

 private:
  LiveAccount& add(store::AccountRow row);
  connector::Account to_connector(const store::AccountRow& row) const;
  void reconsider(LiveAccount& account);
  asio::awaitable<void> attempt(LiveAccount& account);
  void set_state(LiveAccount& account, LiveAccount::State state, std::string trouble);
  void write(db::Database::Closure closure, std::string_view what);

  db::Database& database_;
  const base::Sealer& sealer_;
  std::string transport_;
  AccountEvents events_;
  connector::Connector* connector_ = nullptr;
  std::map<base::AccountId, std::unique_ptr<LiveAccount>> by_id_;
  std::unordered_map<std::string, base::AccountId> by_user_;  // bare JID → the account
  base::Signal attempt_ended_;  // somebody's
  base::TaskGroup tasks_;
  bool started_ = false, stopping_ = false;
};

}  // namespace wherry::accounts

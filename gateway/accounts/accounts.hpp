// The live accounts of one transport: who is registered, whose session is up, who sees whom.
#pragma once

#include "gateway/accounts/contacts.hpp"
#include "gateway/accounts/live_account.hpp"
#include "gateway/accounts/session_keeper.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/store/outbox.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace wherry::accounts {

// What happens to accounts, told to the transport; each is called on the loop.
struct AccountEvents {
  std::function<std::unique_ptr<connector::EventSink>(LiveAccount&)> make_sink;
  std::function<void(LiveAccount&)> state_changed;
  // Just before it is gone; the rows are those that the store held for its network, in order of id.
  std::function<void(LiveAccount&, const std::vector<store::OutboxRow>&)> removed;
};

class Accounts final : private SessionOwner {
 public:
  Accounts(asio::any_io_executor executor, db::Database& database, const base::Sealer& sealer, std::string transport,
           AccountEvents events, SessionLimits limits = {});

  // Reads every account and its contacts.
  asio::awaitable<void> load(connector::Connector& connector);
  // Tells the connector of them, whose events may come from now on, and keeps the sessions of wanted accounts up until
  // stop().
  void start();
  asio::awaitable<void> stop();

  // The account of a user here that has this alias, or null; valid until the next co_await.
  LiveAccount* find(const xmpp::Jid& user, std::string_view alias);
  // All that a user has here, but for those that are erased and end, in the order in which they were registered.
  std::vector<base::AccountId> of(const xmpp::Jid& user) const;
  LiveAccount* find(base::AccountId id) override;
  std::size_t size() const { return by_id_.size(); }
  const std::map<base::AccountId, std::unique_ptr<LiveAccount>>& all() const { return by_id_; }

  // Stores a new account, or new credentials of the present one, and starts its session where it is not up. Of one
  // user and alias, calls of put() and remove() wait for each other.
  asio::awaitable<void> put(store::AccountRow row);
  // Removes everything that is kept for the account, ends its session. Where the store refuses, nothing has changed.
  asio::awaitable<void> remove(base::AccountId id);
  // Waits while it is not known whether the account is being removed (Standing::leaving). Look it up again afterwards.
  asio::awaitable<void> until_settled(base::AccountId id);

  // Ends the session until the user logs in again, or lets it begin, also where the network had refused the login. In
  // the store first.
  asio::awaitable<void> set_logged_out(base::AccountId id, bool logged_out);

  // What the user prefers; in the store first. Nothing where the account is gone meanwhile.
  asio::awaitable<void> set_preferences(base::AccountId id, store::Preferences wanted);
  // Whether the user has the gateway in the roster by its name, too; in memory at once, in the store soon.
  void set_named(LiveAccount& account, bool named);

  // The session's own report of itself.
  void report(LiveAccount& account, const connector::AccountChanged& change);
  // A device of the user came (or changed) or went; starts or ends the session where it follows presence. `contacts`:
  // who were shown it, where the gateway was not (Resources::put). Whether there was room.
  bool user_available(LiveAccount& account, const xmpp::Jid& full, UserPresence presence,
                      const std::vector<base::ContactId>& contacts = {});
  void user_unavailable(LiveAccount& account, const xmpp::Jid& full);

  // What a repeated send of this account costs; `none` where there is no such account.
  connector::Idempotency idempotency(base::AccountId id) const;

  // What becomes of a contact, by the one table, and what is to be said of it; nothing changes before take_step().
  ContactStep contact_step(const LiveAccount& account, const base::ContactId& contact, ContactEvent event,
                           std::string_view words = {}) const;
  void take_step(LiveAccount& account, const base::ContactId& contact, const ContactStep& step);
  // Both at once, where nobody has to be asked.
  ContactStep change_contact(LiveAccount& account, const base::ContactId& contact, ContactEvent event,
                             std::string_view words = {});
  // The network was not asked, or refuses to be (AddContact).
  void request_failed(base::AccountId id, const base::ContactId& contact);
  // Changes a contact in memory and in the store.
  void put_contact(LiveAccount& account, store::ContactRow contact);
  void remove_contact(LiveAccount& account, const base::ContactId& contact);

 private:
  LiveAccount& add(store::AccountRow row);
  static connector::Account as_told(const LiveAccount& account);
  void tell_connector(const LiveAccount& account);
  asio::awaitable<void> alone(std::string whose, asio::awaitable<void> work);
  asio::awaitable<void> put_alone(store::AccountRow row);
  asio::awaitable<void> remove_alone(base::AccountId id);
  asio::awaitable<void> set_preferences_alone(base::AccountId id, store::Preferences wanted);
  asio::awaitable<void> set_logged_out_alone(base::AccountId id, bool logged_out);
  void set_state(LiveAccount& account, LiveAccount::State state, std::string trouble) override;
  void write(db::Database::Closure closure, std::string_view what);

  asio::any_io_executor executor_;
  db::Database& database_;
  const base::Sealer& sealer_;
  std::string transport_;
  AccountEvents events_;
  connector::Connector* connector_ = nullptr;
  std::map<base::AccountId, std::unique_ptr<LiveAccount>> by_id_;
  std::unordered_map<std::string, std::vector<base::AccountId>> by_user_;  // bare JID → the accounts
  std::set<std::string> changing_;  // user and alias of accounts that are being put or removed
  base::Signal changed_;            // one of these has ended, or a removal is settled
  SessionKeeper keeper_;
};

}  // namespace wherry::accounts

// XMPP → network: durable, in order per chat (house.md §5, hops 4–7).
//
// put() writes a row; once it is committed the row is worked from memory. A row is read back from the store only after
// a restart or when too many wait (Limits::in_memory).
#pragma once

#include "gateway/transport/accounts.hpp"
#include "gateway/transport/journal.hpp"
#include "gateway/transport/origin.hpp"

#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

namespace wherry::transport {

struct OutboxLimits {
  std::size_t in_memory = 20000;        // rows of the transport kept in memory; more wait in the store
  std::size_t waiting_per_account = 5000;  // then the sender is told to wait
  int performing_per_account = 64;      // chats of one account that are worked on at once
  std::chrono::seconds deadline{24 * 3600};  // how long a message is tried before its sender is told that it failed
  base::BackoffPolicy retry{std::chrono::seconds(5), std::chrono::minutes(10), 0.2};
};

// How a send ended, for the inbox to tell.
struct OutboxEvents {
  std::function<void(base::AccountId, Origin, base::Error)> failed;  // within the turn that settles the row: one commit
  std::function<void(base::AccountId, Origin, base::Error)> not_stored;  // the store is lost: only the link can tell
  std::function<void(base::AccountId, const store::SentMessage&)> sent;
  std::function<void(base::AccountId)> settled;  // a perform ended, whichever way
};

class Outbox {
 public:
  Outbox(asio::any_io_executor executor, Journal& journal, db::Database& database, Accounts& accounts, const base::Clock& clock,
         std::string transport, OutboxLimits limits, OutboxEvents events);

  // Before anything else: what the network is, this store's key prefix, and the rows that an earlier run left. One found
  // `sending` may have been sent: it is tried again where the network allows that, else its sender is told.
  asio::awaitable<void> load(connector::Network network, std::string key_prefix);

  // Accepts a message for the network, for ever its own key. Errors (resource-constraint like) come back at once; a
  // failure of the store later through OutboxEvents::failed.
  base::Result<void> put(LiveAccount& account, connector::SendMessage message, Origin origin);
  // As put, for an action without a message.
  base::Result<void> put(LiveAccount& account, connector::Action action, std::string chat, Origin origin);

  // The account's session came up: its rows move again.
  void account_online(LiveAccount& account);
  // Forgets the rows of a removed account, telling their senders.
  void account_removed(base::AccountId account);

  // Tells the senders of what waits behind its deadline, whether its account is there or not. Now and then.
  void expire();

  // Whether something of the account is with the connector: a report may be about it.
  bool is_performing(base::AccountId account) const;
  // The id in one of our keys, or nothing.
  std::optional<std::int64_t> id_of(std::string_view key) const;

  // Lets performs in flight end.
  asio::awaitable<void> stop(std::chrono::milliseconds grace);

  std::size_t waiting() const { return in_memory_; }
  std::size_t performing() const { return performing_; }

 private:
  struct Item {
    store::OutboxRow row;  // its payload is empty once written: `action` is the same
    connector::Action action;
    Origin origin;
  };
  struct Chat {
    std::deque<std::unique_ptr<Item>> items;  // committed, in order
    bool working = false;
    bool resting = false;  // until its first row's next attempt
  };
  struct Queue {  // of one account
    std::unordered_map<std::string, Chat> chats;
    std::size_t waiting = 0;
    int performing = 0;  // chats being worked on
    int with_connector = 0;
  };

  base::Result<void> accept(LiveAccount& account, connector::Action action, std::string chat, Origin origin, std::int64_t id);
  void committed(std::unique_ptr<Item> item);
  void enqueue(std::unique_ptr<Item> item);
  void kick(base::AccountId account, const std::string& chat);
  asio::awaitable<void> work(base::AccountId account, std::string chat);
  asio::awaitable<bool> work_one(base::AccountId account, std::string chat);
  asio::awaitable<void> rest(base::AccountId account, std::string chat, std::chrono::milliseconds pause);
  asio::awaitable<void> mark_sending(Item& item);
  void settle(Item& item, const base::Result<connector::Receipt>& result);
  void finish(Item& item);
  void fail(Item& item, base::Error error);
  void give_up(const Item& item, base::Error error);
  bool is_spilled() const { return newest_spilled_ > newest_in_memory_; }
  void retry(Item& item, const base::Error& error);
  void pop(base::AccountId account, const std::string& chat);
  void recovered(store::OutboxRow row);
  asio::awaitable<void> reload();
  bool repeats_freely() const { return network_.idempotency != connector::Idempotency::none; }

  Journal& journal_;
  db::Database& database_;
  Accounts& accounts_;
  const base::Clock& clock_;
  std::string transport_;
  OutboxLimits limits_;
  OutboxEvents events_;
  connector::Network network_;
  std::string key_prefix_;
  std::unordered_map<base::AccountId, Queue> queues_;
  std::unordered_map<std::int64_t, const Item*> by_id_;  // being performed
  std::size_t in_memory_ = 0, performing_ = 0;
  std::int64_t newest_in_memory_ = 0;
  std::int64_t first_own_id_ = 0;    // rows below it are an earlier run's
  std::int64_t newest_spilled_ = 0;  // above newest_in_memory_: the store holds rows that memory does not
  bool reloading_ = false;
  bool stopping_ = false;
  base::TaskGroup tasks_;
};

}  // namespace wherry::transport

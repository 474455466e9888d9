// XMPP → network: durable, in order per chat (house.md §5, hops 4–7).
//
// put() writes a row; once it is committed memory knows it by its id, in the order of its chat. Whole it is in memory only
// where it is being worked on or soon will be: the first rows of a chat whose account is there, and no more than
// OutboxLimits allow. All others are read back by their ids when their turn comes, so that whatever waits, and for whom,
// keeps nobody else waiting.
#pragma once

#include "gateway/accounts/accounts.hpp"
#include "gateway/queues/journal.hpp"
#include "gateway/convert/origin.hpp"

#include <functional>
#include <map>
#include <string>
#include <unordered_map>

namespace wherry::queues {

struct OutboxLimits {
  std::size_t in_memory_per_chat = 16;  // whole rows of a chat that is worked on; more wait in the store
  std::size_t in_memory = 20000;        // whole rows of the transport; once there are so many, a chat has one
  std::size_t waiting_per_account = 5000;  // then the sender is told to wait
  int performing_per_account = 64;      // chats of one account that are worked on at once
  std::chrono::seconds deadline{24 * 3600};  // how long a message is tried before its sender is told that it failed
  base::BackoffPolicy retry{std::chrono::seconds(5), std::chrono::minutes(10), 0.2};
};

// How a send ended, for the inbox to tell.
struct OutboxEvents {
  std::function<void(base::AccountId, convert::Origin, base::Error)> failed;  // within the turn that settles the row: one commit
  std::function<void(base::AccountId, convert::Origin, base::Error)> not_stored;  // the store is lost: only the link can tell
  std::function<void(base::AccountId, const store::SentMessage&)> sent;
  std::function<void(base::AccountId)> settled;  // a perform ended, whichever way
};

class Outbox {
 public:
  Outbox(asio::any_io_executor executor, Journal& journal, db::Database& database, accounts::Accounts& accounts, const base::Clock& clock,
         std::string transport, OutboxLimits limits, OutboxEvents events);

  // Before anything else: what the network is, this store's key prefix, and the rows that an earlier run left. One found
  // `sending` may have been sent: it is tried again where the network allows that, else its sender is told.
  asio::awaitable<void> load(connector::Network network, std::string key_prefix);

  // Accepts a message for the network, for ever its own key. Errors (resource-constraint like) come back at once; a
  // failure of the store later through OutboxEvents::failed.
  base::Result<void> put(accounts::LiveAccount& account, connector::SendMessage message, convert::Origin origin);
  // As put, for an action without a message.
  base::Result<void> put(accounts::LiveAccount& account, connector::Action action, std::string chat, convert::Origin origin);

  // The account's session came up: its rows move again.
  void account_online(accounts::LiveAccount& account);
  // Forgets the rows of a removed account, telling their senders. `stored`: those that the store held until then.
  void account_removed(base::AccountId account, const std::vector<store::OutboxRow>& stored);

  // Begins to tell the senders of what waits behind its deadline, whether its account is there or not. Now and then.
  void expire();

  // Whether something of the account is with the connector: a report may be about it.
  bool is_performing(base::AccountId account) const;
  // The id in one of our keys, or nothing.
  std::optional<std::int64_t> id_of(std::string_view key) const;

  // Lets performs in flight end.
  asio::awaitable<void> stop(std::chrono::milliseconds grace);

  std::size_t in_memory() const { return in_memory_; }  // whole rows

 private:
  struct Item {
    store::OutboxRow row;  // its payload is empty once written: `action` is the same
    connector::Action action;
    convert::Origin origin;
  };
  struct Entry {
    std::int64_t deadline = 0;
    std::unique_ptr<Item> item;  // null: only the store has it
  };
  struct Chat {
    std::map<std::int64_t, Entry> rows;  // by id, which is their order; committed. Those with an item come first
    bool working = false;
    bool resting = false;  // until its first row's next attempt
    bool is_with_connector = false;  // its first row
  };
  struct Queue {  // of one account
    std::unordered_map<std::string, Chat> chats;
    std::size_t waiting = 0;
    int performing = 0;  // chats being worked on
    int with_connector = 0;
  };

  base::Result<void> accept(accounts::LiveAccount& account, connector::Action action, std::string chat, convert::Origin origin, std::int64_t id);
  void committed(std::unique_ptr<Item> item);
  bool belongs_in_memory(const accounts::LiveAccount& account, const Queue& queue, const Chat& chat) const;
  std::size_t window() const { return in_memory_ < limits_.in_memory ? limits_.in_memory_per_chat : 1; }
  void kick_all(base::AccountId account);
  void kick(base::AccountId account, Queue& queue, const std::string& name, Chat& chat);
  Chat* find(base::AccountId account, const std::string& chat);
  asio::awaitable<void> work(base::AccountId account, std::string chat);
  asio::awaitable<bool> work_one(base::AccountId account, std::string chat);
  asio::awaitable<void> read_back(base::AccountId account, std::string chat);
  asio::awaitable<void> rest(base::AccountId account, std::string chat, std::chrono::milliseconds pause);
  asio::awaitable<void> mark_sending(Item& item);
  void settle(Item& item, const base::Result<connector::Receipt>& result);
  void finish(Item& item);
  void fail(Item& item, base::Error error);
  void give_up(const Item& item, base::Error error);
  void retry(Item& item, const base::Error& error);
  void pop(base::AccountId account, const std::string& chat);
  void release(Entry& entry);
  void recovered(const store::OutboxRow& row);
  std::unique_ptr<Item> to_item(store::OutboxRow row);
  bool repeats_freely() const { return network_.idempotency != connector::Idempotency::none; }

  Journal& journal_;
  db::Database& database_;
  accounts::Accounts& accounts_;
  const base::Clock& clock_;
  std::string transport_;
  OutboxLimits limits_;
  OutboxEvents events_;
  connector::Network network_;
  std::string key_prefix_;
  std::unordered_map<base::AccountId, Queue> queues_;
  std::size_t in_memory_ = 0;
  int with_connector_ = 0;
  bool stopping_ = false;
  base::TaskGroup tasks_;
};

}  // namespace wherry::queues

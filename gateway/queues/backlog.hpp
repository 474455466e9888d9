// Whose turn it is among what waits for a network: chats in their order, what of them is in memory, what rests. Pure:
// it decides, the outbox acts.
//
//   one per chat       only a chat's first row is with the connector
//   bounded memory     every row by its id; whole rows for the first of a chat that is being worked on
//   counted turns      a row has a turn before its commit only where nothing is before it and a place is free
// Not promised: order between chats; fairness between more chats of one account than are worked on at once.
//
// Times are milliseconds of a clock that only goes forward.
#pragma once

#include "gateway/base/backoff.hpp"
#include "gateway/connector/action.hpp"
#include "gateway/convert/origin.hpp"
#include "gateway/queues/seen.hpp"
#include "gateway/store/outbox.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace wherry::queues {

struct OutboxLimits {
  std::size_t in_memory_per_chat = 16;       // whole rows of a chat that is worked on; more wait in the store
  std::size_t in_memory = 20000;             // whole rows of the transport; once there are so many, a chat has one
  std::size_t in_memory_bytes = 32 << 20;    // the same of their texts
  std::size_t waiting_per_account = 5000;    // then the sender is told to wait
  int performing_per_account = 64;           // chats of one account that are worked on at once
  std::chrono::seconds deadline{24 * 3600};  // how long a message is tried before its sender is told that it failed
  base::BackoffPolicy retry{std::chrono::seconds(5), std::chrono::minutes(10), 0.2};
};

class Backlog {
 public:
  struct Item {
    store::OutboxRow row;  // its payload is empty once written: `action` is the same
    connector::Action action;
    convert::Origin origin;
    Fingerprint fingerprint;  // of a message
    bool has_turn = false;    // since before its commit
    std::size_t bytes = 0;    // of its row's texts
  };
  enum class Reach {
    gone,    // the account is being removed
    away,    // its session is not up
    online,  // the connector can be asked
  };
  struct Step {
    enum class Kind {
      stop,     // nothing to do now
      load,     // the rows `ids` are to be read from the store
      expire,   // the first row is behind its deadline
      rest,     // until `until`, the first row's next attempt
      mark,     // the first row is to be written as `sending`
      unmark,   // the first row was, and is not going to be with the connector: it is to be written as `queued`
      perform,  // the first row's turn
    };
    Kind kind = Kind::stop;
    std::vector<std::int64_t> ids;
    std::int64_t until = 0;
    Item* item = nullptr;  // the first row; valid until the next wait
  };

  explicit Backlog(OutboxLimits limits) : limits_(limits) {}

  // ---- Coming ----
  bool has_room(base::AccountId account) const;
  // A row is about to be written. Whether it has a turn as soon as it is: then it is written as `sending` at once.
  bool enter(base::AccountId account, const std::string& chat, bool is_online);
  // It is written, or (withdraw) it could not be.
  void add(std::unique_ptr<Item> item, bool is_online, std::int64_t deadline);
  void withdraw(const Item& item);
  // An earlier run left it.
  void recover(base::AccountId account, const std::string& chat, std::int64_t id, std::int64_t deadline,
               std::int64_t not_before);

  // ---- Working ----
  std::vector<base::AccountId> accounts() const;
  std::vector<std::string> chats_of(base::AccountId account) const;
  bool has(base::AccountId account, const std::string& chat) const;  // anything that is not done with
  // Whether somebody is to go through the chat's rows from now on: then next() until it says stop or rest, and end().
  bool begin(base::AccountId account, const std::string& chat, Reach reach, std::int64_t now);
  Step next(base::AccountId account, const std::string& chat, Reach reach, std::int64_t now);
  void end(base::AccountId account, const std::string& chat);
  // A chat that had found no place, and may begin where one is free now. The caller takes them until one does.
  std::optional<std::string> take_denied(base::AccountId account);
  // When the first of the chats that rest is to go on, if any does; and those that are to by now, which rest no longer.
  std::optional<std::int64_t> next_rest_end() const;
  std::vector<std::pair<base::AccountId, std::string>> take_rested(std::int64_t now);

  // The chat's first row, where it is in memory; valid until the next wait.
  Item* first(base::AccountId account, const std::string& chat);
  // Rows that were to be loaded; those of `ids` that are not among `items` are forgotten.
  void load(base::AccountId account, const std::string& chat, const std::vector<std::int64_t>& ids,
            std::vector<std::unique_ptr<Item>> items);
  // The chat's first row is with the connector, or is not any more. Null: it is gone meanwhile.
  void begin_perform(base::AccountId account, const std::string& chat);
  Item* end_perform(base::AccountId account, const std::string& chat, std::int64_t id);
  // The first row is done with, or is tried again at `not_before`.
  void remove_first(base::AccountId account, const std::string& chat);
  void retry_first(base::AccountId account, const std::string& chat, std::int64_t not_before);

  struct Place {
    Item* item = nullptr;  // null: only the store has it; valid until the next wait
    bool is_performing = false;
  };
  // Where a row is; nothing: nowhere.
  std::optional<Place> find(base::AccountId account, const std::string& chat, std::int64_t id);
  // A row is done with, wherever it stands. The chat does not rest any more.
  void remove(base::AccountId account, const std::string& chat, std::int64_t id);

  // ---- Going ----
  // Rows in memory that are written as `sending` and are not with the connector: to be written as `queued` at the end.
  std::vector<Item*> idle_sending();
  struct Removed {
    std::int64_t id = 0;
    std::unique_ptr<Item> item;  // null: only the store has it
    bool is_performing = false;
  };
  std::vector<Removed> remove(base::AccountId account);

  std::size_t in_memory() const { return in_memory_; }  // whole rows

 private:
  enum class ChatState {
    idle,        // nobody goes through its rows
    working,     // somebody does
    performing,  // … and the first is with the connector
    resting,     // until its first row's next attempt
  };
  struct Entry {
    std::int64_t deadline = 0, not_before = 0;
    std::unique_ptr<Item> item;  // null: only the store has it
  };
  struct Chat {
    std::map<std::int64_t, Entry> rows;  // by id, which is their order; committed. Those with an item come first
    ChatState state = ChatState::idle;
    std::int64_t with_connector = 0;  // the row that is, while performing: it may be gone meanwhile
    std::int64_t rests_until = 0;     // while resting
    int entering = 0;                 // rows that are being written
    bool is_denied = false;           // among `denied`
  };
  struct Queue {  // of one account
    std::unordered_map<std::string, Chat> chats;
    std::size_t waiting = 0;         // rows, also those that are being written
    int working = 0;                 // chats that are
    int turns = 0;                   // rows that are being written and have a turn
    std::deque<std::string> denied;  // chats that found no place
  };
  Chat* find(base::AccountId account, const std::string& chat);
  void forget_if_empty(Queue& queue, const std::string& name);
  void wake(base::AccountId account, const std::string& name, Chat& chat);
  std::size_t window() const {
    return in_memory_ < limits_.in_memory && in_memory_bytes_ < limits_.in_memory_bytes ? limits_.in_memory_per_chat
                                                                                        : 1;
  }
  bool is_kept(const Queue& queue, const Chat& chat, bool is_online) const;
  void hold(Entry& entry, std::unique_ptr<Item> item);
  std::unique_ptr<Item> take(Entry& entry);  // leaves the row to the store

  OutboxLimits limits_;
  std::unordered_map<base::AccountId, Queue> queues_;
  std::set<std::tuple<std::int64_t, base::AccountId, std::string>> resting_;  // by their ends
  std::size_t in_memory_ = 0, in_memory_bytes_ = 0;
};

}  // namespace wherry::queues

// Table `outbox`: what users sent and a network has not yet taken. A log: rows are appended with rising ids and
// removed by ranges (house.md §7; DECISIONS.md 4 has the cost of every other way).
#pragma once

#include "gateway/base/ids.hpp"
#include "gateway/store/ids.hpp"

#include <span>
#include <string>
#include <vector>

namespace wherry::store {

enum class OutboxState {
  queued = 0,   // never with the network, or provably not done there
  sending = 1,  // written before anything may reach the network: a row found so after a kill may have been sent
  unsure = 2,   // to be tried again (the network allows that), though an earlier attempt may have been done
};

struct OutboxRow {
  std::int64_t id = 0;
  base::AccountId account;
  std::string chat;     // base::to_string(ChatId): rows of one chat of one account keep their order
  std::string origin;   // transport::Origin as JSON: whom to tell, about which stanza
  std::string payload;  // connector::Action as JSON
  OutboxState state = OutboxState::queued;
  int attempts = 0;
  std::int64_t not_before = 0;  // ms since 1970: the next attempt
  std::int64_t deadline = 0;    // ms since 1970: then the sender is told that it failed
  bool operator==(const OutboxRow&) const = default;
};

void insert_outbox(db::Transaction& transaction, std::span<const OutboxRow> rows);
// Writes state, attempts and not_before of rows that exist.
void update_outbox(db::Transaction& transaction, std::span<const OutboxRow> rows);
void remove_outbox(db::Transaction& transaction, std::span<const IdRange> ranges);
// Rows of a transport's accounts, in order of id, ids above `after`, at most `limit`.
std::vector<OutboxRow> read_outbox(db::Transaction& transaction, const std::string& transport, std::int64_t after,
                                   int limit);
// The same of one account.
std::vector<OutboxRow> read_outbox(db::Transaction& transaction, base::AccountId account, std::int64_t after,
                                   int limit);
// Rows of accounts that are gone, of every transport, in order of id: their senders have not been told yet.
std::vector<OutboxRow> read_orphaned_outbox(db::Transaction& transaction);
// Those of these ids that are there, in order of id where the ids are.
std::vector<OutboxRow> read_outbox(db::Transaction& transaction, std::span<const std::int64_t> ids);
// How many rows a transport's accounts have. Reads them all: for start and for tests, not for every message.
std::int64_t count_outbox(db::Transaction& transaction, const std::string& transport);

}  // namespace wherry::store

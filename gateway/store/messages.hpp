// Table `message_map`: which stanza a network's message id belongs to, for delivery reports that come days later.
#pragma once

#include "gateway/base/ids.hpp"
#include "gateway/connector/event.hpp"
#include "gateway/db/database.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wherry::store {

struct SentMessage {
  std::int64_t id = 0;  // the outbox row's: primary key
  base::AccountId account;
  std::string network_id;                 // as the Receipt gave it; empty: the network reports by our key
  std::string origin;                     // as in OutboxRow; empty: an early report
  std::string chat;                       // of an early report its text
  std::optional<connector::Stage> stage;  // the furthest that is known
  std::int64_t created = 0;               // ms since 1970
  bool operator==(const SentMessage&) const = default;
};

// One that is there already gets the network's id, and stays as it is else.
void insert_sent(db::Transaction& transaction, std::span<const SentMessage> messages);
// By our key's row id.
std::optional<SentMessage> find_sent(db::Transaction& transaction, base::AccountId account, std::int64_t id);
// By the network's id, within the account (indexed by a 64-bit hash of it).
std::optional<SentMessage> find_sent(db::Transaction& transaction, base::AccountId account,
                                     std::string_view network_id);
// Early reports: they name a message by the network's id, and came before its send returned with that id. In order of
// id; those that are older than every row of the outbox are about none of them.
std::vector<SentMessage> read_early_reports(db::Transaction& transaction, const std::string& transport);
void remove_sent(db::Transaction& transaction, std::span<const std::int64_t> ids);
void set_stage(db::Transaction& transaction, std::int64_t id, connector::Stage stage);
// All but the newest, by their ids, of which each is given out once.
void remove_sent_beyond(db::Transaction& transaction, std::int64_t most);
void remove_sent_before(db::Transaction& transaction, std::int64_t created);

}  // namespace wherry::store

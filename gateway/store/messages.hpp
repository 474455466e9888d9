// Table `messages`: which stanza a network's message id belongs to, for reports that come days later, and for what is
// said of a message later: corrections, reactions, replies.
#pragma once

#include "gateway/base/ids.hpp"
#include "gateway/connector/event.hpp"
#include "gateway/db/database.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wherry::store {

struct MessageRow {
  enum class Kind {
    sent,
    received,
    early_report,       // it names a message by the network's id, and came before its send returned with that id
    written_elsewhere,  // by the user, with another program of the network's
  };
  std::int64_t id = 0;  // the row's in outbox or inbox
  base::AccountId account;
  std::string network_id;                 // of this part; empty: the network names it by our key
  std::string origin;                     // of a sent one, as in OutboxRow; of its first part only
  std::string chat;                       // of an early report its text
  std::optional<connector::Stage> stage;  // the furthest that is known, of this part
  std::int64_t created = 0;               // ms since 1970
  Kind kind = Kind::sent;
  std::int64_t part = 0, parts = 1;  // which of how many
  std::int64_t stanza_hash = 0;      // hash_of_id() of a sent one's stanza id; 0: nobody will refer to it
  bool operator==(const MessageRow&) const = default;
};

// A short key for an index; the text itself is compared too. FNV-1a; never 0.
std::int64_t hash_of_id(std::string_view id);

// One that is there already gets the network's id and the number of its parts, and stays as it is else.
void insert_messages(db::Transaction& transaction, std::span<const MessageRow> messages);
// The first part, by our key's row id.
std::optional<MessageRow> find_message(db::Transaction& transaction, base::AccountId account, std::int64_t id);
// The part of that name: the network's id, within the account. Of several the newest: a network may use its ids again
// after some months.
std::optional<MessageRow> find_message(db::Transaction& transaction, base::AccountId account,
                                       std::string_view network_id);
// First parts of sent messages whose stanza ids have this hash, the newest first.
std::vector<MessageRow> find_sent_by_stanza(db::Transaction& transaction, base::AccountId account,
                                            std::int64_t stanza_hash);
// All parts, in order.
std::vector<MessageRow> read_parts(db::Transaction& transaction, base::AccountId account, std::int64_t id);
// Early reports, in order of id; those that are older than every row of the outbox are about none of them.
std::vector<MessageRow> read_early_reports(db::Transaction& transaction, const std::string& transport);
void remove_messages(db::Transaction& transaction, std::span<const std::int64_t> ids);
void set_stage(db::Transaction& transaction, std::int64_t id, std::int64_t part, connector::Stage stage);
// All but the newest, by their ids, of which each is given out once.
void remove_messages_beyond(db::Transaction& transaction, std::int64_t most);
void remove_messages_before(db::Transaction& transaction, std::int64_t created);

}  // namespace wherry::store

// Table `inbox`: what networks delivered and the XMPP server has not yet confirmed. A log, as the outbox is; and table
// `seen`: which ids came lately, so that a network may deliver twice.
#pragma once

#include "gateway/base/ids.hpp"
#include "gateway/store/ids.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wherry::store {

struct InboxRow {
  std::int64_t id = 0;
  base::AccountId account;
  std::string payload;       // transport::Delivery as JSON
  std::int64_t created = 0;  // ms since 1970
  bool operator==(const InboxRow&) const = default;
};

void insert_inbox(db::Transaction& transaction, std::span<const InboxRow> rows);
void remove_inbox(db::Transaction& transaction, std::span<const IdRange> ranges);
// Rows of a transport's accounts and of accounts that are gone, whose transport only their payload says; in order of
// id, ids above `after`, at most `limit`.
std::vector<InboxRow> read_inbox(db::Transaction& transaction, const std::string& transport, std::int64_t after,
                                 int limit);
// The same of one account.
std::vector<InboxRow> read_inbox(db::Transaction& transaction, base::AccountId account, std::int64_t after, int limit);
// Removes rows made before `created` (ms); how many. Reads them all: now and then, not for every message.
std::int64_t remove_inbox_before(db::Transaction& transaction, std::int64_t created);
// How many rows a transport's accounts have. Reads them all: for start and for tests, not for every message.
std::int64_t count_inbox(db::Transaction& transaction, const std::string& transport);

// 64-bit keyed hashes (SipHash). One row holds all of one commit: a random-key index would cost more than all the rest
// of a message (DECISIONS.md 5). `id`: a row id that nothing else of this table has.
enum class SeenKind {
  events = 0,   // of (account, event id)
  stanzas = 1,  // pairs, of what a user sent: the stanza's and its content's
};
void insert_seen(db::Transaction& transaction, const std::string& transport, SeenKind kind, std::int64_t id,
                 std::int64_t created, std::span<const std::uint64_t> hashes);
// All hashes of a transport, oldest first; at most the `most` newest.
std::vector<std::uint64_t> read_seen(db::Transaction& transaction, const std::string& transport, SeenKind kind,
                                     std::size_t most);
// When the newest row was made (ms); nothing: there is none.
std::optional<std::int64_t> newest_seen(db::Transaction& transaction, const std::string& transport, SeenKind kind);
// Removes the rows before the newest ones that were made within `age` (ms) of the newest, by whatever clock that was.
void keep_newest_seen(db::Transaction& transaction, const std::string& transport, SeenKind kind, std::int64_t age);
// Removes rows made before `created`, and of each transport and kind all but the newest `rows_kept`. Reads them all:
// now and then.
void remove_seen(db::Transaction& transaction, std::int64_t created, std::int64_t rows_kept);
// The key of those hashes, 32 hexadecimal digits, made once per store.
std::string seen_key(db::Transaction& transaction);

}  // namespace wherry::store

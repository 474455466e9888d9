#include "gateway/store/inbox.hpp"

#include "gateway/base/text.hpp"
#include "gateway/store/many_rows.hpp"

#include <charconv>
#include <limits>

namespace wherry::store {

namespace {

constexpr std::size_t inbox_columns = 4;
constexpr char insert_into_inbox[] = "INSERT INTO inbox (id, account, payload, created)";
constexpr InsertText<inbox_columns, 1, sizeof insert_into_inbox> insert_one_inbox_row(insert_into_inbox);
constexpr InsertText<inbox_columns, rows_at_once, sizeof insert_into_inbox> insert_inbox_rows(insert_into_inbox);

constexpr std::size_t hash_digits = 16;
constexpr std::int64_t seen_rows_at_once = 1000;  // bounds what a read holds in memory

std::vector<InboxRow> read_inbox_rows(const db::Rows& rows) {
  std::vector<InboxRow> inbox;
  inbox.reserve(rows.size());
  for (const db::Row& row : rows) inbox.push_back({row.integer(0), {row.integer(1)}, row.text(2), row.integer(3)});
  return inbox;
}

void append_hash(std::string& text, std::uint64_t hash) {
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[(hash >> shift) & 15];
}

std::uint64_t parse_hash(std::string_view digits) {
  std::uint64_t hash = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), hash, 16);
  return hash;
}

}  // namespace

void insert_inbox(db::Transaction& transaction, std::span<const InboxRow> rows) {
  insert_rows<inbox_columns>(transaction, insert_inbox_rows, insert_one_inbox_row, rows,
                             [](const InboxRow& row, std::span<db::Value> values) {
                               values[0] = row.id;
                               values[1] = row.account.value;
                               values[2] = row.payload;
                               values[3] = row.created;
                             });
}

void remove_inbox(db::Transaction& transaction, std::span<const IdRange> ranges) {
  for (const IdRange& range : ranges) {
    transaction.execute("DELETE FROM inbox WHERE id BETWEEN $1 AND $2", {range.first, range.last});
  }
}

std::vector<InboxRow> read_inbox(db::Transaction& transaction, const std::string& transport, std::int64_t after,
                                 int limit) {
  return read_inbox_rows(transaction.query(
      "SELECT id, account, payload, created FROM inbox "
      "WHERE (account IN (SELECT id FROM accounts WHERE transport = $1) OR account NOT IN (SELECT id FROM accounts)) "
      "AND id > $2 ORDER BY id LIMIT $3",
      {transport, after, std::int64_t{limit}}));
}

std::vector<InboxRow> read_inbox(db::Transaction& transaction, base::AccountId account, std::int64_t after, int limit) {
  return read_inbox_rows(transaction.query(
      "SELECT id, account, payload, created FROM inbox WHERE account = $1 AND id > $2 ORDER BY id LIMIT $3",
      {account.value, after, std::int64_t{limit}}));
}

std::int64_t remove_inbox_before(db::Transaction& transaction, std::int64_t created) {
  const std::int64_t expired =
      transaction.query("SELECT COUNT(*) FROM inbox WHERE created < $1", {created}).at(0).integer(0);
  if (expired > 0) transaction.execute("DELETE FROM inbox WHERE created < $1", {created});
  return expired;
}

std::int64_t count_inbox(db::Transaction& transaction, const std::string& transport) {
  return transaction
      .query("SELECT COUNT(*) FROM inbox WHERE account IN (SELECT id FROM accounts WHERE transport = $1)", {transport})
      .at(0)
      .integer(0);
}

void insert_seen(db::Transaction& transaction, const std::string& transport, SeenKind kind, std::int64_t id,
                 std::int64_t created, std::span<const std::uint64_t> hashes) {
  std::string text;
  text.reserve(hashes.size() * hash_digits);
  for (const std::uint64_t hash : hashes) append_hash(text, hash);
  transaction.execute(
      "INSERT INTO seen (id, transport, created, hashes, kind) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
      {id, transport, created, std::move(text), static_cast<std::int64_t>(kind)});
}

std::vector<std::uint64_t> read_seen(db::Transaction& transaction, const std::string& transport, SeenKind kind,
                                     std::size_t most) {
  std::vector<std::uint64_t> newest_first;
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  while (newest_first.size() < most) {
    const auto rows = transaction.query(
        "SELECT id, hashes FROM seen WHERE transport = $1 AND kind = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
        {transport, static_cast<std::int64_t>(kind), before, seen_rows_at_once});
    for (const db::Row& row : rows) {
      before = row.integer(0);
      const std::string_view text = row.text(1);
      for (std::size_t end = text.size(); end >= hash_digits && newest_first.size() < most; end -= hash_digits) {
        newest_first.push_back(parse_hash(text.substr(end - hash_digits, hash_digits)));
      }
    }
    if (rows.size() < static_cast<std::size_t>(seen_rows_at_once)) break;
  }
  return {newest_first.rbegin(), newest_first.rend()};
}

std::optional<std::int64_t> newest_seen(db::Transaction& transaction, const std::string& transport, SeenKind kind) {
  const auto newest =
      transaction.query("SELECT created FROM seen WHERE transport = $1 AND kind = $2 ORDER BY id DESC LIMIT 1",
                        {transport, static_cast<std::int64_t>(kind)});
  if (newest.empty()) return std::nullopt;
  return newest.front().integer(0);
}

void keep_newest_seen(db::Transaction& transaction, const std::string& transport, SeenKind kind, std::int64_t age) {
  const auto newest = newest_seen(transaction, transport, kind);
  if (!newest) return;
  transaction.execute(
      "DELETE FROM seen WHERE transport = $1 AND kind = $2 AND id <= (SELECT MAX(id) FROM seen WHERE transport = $1 "
      "AND kind = $2 "
      "AND (created < $3 OR created > $4))",
      {transport, static_cast<std::int64_t>(kind), *newest - age, *newest + age});
}

void remove_seen(db::Transaction& transaction, std::int64_t created, std::int64_t rows_kept) {
  transaction.execute("DELETE FROM seen WHERE created < $1", {created});
  for (const db::Row& row : transaction.query("SELECT DISTINCT transport, kind FROM seen")) {
    transaction.execute(
        "DELETE FROM seen WHERE transport = $1 AND kind = $2 AND id <= "
        "(SELECT id FROM seen WHERE transport = $1 AND kind = $2 ORDER BY id DESC LIMIT 1 OFFSET $3)",
        {row.text(0), row.integer(1), rows_kept});
  }
}

std::string seen_key(db::Transaction& transaction) {
  transaction.execute("INSERT INTO keys (name, value) VALUES ('seen', $1) ON CONFLICT DO NOTHING",
                      {base::random_hex(16)});
  return transaction.query("SELECT value FROM keys WHERE name = 'seen'").at(0).text(0);
}

}  // namespace wherry::store

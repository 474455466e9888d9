#include "gateway/store/outbox.hpp"

#include "gateway/store/many_rows.hpp"

namespace wherry::store {

namespace {

constexpr std::size_t outbox_columns = 9;
constexpr char insert_into_outbox[] =
    "INSERT INTO outbox (id, account, chat, origin, payload, state, attempts, not_before, deadline)";
constexpr InsertText<outbox_columns, 1, sizeof insert_into_outbox> insert_one_outbox_row(insert_into_outbox);
constexpr InsertText<outbox_columns, rows_at_once, sizeof insert_into_outbox> insert_outbox_rows(insert_into_outbox);

OutboxRow read_outbox_row(const db::Row& row) {
  OutboxRow outbox;
  outbox.id = row.integer(0);
  outbox.account = {row.integer(1)};
  outbox.chat = row.text(2);
  outbox.origin = row.text(3);
  outbox.payload = row.text(4);
  outbox.state = static_cast<OutboxState>(row.integer(5));
  outbox.attempts = static_cast<int>(row.integer(6));
  outbox.not_before = row.integer(7);
  outbox.deadline = row.integer(8);
  return outbox;
}

std::vector<OutboxRow> read_outbox_rows(const db::Rows& rows) {
  std::vector<OutboxRow> outbox;
  outbox.reserve(rows.size());
  for (const db::Row& row : rows) outbox.push_back(read_outbox_row(row));
  return outbox;
}

bool follows_alike(const OutboxRow& row, const OutboxRow& before) {
  return row.id == before.id + 1 && row.state == before.state && row.attempts == before.attempts &&
         row.not_before == before.not_before;
}

}  // namespace

void insert_outbox(db::Transaction& transaction, std::span<const OutboxRow> rows) {
  insert_rows<outbox_columns>(transaction, insert_outbox_rows, insert_one_outbox_row, rows,
                              [](const OutboxRow& row, std::span<db::Value> values) {
                                values[0] = row.id;
                                values[1] = row.account.value;
                                values[2] = row.chat;
                                values[3] = row.origin;
                                values[4] = row.payload;
                                values[5] = static_cast<std::int64_t>(row.state);
                                values[6] = static_cast<std::int64_t>(row.attempts);
                                values[7] = row.not_before;
                                values[8] = row.deadline;
                              });
}

// Neighbours that change alike, as a batch that is about to be sent does, take one statement.
void update_outbox(db::Transaction& transaction, std::span<const OutboxRow> rows) {
  while (!rows.empty()) {
    std::size_t count = 1;
    while (count < rows.size() && follows_alike(rows[count], rows[count - 1])) ++count;
    const OutboxRow& first = rows.front();
    transaction.execute("UPDATE outbox SET state = $1, attempts = $2, not_before = $3 WHERE id BETWEEN $4 AND $5",
                        {static_cast<std::int64_t>(first.state), std::int64_t{first.attempts}, first.not_before,
                         first.id, rows[count - 1].id});
    rows = rows.subspan(count);
  }
}

void remove_outbox(db::Transaction& transaction, std::span<const IdRange> ranges) {
  for (const IdRange& range : ranges) {
    transaction.execute("DELETE FROM outbox WHERE id BETWEEN $1 AND $2", {range.first, range.last});
  }
}

std::vector<OutboxRow> read_outbox(db::Transaction& transaction, const std::string& transport, std::int64_t after,
                                   int limit) {
  return read_outbox_rows(transaction.query(
      "SELECT id, account, chat, origin, payload, state, attempts, not_before, deadline FROM outbox "
      "WHERE account IN (SELECT id FROM accounts WHERE transport = $1) AND id > $2 ORDER BY id LIMIT $3",
      {transport, after, std::int64_t{limit}}));
}

std::vector<OutboxRow> read_outbox(db::Transaction& transaction, base::AccountId account, std::int64_t after,
                                   int limit) {
  return read_outbox_rows(
      transaction.query("SELECT id, account, chat, origin, payload, state, attempts, not_before, deadline FROM outbox "
                        "WHERE account = $1 AND id > $2 ORDER BY id LIMIT $3",
                        {account.value, after, std::int64_t{limit}}));
}

std::vector<OutboxRow> read_orphaned_outbox(db::Transaction& transaction) {
  return read_outbox_rows(
      transaction.query("SELECT id, account, chat, origin, payload, state, attempts, not_before, deadline FROM outbox "
                        "WHERE account NOT IN (SELECT id FROM accounts) ORDER BY id"));
}

std::vector<OutboxRow> read_outbox(db::Transaction& transaction, std::span<const std::int64_t> ids) {
  std::vector<OutboxRow> found;
  std::array<db::Value, 16> asked;
  while (!ids.empty()) {
    const std::size_t count = std::min(ids.size(), asked.size());
    asked.fill(ids.front());  // one that is named twice is found once
    std::copy_n(ids.begin(), count, asked.begin());
    auto rows = read_outbox_rows(transaction.query(
        "SELECT id, account, chat, origin, payload, state, attempts, not_before, deadline FROM outbox "
        "WHERE id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ORDER BY id",
        asked));
    std::move(rows.begin(), rows.end(), std::back_inserter(found));
    ids = ids.subspan(count);
  }
  return found;
}

std::int64_t count_outbox(db::Transaction& transaction, const std::string& transport) {
  return transaction
      .query("SELECT COUNT(*) FROM outbox WHERE account IN (SELECT id FROM accounts WHERE transport = $1)", {transport})
      .at(0)
      .integer(0);
}

}  // namespace wherry::store

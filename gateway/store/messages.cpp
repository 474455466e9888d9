#include "gateway/store/messages.hpp"

#include "gateway/store/many_rows.hpp"

#include <algorithm>
#include <bit>

namespace wherry::store {

namespace {

constexpr std::size_t message_columns = 8;
constexpr char insert_message[] =
    "INSERT INTO message_map (id, account, network_hash, network_id, origin, chat, stage, created)";
// A report may have named the message before its send returned with the network's id.
constexpr char name_it[] =
    " ON CONFLICT (id) DO UPDATE SET network_hash = excluded.network_hash, network_id = excluded.network_id "
    "WHERE excluded.network_hash IS NOT NULL";
constexpr InsertText<message_columns, 1, sizeof insert_message, sizeof name_it> insert_one_message(insert_message,
                                                                                                   name_it);
constexpr InsertText<message_columns, rows_at_once, sizeof insert_message, sizeof name_it> insert_messages(
    insert_message, name_it);

// FNV-1a: a short key for the index; the text itself is compared too. It is in the table, so it must never change.
std::int64_t hash_of(std::string_view network_id) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : network_id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return std::bit_cast<std::int64_t>(hash);
}

SentMessage read_message(const db::Row& row) {
  SentMessage sent;
  sent.id = row.integer(0);
  sent.account = {row.integer(1)};
  sent.network_id = row.text(2);
  sent.origin = row.text(3);
  sent.chat = row.text(4);
  if (!row.is_null(5)) sent.stage = static_cast<connector::Stage>(row.integer(5));
  sent.created = row.integer(6);
  return sent;
}

std::optional<SentMessage> read_first(const db::Rows& rows) {
  if (rows.empty()) return std::nullopt;
  return read_message(rows.front());
}

// PostgreSQL refuses a statement that names a row twice (manual, INSERT, ON CONFLICT).
bool has_twice(std::span<const SentMessage> messages) {
  for (std::size_t i = 1; i < messages.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (messages[i].id == messages[j].id) return true;
    }
  }
  return false;
}

void insert_alike(db::Transaction& transaction, std::span<const SentMessage> messages) {
  insert_rows<message_columns>(transaction, insert_messages, insert_one_message, messages,
                               [](const SentMessage& sent, std::span<db::Value> values) {
                                 values[0] = sent.id;
                                 values[1] = sent.account.value;
                                 values[2] = std::monostate();
                                 if (!sent.network_id.empty()) values[2] = hash_of(sent.network_id);
                                 values[3] = sent.network_id;
                                 values[4] = sent.origin;
                                 values[5] = sent.chat;
                                 values[6] = std::monostate();
                                 if (sent.stage) values[6] = static_cast<std::int64_t>(*sent.stage);
                                 values[7] = sent.created;
                               });
}

}  // namespace

void insert_sent(db::Transaction& transaction, std::span<const SentMessage> messages) {
  while (!messages.empty()) {
    std::size_t count = std::min(messages.size(), rows_at_once);
    if (has_twice(messages.first(count))) count = 1;
    insert_alike(transaction, messages.first(count));
    messages = messages.subspan(count);
  }
}

std::optional<SentMessage> find_sent(db::Transaction& transaction, base::AccountId account, std::int64_t id) {
  return read_first(transaction.query(
      "SELECT id, account, network_id, origin, chat, stage, created FROM message_map WHERE id = $1 AND account = $2",
      {id, account.value}));
}

// Of several the newest: a network may use its ids again after some months.
std::optional<SentMessage> find_sent(db::Transaction& transaction, base::AccountId account,
                                     std::string_view network_id) {
  return read_first(transaction.query(
      "SELECT id, account, network_id, origin, chat, stage, created FROM message_map "
      "WHERE account = $1 AND network_hash = $2 AND network_id = $3 AND origin <> '' ORDER BY id DESC LIMIT 1",
      {account.value, hash_of(network_id), std::string(network_id)}));
}

std::vector<SentMessage> read_early_reports(db::Transaction& transaction, const std::string& transport) {
  std::vector<SentMessage> reports;
  for (const db::Row& row :
       transaction.query("SELECT id, account, network_id, origin, chat, stage, created FROM message_map "
                         "WHERE id > (SELECT MIN(id) FROM outbox) AND origin = '' AND account IN (SELECT id FROM "
                         "accounts WHERE transport = $1) "
                         "ORDER BY id",
                         {transport})) {
    reports.push_back(read_message(row));
  }
  return reports;
}

void remove_sent(db::Transaction& transaction, std::span<const std::int64_t> ids) {
  for (const std::int64_t id : ids) transaction.execute("DELETE FROM message_map WHERE id = $1", {id});
}

void set_stage(db::Transaction& transaction, std::int64_t id, connector::Stage stage) {
  transaction.execute("UPDATE message_map SET stage = $1 WHERE id = $2", {static_cast<std::int64_t>(stage), id});
}

void remove_sent_beyond(db::Transaction& transaction, std::int64_t most) {
  transaction.execute("DELETE FROM message_map WHERE id <= (SELECT MAX(id) FROM message_map) - $1", {most});
}

void remove_sent_before(db::Transaction& transaction, std::int64_t created) {
  transaction.execute("DELETE FROM message_map WHERE created < $1", {created});
}

}  // namespace wherry::store

#include "gateway/store/messages.hpp"

#include "gateway/store/many_rows.hpp"

#include <algorithm>
#include <bit>

namespace wherry::store {

namespace {

constexpr std::size_t message_columns = 12;
constexpr char insert_head[] =
    "INSERT INTO messages (id, part, parts, account, kind, network_hash, network_id, stanza_hash, origin, chat, stage, "
    "created)";
// A report may have named the message before its send returned with the network's id.
constexpr char name_it[] =
    " ON CONFLICT (id, part) DO UPDATE SET network_hash = excluded.network_hash, network_id = excluded.network_id, "
    "parts = excluded.parts "
    "WHERE excluded.network_hash IS NOT NULL";
constexpr InsertText<message_columns, 1, sizeof insert_head, sizeof name_it> insert_one(insert_head, name_it);
constexpr InsertText<message_columns, rows_at_once, sizeof insert_head, sizeof name_it> insert_many(insert_head,
                                                                                                    name_it);

#define WHERRY_MESSAGE_COLUMNS "id, part, parts, account, kind, network_id, stanza_hash, origin, chat, stage, created"

MessageRow read_message(const db::Row& row) {
  MessageRow message;
  message.id = row.integer(0);
  message.part = row.integer(1);
  message.parts = row.integer(2);
  message.account = {row.integer(3)};
  message.kind = static_cast<MessageRow::Kind>(row.integer(4));
  message.network_id = row.text(5);
  if (!row.is_null(6)) message.stanza_hash = row.integer(6);
  message.origin = row.text(7);
  message.chat = row.text(8);
  if (!row.is_null(9)) message.stage = static_cast<connector::Stage>(row.integer(9));
  message.created = row.integer(10);
  return message;
}

std::vector<MessageRow> read_all(const db::Rows& rows) {
  std::vector<MessageRow> messages;
  for (const db::Row& row : rows) messages.push_back(read_message(row));
  return messages;
}

std::optional<MessageRow> read_first(const db::Rows& rows) {
  if (rows.empty()) return std::nullopt;
  return read_message(rows.front());
}

db::Value or_null(std::int64_t hash) {
  if (hash == 0) return std::monostate();
  return hash;
}

// PostgreSQL refuses a statement that names a row twice (manual, INSERT, ON CONFLICT).
bool has_twice(std::span<const MessageRow> messages) {
  for (std::size_t i = 1; i < messages.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (messages[i].id == messages[j].id && messages[i].part == messages[j].part) return true;
    }
  }
  return false;
}

void insert_alike(db::Transaction& transaction, std::span<const MessageRow> messages) {
  insert_rows<message_columns>(transaction, insert_many, insert_one, messages,
                               [](const MessageRow& message, std::span<db::Value> values) {
                                 values[0] = message.id;
                                 values[1] = message.part;
                                 values[2] = message.parts;
                                 values[3] = message.account.value;
                                 values[4] = static_cast<std::int64_t>(message.kind);
                                 values[5] = or_null(message.network_id.empty() ? 0 : hash_of_id(message.network_id));
                                 values[6] = message.network_id;
                                 values[7] = or_null(message.stanza_hash);
                                 values[8] = message.origin;
                                 values[9] = message.chat;
                                 values[10] = std::monostate();
                                 if (message.stage) values[10] = static_cast<std::int64_t>(*message.stage);
                                 values[11] = message.created;
                               });
}

}  // namespace

// It is in the table, so it must never change.
std::int64_t hash_of_id(std::string_view id) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash == 0 ? 1 : std::bit_cast<std::int64_t>(hash);
}

void insert_messages(db::Transaction& transaction, std::span<const MessageRow> messages) {
  while (!messages.empty()) {
    std::size_t count = std::min(messages.size(), rows_at_once);
    if (has_twice(messages.first(count))) count = 1;
    insert_alike(transaction, messages.first(count));
    messages = messages.subspan(count);
  }
}

std::optional<MessageRow> find_message(db::Transaction& transaction, base::AccountId account, std::int64_t id) {
  return read_first(transaction.query("SELECT " WHERRY_MESSAGE_COLUMNS
                                      " FROM messages WHERE id = $1 AND part = 0 AND account = $2 AND kind <> 2",
                                      {id, account.value}));
}

std::optional<MessageRow> find_message(db::Transaction& transaction, base::AccountId account,
                                       std::string_view network_id) {
  return read_first(transaction.query("SELECT " WHERRY_MESSAGE_COLUMNS
                                      " FROM messages WHERE account = $1 AND network_hash = $2 AND network_id = $3 "
                                      "AND kind <> 2 ORDER BY id DESC LIMIT 1",
                                      {account.value, hash_of_id(network_id), std::string(network_id)}));
}

std::vector<MessageRow> find_sent_by_stanza(db::Transaction& transaction, base::AccountId account,
                                            std::int64_t stanza_hash) {
  return read_all(transaction.query("SELECT " WHERRY_MESSAGE_COLUMNS
                                    " FROM messages WHERE account = $1 AND stanza_hash = $2 AND part = 0 "
                                    "ORDER BY id DESC LIMIT 10",
                                    {account.value, stanza_hash}));
}

std::vector<MessageRow> read_parts(db::Transaction& transaction, base::AccountId account, std::int64_t id) {
  return read_all(transaction.query("SELECT " WHERRY_MESSAGE_COLUMNS
                                    " FROM messages WHERE id = $1 AND account = $2 AND kind <> 2 ORDER BY part",
                                    {id, account.value}));
}

std::vector<MessageRow> read_early_reports(db::Transaction& transaction, const std::string& transport) {
  return read_all(transaction.query("SELECT " WHERRY_MESSAGE_COLUMNS
                                    " FROM messages WHERE id > (SELECT MIN(id) FROM outbox) AND kind = 2 AND "
                                    "account IN (SELECT id FROM accounts WHERE transport = $1) ORDER BY id",
                                    {transport}));
}

void remove_messages(db::Transaction& transaction, std::span<const std::int64_t> ids) {
  for (const std::int64_t id : ids) transaction.execute("DELETE FROM messages WHERE id = $1", {id});
}

void set_stage(db::Transaction& transaction, std::int64_t id, std::int64_t part, connector::Stage stage) {
  transaction.execute("UPDATE messages SET stage = $1 WHERE id = $2 AND part = $3",
                      {static_cast<std::int64_t>(stage), id, part});
}

void remove_messages_beyond(db::Transaction& transaction, std::int64_t most) {
  transaction.execute("DELETE FROM messages WHERE id <= (SELECT MAX(id) FROM messages) - $1", {most});
}

void remove_messages_before(db::Transaction& transaction, std::int64_t created) {
  transaction.execute("DELETE FROM messages WHERE created < $1", {created});
}

}  // namespace wherry::store

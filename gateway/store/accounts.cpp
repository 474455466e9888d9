#include "gateway/store/accounts.hpp"

#include <nlohmann/json.hpp>

#include <stdexcept>

namespace wherry::store {

namespace {

using nlohmann::json;

std::string seal_context(base::AccountId account) {
  return "account:" + std::to_string(account.value) + ":credentials";
}

std::string seal(const connector::Answers& credentials, base::AccountId account, const base::Sealer& sealer) {
  return sealer.seal(json(credentials).dump(-1, ' ', false, json::error_handler_t::replace), seal_context(account));
}

std::string open(const std::string& sealed, base::AccountId account, const base::Sealer& sealer) {
  auto plain = sealer.open(sealed, seal_context(account));
  if (plain) return std::move(*plain);
  throw std::runtime_error("The credentials of account " + std::to_string(account.value) + " cannot be opened. " +
                           plain.error().text);
}

connector::Answers parse_credentials(const std::string& text, base::AccountId account) {
  try {
    return json::parse(text).get<connector::Answers>();
  } catch (const json::exception&) {
    throw std::runtime_error("The credentials of account " + std::to_string(account.value) +
                             " are not a JSON object of texts.");
  }
}

// As bits, in the table for ever.
std::int64_t to_integer(const Refusals& refuses) {
  return (refuses.edits ? 1 : 0) | (refuses.reactions ? 2 : 0) | (refuses.replies ? 4 : 0);
}

AccountRow read_row(const db::Row& row, const std::string& transport, const base::Sealer& sealer) {
  const base::AccountId id{row.integer(0)};
  auto user = xmpp::Jid::vouched(row.text(1));
  if (!user)
    throw std::runtime_error("The user of account " + std::to_string(id.value) + " is not a JID: " + user.error().text);
  AccountRow account{id,
                     transport,
                     std::move(*user),
                     parse_credentials(open(row.text(2), id, sealer), id),
                     static_cast<AccountPolicy>(row.integer(3)),
                     row.text(4),
                     row.integer(5) != 0,
                     row.text(6),
                     read_refusals(row.integer(7)),
                     row.integer(8) != 0,
                     row.integer(9) != 0};
  return account;
}

// Word that a message failed. In a JSON string these quotes would be escaped (convert::to_text of a SendFailed).
constexpr char remove_but_failures[] =
    "DELETE FROM inbox WHERE account = $1 AND payload NOT LIKE '%\"type\":\"failed\",%'";
constexpr char remove_orphans_but_failures[] =
    "DELETE FROM inbox WHERE account NOT IN (SELECT id FROM accounts) AND payload NOT LIKE '%\"type\":\"failed\",%'";

}  // namespace

Refusals read_refusals(std::int64_t bits) { return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0}; }

void insert_account(db::Transaction& transaction, const AccountRow& account, const base::Sealer& sealer) {
  const std::string user(account.user.bare_view());
  transaction.execute("INSERT INTO users (jid) VALUES ($1) ON CONFLICT DO NOTHING", {user});
  transaction.execute(
      "INSERT INTO accounts (id, transport, user_jid, credentials, policy, lang, imports, alias, refuses, named, "
      "logged_out) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING",
      {account.id.value, account.transport, user, seal(account.credentials, account.id, sealer),
       static_cast<std::int64_t>(account.policy), account.lang, std::int64_t{account.imports}, account.alias,
       to_integer(account.refuses), std::int64_t{account.named}, std::int64_t{account.logged_out}});
}

void update_account(db::Transaction& transaction, const AccountRow& account, const base::Sealer& sealer) {
  transaction.execute("UPDATE accounts SET credentials = $1, policy = $2, lang = $3, imports = $4 WHERE id = $5",
                      {seal(account.credentials, account.id, sealer), static_cast<std::int64_t>(account.policy),
                       account.lang, std::int64_t{account.imports}, account.id.value});
}

void set_preferences(db::Transaction& transaction, base::AccountId account, const Preferences& wanted) {
  transaction.execute("UPDATE accounts SET policy = $1, imports = $2, refuses = $3 WHERE id = $4",
                      {static_cast<std::int64_t>(wanted.policy), std::int64_t{wanted.imports},
                       to_integer(wanted.refuses), account.value});
}

void set_named(db::Transaction& transaction, base::AccountId account, bool named) {
  transaction.execute("UPDATE accounts SET named = $1 WHERE id = $2", {std::int64_t{named}, account.value});
}

void set_logged_out(db::Transaction& transaction, base::AccountId account, bool logged_out) {
  transaction.execute("UPDATE accounts SET logged_out = $1 WHERE id = $2", {std::int64_t{logged_out}, account.value});
}

void remove_account(db::Transaction& transaction, base::AccountId account, Unsent unsent) {
  const auto found = transaction.query("SELECT user_jid FROM accounts WHERE id = $1", {account.value});
  transaction.execute("DELETE FROM contacts WHERE account = $1", {account.value});
  if (unsent == Unsent::erased) transaction.execute("DELETE FROM outbox WHERE account = $1", {account.value});
  if (unsent == Unsent::erased) transaction.execute("DELETE FROM inbox WHERE account = $1", {account.value});
  remove_written_meanwhile(transaction, account);
  transaction.execute("DELETE FROM accounts WHERE id = $1", {account.value});
  if (found.empty()) return;
  transaction.execute("DELETE FROM users WHERE jid = $1 AND NOT EXISTS (SELECT 1 FROM accounts WHERE user_jid = $1)",
                      {found.front().text(0)});
}

void remove_written_meanwhile(db::Transaction& transaction, base::AccountId account) {
  transaction.execute(remove_but_failures, {account.value});
  transaction.execute("DELETE FROM messages WHERE account = $1", {account.value});
}

void remove_orphans(db::Transaction& transaction) {
  transaction.execute(remove_orphans_but_failures);
  transaction.execute("DELETE FROM messages WHERE account NOT IN (SELECT id FROM accounts)");
}

std::vector<base::AccountId> accounts_of(db::Transaction& transaction, const xmpp::Jid& user) {
  std::vector<base::AccountId> accounts;
  for (const db::Row& row :
       transaction.query("SELECT id FROM accounts WHERE user_jid = $1 ORDER BY id", {std::string(user.bare_view())})) {
    accounts.push_back({row.integer(0)});
  }
  return accounts;
}

std::vector<AccountRow> read_accounts(db::Transaction& transaction, const std::string& transport,
                                      const base::Sealer& sealer) {
  std::vector<AccountRow> accounts;
  for (const db::Row& row : transaction.query(
           "SELECT id, user_jid, credentials, policy, lang, imports, alias, refuses, named, logged_out FROM "
           "accounts WHERE transport = $1 ORDER BY id",
           {transport})) {
    accounts.push_back(read_row(row, transport, sealer));
  }
  return accounts;
}

int reseal_accounts(db::Transaction& transaction, const base::Sealer& sealer) {
  int changed = 0;
  for (const db::Row& row : transaction.query("SELECT id, credentials FROM accounts ORDER BY id")) {
    if (sealer.is_current(row.text(1))) continue;
    const base::AccountId id{row.integer(0)};
    transaction.execute("UPDATE accounts SET credentials = $1 WHERE id = $2",
                        {sealer.seal(open(row.text(1), id, sealer), seal_context(id)), id.value});
    ++changed;
  }
  return changed;
}

}  // namespace wherry::store

// Tables `users` and `accounts`: who is registered, with what.
#pragma once

#include "gateway/base/ids.hpp"
#include "gateway/base/secret.hpp"
#include "gateway/connector/contract.hpp"
#include "gateway/db/database.hpp"
#include "gateway/xmpp/jid.hpp"

#include <optional>
#include <string>
#include <vector>

namespace wherry::store {

// When the session is up: always, or while the user has a presence.
enum class AccountPolicy { always_on = 0, follow_presence = 1 };

// What the user would rather have refused than said in words, where the network has no such thing.
struct Refusals {
  bool edits = false, reactions = false, replies = false;
  bool operator==(const Refusals&) const = default;
};

// As its column has it.
Refusals read_refusals(std::int64_t bits);

// What a user may change of an account without a new login.
struct Preferences {
  AccountPolicy policy{};
  bool imports = false;
  Refusals refuses;
};

struct AccountRow {
  base::AccountId id;
  std::string transport;           // its domain
  xmpp::Jid user;                  // bare
  connector::Answers credentials;  // sealed in the table, as one field
  AccountPolicy policy = AccountPolicy::always_on;
  std::string lang;     // of the user, from the registration's xml:lang; may be empty
  bool imports = true;  // whether the user wants the network's contact list
  std::string alias{};  // tells the user's accounts of one transport apart; empty: the first one
  Refusals refuses{};
  bool named = false;       // the user has the gateway in the roster by its name (~gateway), too
  bool logged_out = false;  // by the user, until they log in again
};

// Inserts the account, and its user when new. Does nothing when the id is there already: a commit of unknown outcome
// runs again. Throws where the user has an account of that alias with the transport.
void insert_account(db::Transaction& transaction, const AccountRow& account, const base::Sealer& sealer);
// Writes credentials, policy, lang and imports.
void update_account(db::Transaction& transaction, const AccountRow& account, const base::Sealer& sealer);
void set_preferences(db::Transaction& transaction, base::AccountId account, const Preferences& wanted);
void set_named(db::Transaction& transaction, base::AccountId account, bool named);
void set_logged_out(db::Transaction& transaction, base::AccountId account, bool logged_out);
// What becomes of an account's messages that were not sent, and of word that some failed.
enum class Unsent {
  erased,
  kept,  // until their sender has been told (read_orphaned_outbox, read_inbox)
};
// Removes the account with everything that is kept for it (contacts, queues, message map), and its user when that was
// the last account. Its seen ids are keyed hashes that tell nothing, and expire.
void remove_account(db::Transaction& transaction, base::AccountId account, Unsent unsent = Unsent::erased);
// What was written of an account's inbox and message map while it was being removed. Word that a message failed stays.
void remove_written_meanwhile(db::Transaction& transaction, base::AccountId account);
// Removes rows of the inbox and the message map whose account is gone: what was on its way when the account was
// removed. Word that a message of theirs failed stays until its sender has it. Once, at start, before anything is read.
void remove_orphans(db::Transaction& transaction);

// Every account of a transport, in order of id. Throws std::runtime_error, naming the account, where a credential
// cannot be opened.
std::vector<AccountRow> read_accounts(db::Transaction& transaction, const std::string& transport,
                                      const base::Sealer& sealer);

// A user's accounts on all transports, also on those that are configured no more.
std::vector<base::AccountId> accounts_of(db::Transaction& transaction, const xmpp::Jid& user);

// Seals again what is not sealed with the sealer's present key; returns how many accounts it changed.
int reseal_accounts(db::Transaction& transaction, const base::Sealer& sealer);

// How many entries the connectors of a user's transports keep for themselves. Which of them are about the user only the
// connector could say: they are neither exported nor erased, and the export says so.
std::int64_t count_connector_entries(db::Transaction& transaction, const xmpp::Jid& user);

// What the store holds of one user, all transports, as a JSON text for that user (GDPR art. 15, 20); secrets left out,
// and what is not included is named in it.
std::string export_user(db::Transaction& transaction, const xmpp::Jid& user);

}  // namespace wherry::store

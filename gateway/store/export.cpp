// What a user may ask to see (GDPR art. 15, 20).
#include "gateway/store/accounts.hpp"
#include "gateway/store/contacts.hpp"
#include "gateway/store/inbox.hpp"
#include "gateway/store/outbox.hpp"

#include "gateway/base/text.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <limits>

namespace wherry::store {

namespace {

using nlohmann::json;
constexpr int everything = std::numeric_limits<int>::max();

std::string time_text(std::int64_t milliseconds) { return base::to_rfc3339(base::from_milliseconds(milliseconds)); }

// Queue rows hold JSON, which is shown as such.
json embedded(const std::string& text) {
  json parsed = json::parse(text, nullptr, false);
  return parsed.is_discarded() ? json(text) : parsed;
}

json export_contacts(db::Transaction& transaction, base::AccountId account) {
  json contacts = json::array();
  for (const ContactRow& row : read_contacts(transaction, account)) {
    contacts.push_back({{"contact", row.contact.value},
                        {"name", row.name},
                        {"calls_itself", row.nick},
                        {"you_see_presence", row.user_sees},
                        {"you_asked", row.user_asked},
                        {"sees_your_presence", row.contact_sees}});
  }
  return contacts;
}

json export_outbox(db::Transaction& transaction, base::AccountId account) {
  json waiting = json::array();
  for (const OutboxRow& row : read_outbox(transaction, account, 0, everything)) {
    waiting.push_back({{"chat", row.chat},
                       {"origin", embedded(row.origin)},
                       {"action", embedded(row.payload)},
                       {"deadline", time_text(row.deadline)}});
  }
  return waiting;
}

json export_inbox(db::Transaction& transaction, base::AccountId account) {
  json waiting = json::array();
  for (const InboxRow& row : read_inbox(transaction, account, 0, everything)) {
    waiting.push_back({{"received", time_text(row.created)}, {"event", embedded(row.payload)}});
  }
  return waiting;
}

json export_sent(db::Transaction& transaction, base::AccountId account) {
  static constexpr std::array stages{"accepted", "delivered", "read", "failed"};
  json sent = json::array();
  for (const db::Row& row : transaction.query("SELECT chat, network_id, origin, stage, created FROM messages WHERE "
                                              "account = $1 AND kind = 0 AND part = 0 ORDER BY id",
                                              {account.value})) {
    json message{{"chat", row.text(0)},
                 {"network_id", row.text(1)},
                 {"origin", embedded(row.text(2))},
                 {"sent", time_text(row.integer(4))}};
    if (!row.is_null(3)) message["stage"] = stages.at(static_cast<std::size_t>(row.integer(3)));
    sent.push_back(std::move(message));
  }
  return sent;
}

// What the user would rather have refused than said in words.
json export_refusals(const Refusals& refuses) {
  json names = json::array();
  if (refuses.edits) names.push_back("edits");
  if (refuses.reactions) names.push_back("reactions");
  if (refuses.replies) names.push_back("replies");
  return names;
}

}  // namespace

std::int64_t count_connector_entries(db::Transaction& transaction, const xmpp::Jid& user) {
  return transaction
      .query(
          "SELECT COUNT(*) FROM connector_storage WHERE transport IN (SELECT transport FROM accounts WHERE user_jid = "
          "$1)",
          {std::string(user.bare_view())})
      .at(0)
      .integer(0);
}

std::string export_user(db::Transaction& transaction, const xmpp::Jid& user) {
  const std::string jid(user.bare_view());
  json accounts = json::array();
  for (const db::Row& row : transaction.query("SELECT id, transport, policy, lang, alias, imports, refuses, logged_out "
                                              "FROM accounts WHERE user_jid = $1 ORDER BY id",
                                              {jid})) {
    const base::AccountId id{row.integer(0)};
    accounts.push_back({{"account", id.value},
                        {"transport", row.text(1)},
                        {"alias", row.text(4)},
                        {"always_on", row.integer(2) == static_cast<std::int64_t>(AccountPolicy::always_on)},
                        {"lang", row.text(3)},
                        {"imports_contacts", row.integer(5) != 0},
                        {"refuses", export_refusals(read_refusals(row.integer(6)))},
                        {"logged_out", row.integer(7) != 0},
                        {"contacts", export_contacts(transaction, id)},
                        {"messages_to_send", export_outbox(transaction, id)},
                        {"messages_to_deliver", export_inbox(transaction, id)},
                        {"messages_sent", export_sent(transaction, id)}});
  }
  json not_included =
      json::array({"the credentials of each account, which are secret",
                   "files that networks brought: they are in files.folder, below the account's number"});
  if (const std::int64_t entries = count_connector_entries(transaction, user); entries > 0) {
    not_included.push_back(std::to_string(entries) +
                           " entries that the networks' connectors keep for all their users together: how far they "
                           "have read, parts of texts "
                           "whose rest has not come, and which report belongs to which text. They hold numbers, and go "
                           "when they are done with.");
  }
  const json exported{{"user", jid}, {"accounts", std::move(accounts)}, {"not_included", std::move(not_included)}};
  return exported.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace wherry::store

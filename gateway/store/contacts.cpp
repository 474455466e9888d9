#include "gateway/store/contacts.hpp"

#include "gateway/base/text.hpp"

namespace wherry::store {

namespace {

ContactRow read_contact(const db::Row& row) {
  return {{row.text(0)},       row.text(1),         row.integer(2) != 0,
          row.integer(3) != 0, row.integer(4) != 0, static_cast<Offer>(row.integer(5)),
          row.text(6),         row.text(7),         row.text(8)};
}

}  // namespace

// Names come from strangers. What no database holds, and no XML either, would keep the whole contact out of the store.
std::string storable_name(std::string name) {
  if (!base::is_utf8(name)) return {};
  std::erase_if(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return name;
}

void put_contact(db::Transaction& transaction, base::AccountId account, const ContactRow& contact) {
  transaction.execute(
      "INSERT INTO contacts (account, contact, name, user_sees, user_asked, contact_sees, offer, nick, avatar, photo) "
      "SELECT id, $2, $3, CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT), CAST($7 AS BIGINT), $8, $9, $10 "
      "FROM accounts WHERE id = $1 "
      "ON CONFLICT (account, contact) DO UPDATE SET name = excluded.name, user_sees = excluded.user_sees, "
      "user_asked = excluded.user_asked, contact_sees = excluded.contact_sees, offer = excluded.offer, "
      "nick = excluded.nick, avatar = excluded.avatar, photo = excluded.photo",
      {account.value, contact.contact.value, storable_name(contact.name), std::int64_t{contact.user_sees},
       std::int64_t{contact.user_asked}, std::int64_t{contact.contact_sees}, static_cast<std::int64_t>(contact.offer),
       storable_name(contact.nick), storable_name(contact.avatar), contact.photo});
}

void remove_contact(db::Transaction& transaction, base::AccountId account, const base::ContactId& contact) {
  transaction.execute("DELETE FROM contacts WHERE account = $1 AND contact = $2", {account.value, contact.value});
}

std::vector<ContactRow> read_contacts(db::Transaction& transaction, base::AccountId account) {
  std::vector<ContactRow> contacts;
  for (const db::Row& row : transaction.query("SELECT contact, name, user_sees, user_asked, contact_sees, offer, nick, "
                                              "avatar, photo FROM contacts WHERE account = $1 ORDER BY contact",
                                              {account.value})) {
    contacts.push_back(read_contact(row));
  }
  return contacts;
}

std::optional<ContactRow> read_contact(db::Transaction& transaction, base::AccountId account,
                                       const base::ContactId& contact) {
  const auto rows = transaction.query(
      "SELECT contact, name, user_sees, user_asked, contact_sees, offer, nick, avatar, photo FROM contacts WHERE "
      "account = "
      "$1 AND contact = $2",
      {account.value, contact.value});
  if (rows.empty()) return std::nullopt;
  return read_contact(rows.front());
}

}  // namespace wherry::store

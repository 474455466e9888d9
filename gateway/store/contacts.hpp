// Table `contacts`: who is in an account's contact list, and who sees whose presence (RFC 6121 §3).
#pragma once

#include "gateway/base/ids.hpp"
#include "gateway/db/database.hpp"

#include <optional>
#include <string>
#include <vector>

namespace wherry::store {

// What became of a contact that came with the network's own contact list.
enum class Offer {
  none = 0,       // it did not come with it, or the user took it over
  suggested = 1,  // in a list of suggestions (XEP-0144)
  asks = 2,       // it asks to see the user's presence, as contacts do
  declined = 3,   // the user does not want it
};

struct ContactRow {
  base::ContactId contact;
  std::string name;
  bool user_sees = false;     // the user's subscription to the contact is approved
  bool user_asked = false;    // asked for, and not yet answered by the network
  bool contact_sees = false;  // the user approved the contact's subscription
  Offer offer = Offer::none;
  std::string nick = {};    // as the contact calls itself, or empty
  std::string avatar = {};  // the network's name for its picture, or empty
  std::string photo = {};   // SHA-1 of that picture's octets, in hexadecimal; empty: it was not fetched, or cannot be
  bool operator==(const ContactRow&) const = default;
};

// A name as it is stored: without its control characters; one that is not UTF-8 as none.
std::string storable_name(std::string name);

// Nothing where the account is gone: its removal may be on its way while a contact of it changes.
void put_contact(db::Transaction& transaction, base::AccountId account, const ContactRow& contact);
void remove_contact(db::Transaction& transaction, base::AccountId account, const base::ContactId& contact);
std::vector<ContactRow> read_contacts(db::Transaction& transaction, base::AccountId account);
std::optional<ContactRow> read_contact(db::Transaction& transaction, base::AccountId account,
                                       const base::ContactId& contact);

}  // namespace wherry::store

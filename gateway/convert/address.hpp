// How a network's addresses look as JIDs, in both directions, and nowhere else (XEP-0106; XEP-0100 §4.5; RFC 7622
// §3.3).
//
//   D                      the gateway, which is the face of a user's first account
//   ~gateway@D             the same, for programs that take no bare domain as a contact; no account has this alias
//   ~alias@D               the face of a further account: its status and its registration
//   contact@D              a contact of the first account
//   contact~alias@D        a contact of a further one
//   #room@D  #room~alias@D a room
//   #room@D/nick           somebody in it
//
// For every id that a connector mints, read(write(id)) == id, whatever a server does to a local part: what preparation
// would change or refuse is written as \xx, the value of each byte in two lower-case hexadecimal digits. So is any ~,
// and a # that begins an id.
#pragma once

#include "gateway/base/ids.hpp"
#include "gateway/xmpp/jid.hpp"

#include <string>
#include <string_view>

namespace wherry::convert {

enum class AddressForm { gateway, account, contact, room, occupant };

// How the id was written that was read.
enum class Spelling {
  typed,   // in a way that write() does not write it: unescaped as XEP-0106 has it
  own,     // as write() writes it, and as a person may type it: the connector decides whom it means
  minted,  // as write() writes it, with escapes beyond those of XEP-0106: nobody types it, so the id is the network's
           // own
};

struct Address {
  AddressForm form = AddressForm::gateway;
  std::string alias;  // of the account; empty: the user's first one
  std::string id;     // of the contact or the room, as the connector knows it
  std::string nick;   // of the occupant
  Spelling spelling = Spelling::typed;
  bool is_named = false;  // the gateway, written as ~gateway

  base::ContactId contact() const { return base::ContactId{id}; }
  // Two spellings of one address are one address.
  bool operator==(const Address& other) const {
    return form == other.form && alias == other.alias && id == other.id && nick == other.nick;
  }
};

inline Address contact_address(const base::ContactId& contact, const std::string& alias) {
  return {AddressForm::contact, alias, contact.value, {}};
}
// `is_named`: of the gateway, its address with a local part.
inline Address face_address(const std::string& alias, bool is_named = false) {
  return {alias.empty() ? AddressForm::gateway : AddressForm::account, alias, {}, {}, Spelling::typed, is_named};
}

// [a-z0-9-], 1 to 32 of them, and not the gateway's own name.
bool is_alias(std::string_view text);

// What an address of ours stands for. Fails for a ~ that no alias follows, and for a room without a name.
base::Result<Address> read(const xmpp::Jid& jid);

// "+15550100" at sms.test → +15550100@sms.test; "Nurse" at im.test → \4eurse@im.test. Fails for an id that no local
// part can hold (empty, too long, not UTF-8), and for an alias that is none.
base::Result<xmpp::Jid> write(const Address& address, const xmpp::Jid& domain);
base::Result<xmpp::Jid> write(const base::ContactId& contact, const std::string& alias, const xmpp::Jid& domain);

// An address as a URI (RFC 5122 §2.2): xmpp:+15550100@sms.test.
std::string to_uri(const xmpp::Jid& address);

// What a person typed into jabber:iq:gateway: surrounding space and an xmpp:, sms: or tel: scheme removed.
std::string tidy(std::string_view typed);

}  // namespace wherry::convert

// Where a send came from: whom to tell how it went, and about which stanza.
#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/error.hpp"
#include "gateway/xmpp/stanza.hpp"

#include <string>

namespace wherry::convert {

struct Origin {
  std::string user;            // the full JID that sent it
  std::string contact;         // the JID that it was sent to
  std::string stanza_id;       // may be empty: then nobody can be told which message it was
  std::string type;            // of the stanza: "chat", "normal" …
  std::string lang;            // xml:lang, for texts about it
  bool wants_receipt = false;  // XEP-0184
  std::int64_t sent = 0;       // ms since 1970
  bool wants_marker = false;   // XEP-0333: when the other side has read it
  bool has_origin_id = false;  // its id is unique everywhere (XEP-0359): the same id is the same message
  std::string face;            // the gateway's address where a command sent it, which says how it went; may be empty
  bool operator==(const Origin&) const = default;
};

Origin origin_of(const xmpp::Stanza& stanza, base::Time now);

// As JSON without line breaks; a row that was damaged gives bad_input.
std::string to_text(const Origin& origin);
base::Result<Origin> parse_origin(std::string_view text);

}  // namespace wherry::convert

// Typed views over stanzas, replies and stanza errors (RFC 6120 §8, RFC 6121 §4–5).
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/xmpp/element.hpp"
#include "gateway/xmpp/jid.hpp"
#include "gateway/xmpp/namespaces.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wherry::xmpp {

enum class Kind { message, presence, iq };

// A stanza with valid addresses. Owns its element; moved, not copied, on the way.
struct Stanza {
  Kind kind;
  Jid from;
  Jid to;
  Element element;  // namespace jabber:component:accept

  std::string_view id() const { return element.attribute("id"); }
  std::string_view type() const { return element.attribute("type"); }
  std::string_view lang() const { return element.attribute("xml:lang"); }
  // Of an iq get or set: its one child element, or null (RFC 6120 §8.2.3: exactly one).
  const Element* payload() const;
};

// Nothing, and `element` as it was, where it is no stanza, or from or to is missing or no JID: XEP-0114 §3 obliges the
// server to send both.
std::optional<Stanza> to_stanza(Element&& element);

// ---- Building ----
// An empty stanza between two addresses; type and id may be "".
Element make_stanza(Kind kind, const Jid& from, const Jid& to, std::string_view type, std::string_view id);
// An iq result, from the address that was asked.
Element result_of(const Stanza& iq);

// A stanza error as RFC 6120 §8.3.2 has it.
struct StanzaError {
  std::string type;       // auth, cancel, continue, modify, wait
  std::string condition;  // of §8.3.3
  std::string text;       // for a person; may be empty
  std::string target{};   // of gone and redirect: the other address, as a URI (RFC 6120 §8.3.3.5)
};
// The only table from Errc to conditions: not_found → item-not-found, bad_input → not-acceptable, rejected →
// not-acceptable, conflict → conflict, offline → service-unavailable, unsupported → feature-not-implemented,
// not_authorized → not-authorized, unavailable → remote-server-timeout, uncertain → remote-server-timeout (its text
// says that it may have arrived).
StanzaError to_stanza_error(const base::Error& error);

// The <error/> child, with the legacy code of XEP-0086, which XEP-0077 §8 still demands.
Element error_element(const StanzaError& error, std::string_view lang = "en");
// An error reply: same id, addresses swapped, the error. No copy of the payload except for an iq (whose senders may
// want it) — bodies do not travel back.
Element error_reply(const Stanza& stanza, const StanzaError& error);
Element error_reply(const Stanza& stanza, const base::Error& error);

}  // namespace wherry::xmpp

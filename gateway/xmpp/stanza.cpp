#include "gateway/xmpp/stanza.hpp"

#include "gateway/base/text.hpp"

#include <array>

namespace wherry::xmpp {

namespace {

constexpr std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::message: return "message";
    case Kind::presence: return "presence";
    case Kind::iq: return "iq";
  }
  return "message";
}

std::optional<Kind> kind_of(std::string_view name) {
  for (const Kind kind : {Kind::message, Kind::presence, Kind::iq}) {
    if (name == name_of(kind)) return kind;
  }
  return std::nullopt;
}

// What was asked comes back with its error where it is small (RFC 6120 §8.3.1 leaves it to us): escaped, it can be six
// times what was sent, and a server ends the stream of a component whose stanzas are too large.
constexpr std::size_t most_echoed_bytes = 4 << 10;

constexpr std::size_t most_text_bytes = 4 << 10;  // of an error, whatever a network says

// Language tags are not longer (BCP 47, RFC 5646 §4.4.1), and they are kept: in memory and in rows.
constexpr std::size_t most_lang_bytes = 35;

// XEP-0086 §2 (v1.0); "" for what came after it.
std::string_view legacy_code(std::string_view condition) {
  struct Row {
    std::string_view condition, code;
  };
  static constexpr std::array rows = {
      Row{"bad-request", "400"},
      Row{"conflict", "409"},
      Row{"feature-not-implemented", "501"},
      Row{"forbidden", "403"},
      Row{"gone", "302"},
      Row{"internal-server-error", "500"},
      Row{"item-not-found", "404"},
      Row{"jid-malformed", "400"},
      Row{"not-acceptable", "406"},
      Row{"not-allowed", "405"},
      Row{"not-authorized", "401"},
      Row{"payment-required", "402"},
      Row{"recipient-unavailable", "404"},
      Row{"redirect", "302"},
      Row{"registration-required", "407"},
      Row{"remote-server-not-found", "404"},
      Row{"remote-server-timeout", "504"},
      Row{"resource-constraint", "500"},
      Row{"service-unavailable", "503"},
      Row{"subscription-required", "407"},
      Row{"undefined-condition", "500"},
      Row{"unexpected-request", "400"},
  };
  for (const auto& row : rows) {
    if (row.condition == condition) return row.code;
  }
  return {};
}

}  // namespace

const Element* Stanza::payload() const {
  if (kind != Kind::iq || (type() != "get" && type() != "set")) return nullptr;
  return element.children().size() == 1 ? &element.children().front() : nullptr;
}

std::optional<Stanza> to_stanza(Element&& element) {
  if (element.ns() != ns::component) return std::nullopt;
  const auto kind = kind_of(element.name());
  if (!kind) return std::nullopt;
  auto from = Jid::vouched(element.attribute("from"));
  if (!from) return std::nullopt;
  auto to = Jid::parse(element.attribute("to"));
  if (!to) return std::nullopt;
  if (element.attribute("xml:lang").size() > most_lang_bytes) element.set("xml:lang", "");
  return Stanza{*kind, std::move(*from), std::move(*to), std::move(element)};
}

Element make_stanza(Kind kind, const Jid& from, const Jid& to, std::string_view type, std::string_view id) {
  Element stanza(std::string(name_of(kind)), ns::component);
  stanza.reserve_attributes(4);
  stanza.set("from", from.str()).set("to", to.str()).set("type", type).set("id", id);
  return stanza;
}

Element result_of(const Stanza& iq) { return make_stanza(Kind::iq, iq.to, iq.from, "result", iq.id()); }

StanzaError to_stanza_error(const base::Error& error) {
  using base::Errc;
  switch (error.code) {
    case Errc::not_found: return {"cancel", "item-not-found", error.text};
    case Errc::bad_input: return {"modify", "not-acceptable", error.text};
    case Errc::rejected: return {"modify", "not-acceptable", error.text};
    case Errc::conflict: return {"cancel", "conflict", error.text};
    case Errc::offline: return {"cancel", "service-unavailable", error.text};
    case Errc::unsupported: return {"cancel", "feature-not-implemented", error.text};
    case Errc::not_authorized: return {"auth", "not-authorized", error.text};
    case Errc::unavailable: return {"wait", "remote-server-timeout", error.text};
    case Errc::uncertain: {
      // Not "wait": that asks the client to try again (RFC 6120 §8.3.2), and the message could arrive twice.
      std::string text = "It is not known whether this arrived.";
      if (!error.text.empty()) text += " " + error.text;
      return {"cancel", "remote-server-timeout", std::move(text)};
    }
  }
  return {"cancel", "undefined-condition", error.text};
}

Element error_element(const StanzaError& error, std::string_view lang) {
  Element element("error", ns::component);
  element.set("type", error.type).set("code", legacy_code(error.condition));
  element.add(error.condition, ns::stanza_errors).set_text(error.target);
  if (!error.text.empty())
    element.add("text", ns::stanza_errors)
        .set("xml:lang", lang)
        .set_text(base::utf8_prefix(error.text, most_text_bytes));
  return element;
}

Element error_reply(const Stanza& stanza, const StanzaError& error) {
  auto reply = make_stanza(stanza.kind, stanza.to, stanza.from, "error", stanza.id());
  if (const Element* payload = stanza.payload(); payload && payload->to_xml().size() <= most_echoed_bytes)
    reply.add(*payload);
  reply.add(error_element(error));
  return reply;
}

Element error_reply(const Stanza& stanza, const base::Error& error) {
  return error_reply(stanza, to_stanza_error(error));
}

}  // namespace wherry::xmpp

#include "gateway/convert/to_stanzas.hpp"

#include "gateway/base/text.hpp"
#include "gateway/convert/address.hpp"
#include "gateway/convert/presence.hpp"

namespace wherry::convert {

namespace ns = xmpp::ns;
using xmpp::Element;
using xmpp::Kind;

namespace {

constexpr std::chrono::seconds delay_shown_after{10};
// servers refuse stanzas above 64 KiB and more; a longer text comes in parts
constexpr std::size_t most_body_bytes = 48 << 10;

// as XEP-0066 has it beside the text: a longer one is in the text alone, which can be cut
constexpr std::size_t most_link_bytes = 2 << 10;
constexpr std::size_t most_name_bytes = 256;  // what networks call people
constexpr const char* nothing_to_show = "This message came without anything that can be shown here.";

base::Result<xmpp::Jid> sender(const base::ContactId& contact, const StanzaContext& context) {
  return write(contact, context.alias, context.domain);
}

// Files travel as links in the text, each on a line of its own; a lone one also as XEP-0066 has it.
std::string body_of(const connector::Content& content) {
  std::string body = content.text;
  for (const auto& file : content.files) {
    if (!body.empty()) body += '\n';
    body += file.url;
  }
  return body;
}

Element message_stanza(const connector::MessageReceived& message, const xmpp::Jid& from, std::string_view body,
                       const std::string& id, const StanzaContext& context) {
  Element stanza = xmpp::make_stanza(Kind::message, from, context.user, "chat", id);
  stanza.add_text_child("body", body);
  const auto& files = message.content.files;
  if (files.size() == 1 && message.content.text.empty() && files.front().url.size() <= most_link_bytes) {
    stanza.add("x", ns::oob).add_text_child("url", files.front().url);
  }
  // XEP-0359: the same id when the same message is sent again after a broken link.
  stanza.add("origin-id", ns::stanza_id).set("id", id);
  if (context.now - message.sent_at > delay_shown_after) {
    Element& delay = stanza.add("delay", ns::delay);
    delay.set("from", context.domain.str());
    delay.set("stamp", base::to_rfc3339(message.sent_at));
  }
  return stanza;
}

std::vector<Element> of(const connector::MessageReceived& message, const StanzaContext& context) {
  const auto address = sender(message.sender, context);
  // The face of an account is always an address.
  const xmpp::Jid from = address ? *address : write(face_address(context.alias), context.domain).value();
  std::string body = body_of(message.content);
  // programs hide an empty message, and the network was told that it arrived
  if (base::trim(body).empty()) body = nothing_to_show;
  // Nothing is lost for its sender's name: the gateway itself brings what comes from nobody that can be an address.
  if (!address) body = "‹" + std::string(base::utf8_prefix(message.sender.value, most_name_bytes)) + "›: " + body;
  std::vector<Element> stanzas;
  std::string_view rest = body;
  do {
    const std::string_view part = base::utf8_prefix(rest, most_body_bytes);
    const std::string id = stanzas.empty() ? context.id : context.id + "-" + std::to_string(stanzas.size() + 1);
    stanzas.push_back(message_stanza(message, from, part, id, context));
    rest.remove_prefix(part.size());
  } while (!rest.empty());
  return stanzas;
}

// XEP-0100 §5.2 (rule B1.26): approved, then the contact's presence, then its own request.
std::vector<Element> of(const connector::ContactAnswered& answer, const StanzaContext& context) {
  const auto from = sender(answer.contact, context);
  if (!from) return {};
  if (!answer.accepted) return {xmpp::make_stanza(Kind::presence, *from, context.user, "unsubscribed", context.id)};
  return {xmpp::make_stanza(Kind::presence, *from, context.user, "subscribed", context.id),
          to_presence(*from, context.user, context.contact_availability, context.contact_status),
          xmpp::make_stanza(Kind::presence, *from, context.user, "subscribe", "")};
}

std::vector<Element> of(const connector::ContactAsked& asked, const StanzaContext& context) {
  const auto from = sender(asked.contact, context);
  if (!from) return {};
  Element stanza = xmpp::make_stanza(Kind::presence, *from, context.user, "subscribe", context.id);
  if (!asked.name.empty()) stanza.add("nick", ns::nick).set_text(base::utf8_prefix(asked.name, most_name_bytes));
  return {std::move(stanza)};
}

// Rule B1.33.
std::vector<Element> of(const connector::ContactRemoved& removed, const StanzaContext& context) {
  const auto from = sender(removed.contact, context);
  if (!from) return {};
  return {xmpp::make_stanza(Kind::presence, *from, context.user, "unsubscribe", context.id),
          xmpp::make_stanza(Kind::presence, *from, context.user, "unsubscribed", ""),
          to_presence(*from, context.user, connector::Availability::offline, "")};
}

std::vector<Element> of(const SendDelivered& delivered, const StanzaContext& context) {
  const auto from = xmpp::Jid::parse(delivered.origin.contact);
  const auto to = xmpp::Jid::vouched(delivered.origin.user);
  if (!from || !to) return {};
  Element stanza = xmpp::make_stanza(Kind::message, from->bare(), *to, delivered.origin.type, context.id);
  stanza.add("received", ns::receipts).set("id", delivered.origin.stanza_id);
  return {std::move(stanza)};
}

std::vector<Element> of(const SendRead& read, const StanzaContext& context) {
  const auto from = xmpp::Jid::parse(read.origin.contact);
  const auto to = xmpp::Jid::vouched(read.origin.user);
  if (!from || !to) return {};
  Element stanza = xmpp::make_stanza(Kind::message, from->bare(), *to, read.origin.type, context.id);
  stanza.add("displayed", ns::chat_markers).set("id", read.origin.stanza_id);
  return {std::move(stanza)};
}

// RFC 6121 §8.5.3.2.2: a server drops an error for a resource that has gone. So that the failure is not lost with it,
// the contact's chat says it to whichever of the user's devices is there, now or later, and names the message
// (XEP-0461).
Element failure_note(const SendFailed& failed, const xmpp::Jid& contact, const xmpp::StanzaError& error,
                     const StanzaContext& context) {
  Element stanza = xmpp::make_stanza(Kind::message, contact, context.user, "chat", context.id);
  const std::string sent = base::to_rfc3339(base::from_milliseconds(failed.origin.sent));
  std::string body = "A message that you sent here on " + sent.substr(0, 10) + " at " + sent.substr(11, 5) + " UTC";
  body += failed.code == base::Errc::uncertain ? " may not have been delivered." : " was not delivered.";
  if (!error.text.empty()) body += " " + error.text;
  stanza.add_text_child("body", body);
  if (!failed.origin.stanza_id.empty())
    stanza.add("reply", ns::reply).set("to", failed.origin.user).set("id", failed.origin.stanza_id);
  stanza.add("origin-id", ns::stanza_id).set("id", context.id);
  return stanza;
}

std::vector<Element> of(const SendFailed& failed, const StanzaContext& context) {
  const auto from = xmpp::Jid::parse(failed.origin.contact);
  const auto to = xmpp::Jid::vouched(failed.origin.user);
  if (!from || !to) return {};
  const bool is_presence = failed.origin.type == "subscribe" || failed.origin.type == "subscribed" ||
                           failed.origin.type == "unsubscribe" || failed.origin.type == "unsubscribed";
  Element stanza =
      xmpp::make_stanza(is_presence ? Kind::presence : Kind::message, *from, *to, "error", failed.origin.stanza_id);
  const xmpp::StanzaError error = xmpp::to_stanza_error(base::Error{failed.code, failed.text});
  stanza.add(xmpp::error_element(error));
  std::vector<Element> stanzas = {std::move(stanza)};
  // An end of the waiting (RFC 6121 §3.1.3), which the error alone is not to every server.
  if (failed.origin.type == "subscribe")
    stanzas.push_back(xmpp::make_stanza(Kind::presence, from->bare(), to->bare(), "unsubscribed", ""));
  if (!is_presence && !context.has_sender) stanzas.push_back(failure_note(failed, *from, error, context));
  return stanzas;
}

}  // namespace

std::vector<Element> to_stanzas(const Delivery& delivery, const StanzaContext& context) {
  return std::visit([&](const auto& d) { return of(d, context); }, delivery);
}

}  // namespace wherry::convert

#include "gateway/convert/to_stanzas.hpp"

#include "gateway/base/text.hpp"
#include "gateway/convert/address.hpp"
#include "gateway/convert/files.hpp"
#include "gateway/convert/presence.hpp"

#include <fmt/format.h>

namespace wherry::convert {

namespace ns = xmpp::ns;
using xmpp::Element;
using xmpp::Kind;

namespace {

constexpr std::chrono::seconds delay_shown_after{10};
// servers refuse stanzas above 64 KiB and more; a longer text comes in parts
constexpr std::size_t most_body_bytes = 48 << 10;
constexpr std::size_t most_name_bytes = 256;    // what networks call people
constexpr std::size_t most_reason_bytes = 500;  // of a request
constexpr std::size_t most_quoted_bytes = 300;
constexpr const char* nothing_to_show = "This message came without anything that can be shown here.";

base::Result<xmpp::Jid> sender(const base::ContactId& contact, const StanzaContext& context) {
  return write(contact, context.alias, context.domain);
}

// Always an address.
xmpp::Jid face(const StanzaContext& context) {
  return write(face_address(context.alias, context.is_named), context.domain).value();
}

// Of degrees: six digits are a hand's breadth (RFC 5870).
std::string coordinate(double degrees) { return fmt::format("{:.6f}", degrees); }

std::string quotation_of(const connector::Reply& reply) {
  std::string quoted;
  if (reply.text.empty()) return quoted;
  for (const std::string_view line : base::split(base::utf8_prefix(reply.text, most_quoted_bytes), '\n'))
    quoted.append("> ").append(line).append("\n");
  return quoted;
}

// What is said in words; files that no stanza of their own can share are links, each on a line of its own.
std::string body_of(const connector::Content& content) {
  std::string body = content.text;
  const auto add_line = [&](const std::string& line) { body += (body.empty() ? "" : "\n") + line; };
  for (const auto& file : content.files) {
    if (!file.url.empty()) add_line(file.url);
    else add_line("(A file that cannot be shown here" + (file.name.empty() ? "" : ": " + file.name) + ")");
  }
  if (content.location)
    add_line("geo:" + coordinate(content.location->latitude) + "," + coordinate(content.location->longitude));
  return body;
}

// XEP-0461, with the quotation for programs that know no replies.
void add_reply(Element& stanza, const connector::Reply& reply, std::size_t quoted, const StanzaContext& context) {
  if (reply.ids.empty()) return;
  const auto author = reply.author ? sender(*reply.author, context) : base::Result<xmpp::Jid>(context.user);
  Element& element = stanza.add("reply", ns::reply).set("id", reply.ids.front().value);
  if (author) element.set("to", author->str());
  if (quoted == 0) return;
  Element& fallback = stanza.add("fallback", ns::fallback).set("for", ns::reply);
  fallback.add("body", ns::fallback).set("start", "0").set("end", std::to_string(quoted));
}

// Whose chat it is said in: what the user said elsewhere is shown there, too.
const base::ContactId& speaker(const auto& message) {
  const auto* contact = std::get_if<base::ContactId>(&message.chat);
  return message.from_me && contact ? *contact : message.sender;
}

struct Speech {
  const base::ContactId& sender;
  const connector::Content& content;
  base::Time sent_at;
  bool from_me;
};

// Of one delivery's stanzas, which all have ids for ever. Without a body yet.
Element message_stanza(const Speech& speech, const xmpp::Jid& from, std::size_t stanzas_before,
                       const StanzaContext& context) {
  const std::string id = stanzas_before == 0 ? context.id : context.id + "-" + std::to_string(stanzas_before + 1);
  Element stanza = xmpp::make_stanza(Kind::message, from, context.user, "chat", id);
  // XEP-0359: the same id when the same message is sent again after a broken link.
  stanza.add("origin-id", ns::stanza_id).set("id", id);
  if (context.now - speech.sent_at > delay_shown_after) {
    Element& delay = stanza.add("delay", ns::delay);
    delay.set("from", context.domain.str());
    delay.set("stamp", base::to_rfc3339(speech.sent_at));
  }
  return stanza;
}

// What somebody says, in as many stanzas as it takes; of the first one more is to be said.
std::vector<Element> say(const Speech& speech, const StanzaContext& context) {
  const auto address = sender(speech.sender, context);
  const xmpp::Jid from = address ? *address : face(context);
  std::string body = body_of(speech.content);
  // programs hide an empty message, and the network was told that it arrived
  if (base::trim(body).empty()) body = nothing_to_show;
  const auto& reply = speech.content.reply_to;
  const std::string quotation = reply ? quotation_of(*reply) : std::string();
  body = quotation + body;
  const std::size_t quoted = base::utf8_characters(quotation);
  // A component cannot speak for the user (XEP-0280), and their other program's words must not look like the contact's.
  if (speech.from_me) body = "‹You›: " + body;
  // Nothing is lost for its sender's name: the gateway itself brings what comes from nobody that can be an address.
  if (!address) body = "‹" + std::string(base::utf8_prefix(speech.sender.value, most_name_bytes)) + "›: " + body;
  std::vector<Element> stanzas;
  std::string_view rest = body;
  do {
    const std::string_view part = base::utf8_prefix(rest, most_body_bytes);
    stanzas.push_back(message_stanza(speech, from, stanzas.size(), context));
    stanzas.back().add_text_child("body", part);
    rest.remove_prefix(part.size());
  } while (!rest.empty());
  const bool is_as_quoted = address && !speech.from_me;
  if (reply) add_reply(stanzas.front(), *reply, is_as_quoted ? quoted : 0, context);
  return stanzas;
}

// Whether there is something to say besides the files that are shared apart.
bool has_words(const connector::Content& content) {
  const bool quotes_only = content.reply_to && content.reply_to->ids.empty() && !content.reply_to->text.empty();
  return !base::trim(content.text).empty() || !content.files.empty() || content.location || quotes_only;
}

// Programs show a file whose link is alone in its message.
std::vector<Element> say_and_share(const connector::MessageReceived& message, const StanzaContext& context) {
  connector::Content words = message.content;
  const Speech speech{speaker(message), words, message.sent_at, message.from_me};
  const auto from = sender(speech.sender, context);
  if (!from || message.from_me) return say(speech, context);
  std::vector<connector::File> shared;  // the others are lines of the text
  words.files.clear();
  for (const connector::File& file : message.content.files)
    (can_be_shared(file) && shared.size() < most_files ? shared : words.files).push_back(file);
  std::vector<Element> stanzas;
  if (has_words(words) || shared.empty()) stanzas = say(speech, context);
  for (const connector::File& file : shared) {
    stanzas.push_back(message_stanza(speech, *from, stanzas.size(), context));
    share(stanzas.back(), file);
    const bool is_first = stanzas.size() == 1;
    if (is_first && words.reply_to) add_reply(stanzas.front(), *words.reply_to, 0, context);
  }
  return stanzas;
}

// XEP-0080 §4, beside the link in the text.
void add_place(Element& stanza, const connector::Location& location) {
  Element& place = stanza.add("geoloc", ns::geoloc);
  place.add_text_child("lat", coordinate(location.latitude));
  place.add_text_child("lon", coordinate(location.longitude));
  if (!location.name.empty()) place.add_text_child("text", base::utf8_prefix(location.name, most_name_bytes));
}

std::vector<Element> of(const connector::MessageReceived& message, const StanzaContext& context) {
  std::vector<Element> stanzas = say_and_share(message, context);
  if (message.content.location && !message.from_me) add_place(stanzas.front(), *message.content.location);
  if (context.takes_read_marks && !message.from_me) stanzas.front().add("markable", ns::chat_markers);  // XEP-0333
  if (!message.content.thread.empty()) stanzas.front().add_text_child("thread", message.content.thread);
  return stanzas;
}

// XEP-0308. What does not fit in one stanza goes on in others.
std::vector<Element> of(const connector::MessageEdited& edit, const StanzaContext& context) {
  connector::Content words = edit.content;
  std::erase_if(words.files, can_be_shared);  // which have messages of their own, as they had before
  const connector::Content& said = has_words(words) ? words : edit.content;
  std::vector<Element> stanzas = say({speaker(edit), said, edit.sent_at, edit.from_me}, context);
  stanzas.front().add("replace", ns::correction).set("id", edit.target.value);
  return stanzas;
}

// A message without words of its own. XEP-0334: servers would not keep it else.
base::Result<Element> wordless(const base::ContactId& contact, const StanzaContext& context) {
  const auto from = sender(contact, context);
  if (!from) return from.error();
  Element stanza = xmpp::make_stanza(Kind::message, *from, context.user, "chat", context.id);
  stanza.add("store", ns::hints);
  return stanza;
}

// XEP-0424.
std::vector<Element> of(const connector::MessageRetracted& retraction, const StanzaContext& context) {
  auto stanza = wordless(retraction.sender, context);
  if (!stanza || retraction.from_me) return {};  // the user's own, by another program
  stanza->add("retract", ns::retraction).set("id", retraction.target.value);
  stanza->add("fallback", ns::fallback).set("for", ns::retraction);
  stanza->add_text_child("body", "An older message was taken back, which your program cannot show.");
  return {std::move(*stanza)};
}

// XEP-0444.
std::vector<Element> of(const connector::Reacted& reacted, const StanzaContext& context) {
  auto stanza = wordless(reacted.sender, context);
  if (!stanza || reacted.from_me) return {};  // the user's own, by another program
  Element& reactions = stanza->add("reactions", ns::reactions).set("id", reacted.target.value);
  for (const std::string& reaction : reacted.reactions) reactions.add_text_child("reaction", reaction);
  return {std::move(*stanza)};
}

std::vector<Element> of(const connector::AccountNotice& notice, const StanzaContext& context) {
  Element stanza = xmpp::make_stanza(Kind::message, face(context), context.user, "chat", context.id);
  stanza.add_text_child("body", base::trim(notice.text).empty() ? nothing_to_show : notice.text);
  stanza.add("origin-id", ns::stanza_id).set("id", context.id);
  return {std::move(stanza)};
}

// XEP-0100 §5.2 (rule B1.26): approved, then the contact's presence, then its own request.
std::vector<Element> of(const connector::ContactAnswered& answer, const StanzaContext& context) {
  const auto from = sender(answer.contact, context);
  if (!from) return {};
  if (!answer.accepted) return {xmpp::make_stanza(Kind::presence, *from, context.user, "unsubscribed", context.id)};
  Element presence = context.contact_presence ? *context.contact_presence
                                              : to_presence(*from, context.user, connector::Availability::online, "");
  return {xmpp::make_stanza(Kind::presence, *from, context.user, "subscribed", context.id), std::move(presence),
          xmpp::make_stanza(Kind::presence, *from, context.user, "subscribe", "")};
}

std::vector<Element> of(const connector::ContactAsked& asked, const StanzaContext& context) {
  const auto from = sender(asked.contact, context);
  if (!from) return {};
  Element stanza = xmpp::make_stanza(Kind::presence, *from, context.user, "subscribe", context.id);
  if (!asked.name.empty()) stanza.add("nick", ns::nick).set_text(base::utf8_prefix(asked.name, most_name_bytes));
  if (!asked.text.empty()) stanza.add_text_child("status", base::utf8_prefix(asked.text, most_reason_bytes));
  return {std::move(stanza)};
}

// Rule B1.33.
std::vector<Element> of(const connector::ContactRemoved& removed, const StanzaContext& context) {
  const auto from = sender(removed.contact, context);
  if (!from) return {};
  if (removed.still_seen) return {xmpp::make_stanza(Kind::presence, *from, context.user, "unsubscribe", context.id)};
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
Element failure_note(const SendFailed& failed, const xmpp::Jid& from, const xmpp::StanzaError& error,
                     const StanzaContext& context) {
  Element stanza = xmpp::make_stanza(Kind::message, from, context.user, "chat", context.id);
  const std::string sent = base::to_rfc3339(base::from_milliseconds(failed.origin.sent));
  std::string body =
      failed.origin.face.empty() ? "A message that you sent here" : "Your text to " + failed.origin.contact;
  body += failed.origin.face.empty() ? " on " : " of ";
  body += sent.substr(0, 10) + " at " + sent.substr(11, 5) + " UTC";
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
  const xmpp::StanzaError error = xmpp::to_stanza_error(base::Error{failed.code, failed.text});
  // Nothing was sent to the contact's address that an error could name.
  if (const auto face = xmpp::Jid::parse(failed.origin.face)) return {failure_note(failed, *face, error, context)};
  const bool is_presence = failed.origin.type == "subscribe" || failed.origin.type == "subscribed" ||
                           failed.origin.type == "unsubscribe" || failed.origin.type == "unsubscribed";
  Element stanza =
      xmpp::make_stanza(is_presence ? Kind::presence : Kind::message, *from, *to, "error", failed.origin.stanza_id);
  stanza.add(xmpp::error_element(error));
  std::vector<Element> stanzas = {std::move(stanza)};
  // An end of the waiting (RFC 6121 §3.1.3), which the error alone is not to every server.
  if (failed.origin.type == "subscribe")
    stanzas.push_back(xmpp::make_stanza(Kind::presence, from->bare(), to->bare(), "unsubscribed", ""));
  if (!is_presence && !context.has_sender) stanzas.push_back(failure_note(failed, from->bare(), error, context));
  return stanzas;
}

}  // namespace

std::vector<Element> to_stanzas(const Delivery& delivery, const StanzaContext& context) {
  return std::visit([&](const auto& d) { return of(d, context); }, delivery);
}

}  // namespace wherry::convert

#include "gateway/convert/to_action.hpp"

#include "gateway/base/text.hpp"
#include "gateway/convert/degrade.hpp"
#include "gateway/convert/files.hpp"
#include "gateway/convert/refusals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace wherry::convert {

namespace ns = xmpp::ns;
using xmpp::Element;

namespace {

constexpr std::size_t most_text_bytes = 64 << 10;
constexpr std::size_t most_reactions = 20;       // XEP-0444 sets no bound
constexpr std::size_t most_reaction_bytes = 64;  // an emoji of many code points

struct Payload {
  std::string_view name, ns;
  std::string_view what;  // in a sentence
};

// Each is encrypted for the contact's own program, which a network that cannot carry it does not reach.
constexpr Payload encryptions[] = {
    {"encrypted", "eu.siacs.conversations.axolotl", "OMEMO"},  // XEP-0384, as deployed
    {"encrypted", "urn:xmpp:omemo:2", "OMEMO"},                // XEP-0384
    {"openpgp", "urn:xmpp:openpgp:0", "OpenPGP (OX)"},         // XEP-0373
    {"x", "jabber:x:encrypted", "OpenPGP"},                    // XEP-0027
    {"encryption", "urn:xmpp:eme:0", "encryption"},            // XEP-0380
};

// What is refused whatever the body says: that is for programs that cannot read the payload (XEP-0428).
constexpr Payload acts[] = {
    {"x", "jabber:x:conference", "invitations to rooms"},  // XEP-0249
    {"propose", "urn:xmpp:jingle-message:0", "calls"},     // XEP-0353
    {"propose", "urn:xmpp:jingle-message:1", "calls"},     // XEP-0353, as deployed
    {"invite", "urn:xmpp:call-invites:0", "calls"},        // XEP-0482
};

// What is refused where nothing stands beside it.
constexpr Payload bare_acts[] = {
    {"file-sharing", ns::file_sharing, "files that are sent in this way"},     // XEP-0447
    {"reference", "urn:xmpp:reference:0", "files that are sent in this way"},  // XEP-0385
    {"geoloc", ns::geoloc, "places of this kind"},                             // XEP-0080
    {"attention", "urn:xmpp:attention:0", "calls for attention"},              // XEP-0224
};

template <std::size_t n>
const Payload* find(const Payload (&payloads)[n], const Element& message) {
  const auto found = std::find_if(std::begin(payloads), std::end(payloads), [&](const Payload& payload) {
    return message.child(payload.name, payload.ns) != nullptr;
  });
  return found == std::end(payloads) ? nullptr : found;
}

// ---- Encryption ----

// XEP-0384 §4.6: it only moves keys, and nobody wrote anything.
bool is_key_transport(const Element& message) {
  return std::any_of(message.children().begin(), message.children().end(), [](const Element& child) {
    const bool is_omemo =
        child.is("encrypted", "eu.siacs.conversations.axolotl") || child.is("encrypted", "urn:xmpp:omemo:2");
    return is_omemo && child.child("payload", child.ns()) == nullptr;
  });
}

// What encrypts within the body: OTR (XEP-0364 §2: "?OTR"), OpenPGP, and links with their key (XEP-0454).
std::string_view encryption_within(std::string_view text) {
  if (text.starts_with("?OTR")) return "OTR";
  if (base::trim(text).starts_with("-----BEGIN PGP MESSAGE-----")) return "OpenPGP";
  for (const std::string_view line : base::split(text, '\n')) {
    if (base::trim(line).starts_with("aesgcm://")) return "OMEMO (or the encryption of files)";
  }
  return {};
}

// Behind the text of one who can do OTR: sixteen spaces and tabs, and eight more for each version. They would make a
// text of several parts.
void cut_otr_tag(std::string& text) {
  constexpr std::string_view tag = " \t  \t\t\t\t \t \t \t  ";
  constexpr std::size_t version_bytes = 8;
  const std::size_t at = text.find(tag);
  if (at == std::string::npos) return;
  std::size_t end = at + tag.size();
  const auto is_version = [&] {
    const std::string_view next = std::string_view(text).substr(end, version_bytes);
    return next.size() == version_bytes && next.find_first_not_of(" \t") == std::string_view::npos;
  };
  while (is_version()) end += version_bytes;
  text.erase(at, end - at);
}

// A stanza's id, by which a later one names it.
bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= most_id_bytes && id.find('\0') == std::string_view::npos;
}

connector::Target target(std::string_view stanza_id) {
  connector::Target target;
  target.ids.push_back({std::string(stanza_id)});
  return target;
}

// ---- Placeholders (XEP-0428) ----

struct Range {
  std::size_t begin, end;  // in characters
};

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Goes forward through a text, so that many places of it cost one walk.
class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}
  // The byte at which that character begins; no earlier one than before.
  std::size_t to(std::size_t character) {
    for (; character_ < character && byte_ < text_.size(); ++character_) {
      do ++byte_;
      while (byte_ < text_.size() && continues(text_[byte_]));
    }
    return byte_;
  }

 private:
  std::string_view text_;
  std::size_t byte_ = 0, character_ = 0;
};

std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

// Which part of a text of so many characters is only for programs that cannot read `fallback`'s payload. Nothing where
// it is none.
std::optional<Range> placeholder(const Element& fallback, std::size_t characters) {
  const Element* part = fallback.child("body", fallback.ns());
  if (!part && !fallback.children().empty()) return std::nullopt;  // the subject's
  if (!part || (!part->has_attribute("start") && !part->has_attribute("end"))) return Range{0, characters};
  const auto begin = number(part->attribute("start")), end = number(part->attribute("end"));
  if (!begin || !end || *begin > *end || *end > characters) return std::nullopt;
  return Range{*begin, *end};
}

// Ordered by where they begin. A stanza has no more of them than StreamLimits::children.
std::vector<Range> placeholders(const Element& message, std::string_view text, bool has_files) {
  std::vector<Range> ranges;
  const std::size_t characters = base::utf8_characters(text);
  for (const Element& child : message.children()) {
    if (!child.is("fallback", ns::fallback)) continue;
    const std::string_view payload = child.attribute("for");
    const bool is_link = payload == ns::file_sharing || payload == ns::oob || payload == "urn:xmpp:sims:1";
    if (is_link && !has_files) continue;  // it says what there is to carry
    const auto range = placeholder(child, characters);
    // Somebody who replies has written something: only the quotation above it is a placeholder (XEP-0461 §3.2).
    const bool is_all = range && range->begin == 0 && range->end == characters;
    if (range && !(is_all && payload == ns::reply)) ranges.push_back(*range);
  }
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
  return ranges;
}

// "> What's in a name?" is quoted as "What's in a name?".
std::string without_marks(std::string_view quotation) {
  std::string text;
  for (std::string_view line : base::split(base::trim(quotation), '\n')) {
    if (line.starts_with('>')) line.remove_prefix(1);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (!text.empty()) text += '\n';
    text += line;
  }
  return text;
}

// Some programs put whom they quote above the quotation; on a phone that is its owner, by an address that says nothing
// there.
void remove_author(std::string& quotation, std::string_view address) {
  const std::string line = std::string(address.substr(0, address.find('/'))) + ":\n";
  if (!address.empty() && quotation.starts_with(line)) quotation.erase(0, line.size());
}

// What the message answers to (XEP-0461); its text is the quotation that stands above the answer for programs which
// know no replies.
std::optional<connector::Reply> reply_of(const Element& message, std::string_view text) {
  const Element* reply = message.child("reply", ns::reply);
  if (!reply || !is_id(reply->attribute("id"))) return std::nullopt;
  connector::Reply result;
  result.ids.push_back({std::string(reply->attribute("id"))});
  const std::size_t characters = base::utf8_characters(text);
  for (const Element& child : message.children()) {
    if (!child.is("fallback", ns::fallback) || child.attribute("for") != ns::reply) continue;
    const auto range = placeholder(child, characters);
    if (!range || (range->begin == 0 && range->end == characters)) continue;
    Walk walk(text);
    const std::size_t begin = walk.to(range->begin);
    result.text = without_marks(text.substr(begin, walk.to(range->end) - begin));
    remove_author(result.text, reply->attribute("to"));
    break;
  }
  return result;
}

// Cuts placeholders out. False: nothing but a placeholder was there.
bool cut_placeholders(const Element& message, std::string& text, bool has_files) {
  const std::vector<Range> ranges = placeholders(message, text, has_files);
  if (ranges.empty()) return true;
  std::string rest;
  Walk walk(text);
  std::size_t done = 0, from = 0;  // the same place, in characters and in bytes
  for (const Range& range : ranges) {
    if (range.end <= done) continue;
    if (range.begin > done) rest.append(text, from, walk.to(range.begin) - from);
    done = range.end;
    from = walk.to(done);
  }
  rest.append(text, from);
  if (base::trim(rest).empty()) return false;
  text = std::move(rest);
  return true;
}

// XEP-0424, also in its older form: the id of the message that is taken back. Nothing: that is not asked for.
std::optional<std::string_view> taken_back(const Element& message) {
  const auto is_retraction = [](const Element& child) {
    return child.name() == "retract" && child.ns().starts_with("urn:xmpp:message-retract:");
  };
  for (const Element& child : message.children()) {
    if (is_retraction(child)) return child.attribute("id");
    const bool fastens = child.is("apply-to", "urn:xmpp:fasten:0");
    if (fastens && std::any_of(child.children().begin(), child.children().end(), is_retraction))
      return child.attribute("id");
  }
  return std::nullopt;
}

ActionOrRefusal take_back(std::string_view id) {
  if (!is_id(id)) return cannot_take_back();
  connector::RetractMessage retraction;
  retraction.target = target(id);
  return connector::Action(std::move(retraction));
}

// XEP-0444 §4.2: all reactions of the user to that message.
ActionOrRefusal react(const Element& reactions) {
  if (!is_id(reactions.attribute("id"))) return cannot_carry("a reaction that names no message");
  connector::React react;
  react.target = target(reactions.attribute("id"));
  for (const Element& reaction : reactions.children()) {
    if (!reaction.is("reaction", reactions.ns()) || reaction.text().empty()) continue;
    if (react.reactions.size() == most_reactions || reaction.text().size() > most_reaction_bytes)
      return cannot_carry("so many reactions, or such long ones");
    react.reactions.emplace_back(reaction.text());
  }
  return connector::Action(std::move(react));
}

// What says nothing in words: how far the user has read (XEP-0333), and whether they write (XEP-0085).
ActionOrRefusal state_of(const Element& message) {
  if (const Element* displayed = message.child("displayed", ns::chat_markers);
      displayed && is_id(displayed->attribute("id"))) {
    connector::MarkRead mark;
    mark.target = target(displayed->attribute("id"));
    return connector::Action(std::move(mark));
  }
  connector::SetTyping typing;
  typing.typing = message.child("composing", ns::chat_states) != nullptr;
  if (typing.typing) return connector::Action(std::move(typing));
  for (const char* state : {"active", "paused", "inactive", "gone"}) {
    if (message.child(state, ns::chat_states)) return connector::Action(std::move(typing));
  }
  return NothingToSend{};
}

void append_line(std::string& text, std::string_view line) {
  if (!text.empty() && !line.empty()) text += '\n';
  text += line;
}

// Lines that only repeat a file's link, for programs that know nothing else.
void cut_links(std::string& text, const std::vector<connector::File>& files) {
  if (files.empty()) return;
  std::string rest;
  bool is_first = true;
  for (const std::string_view line : base::split(text, '\n')) {
    const auto is_link = [&](const connector::File& file) { return file.url == base::trim(line); };
    if (std::any_of(files.begin(), files.end(), is_link)) continue;
    if (!std::exchange(is_first, false)) rest += '\n';
    rest += line;
  }
  text = std::move(rest);
}

// XEP-0066.
std::string_view url_of(const Element& message) {
  const Element* oob = message.child("x", ns::oob);
  return oob ? oob->child_text("url", ns::oob) : std::string_view{};
}

// A link that is no file: "xmpp:…", or a longer one than programs open.
std::string_view other_link(const Element& message, const std::vector<connector::File>& files, std::string_view text) {
  const std::string_view url = url_of(message);
  const auto is_it = [&](const connector::File& file) { return file.url == url; };
  const bool is_said = says_link(text, url) || std::any_of(files.begin(), files.end(), is_it);
  return is_said ? std::string_view{} : url;
}

// XEP-0080, as a link that phones open (RFC 5870). Empty: the message names no place.
std::string place_of(const Element& message) {
  const Element* place = message.child("geoloc", ns::geoloc);
  if (!place) return {};
  const auto degrees = [&](const char* name, double most) -> std::optional<double> {
    const std::string_view text = base::trim(place->child_text(name, ns::geoloc));
    double value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_one = error == std::errc() && rest == text.data() + text.size() && !text.empty();
    return is_one && value >= -most && value <= most ? std::optional(value) : std::nullopt;
  };
  const auto latitude = degrees("lat", 90), longitude = degrees("lon", 180);
  return latitude && longitude ? fmt::format("geo:{:.6f},{:.6f}", *latitude, *longitude) : std::string();
}

// What is said of a link or a file in words (XEP-0066, XEP-0446), where the text does not say it already.
void append_descriptions(const Element& message, std::string& text) {
  for (const Element& child : message.children()) {
    std::string_view said;
    if (child.is("x", ns::oob)) said = child.child_text("desc", ns::oob);
    const Element* metadata =
        child.is("file-sharing", ns::file_sharing) ? child.child("file", ns::file_metadata) : nullptr;
    if (metadata) said = metadata->child_text("desc", ns::file_metadata);
    if (text.find(base::trim(said)) == std::string::npos) append_line(text, base::trim(said));
  }
}

// All that the message says in words, and its files.
connector::Content content_of(const Element& message, std::string text, std::vector<connector::File> files) {
  connector::Content content;
  cut_links(text, files);
  content.text = std::string(message.child_text("subject", ns::component));
  append_line(content.text, text);
  append_descriptions(message, content.text);
  append_line(content.text, other_link(message, files, content.text));
  const std::string place = place_of(message);
  if (content.text.find("geo:") == std::string::npos) append_line(content.text, place);
  content.files = std::move(files);
  return content;
}

}  // namespace

std::optional<xmpp::StanzaError> refusal_of_encrypted(const Element& message) {
  if (const Payload* encryption = find(encryptions, message)) return encrypted(encryption->what);
  for (const std::string_view words : {message.child_text("body", ns::component), url_of(message)}) {
    if (const std::string_view method = encryption_within(words); !method.empty()) return encrypted(method);
  }
  return std::nullopt;
}

ActionOrRefusal to_action(const Element& message) {
  std::string text(message.child_text("body", ns::component));
  if (text.empty() && is_key_transport(message)) return NothingToSend{};
  if (const auto refusal = refusal_of_encrypted(message)) return *refusal;
  if (const auto id = taken_back(message)) return take_back(*id);
  if (const Element* reactions = message.child("reactions", ns::reactions)) return react(*reactions);
  if (const Payload* act = find(acts, message)) return cannot_carry(act->what);
  if (text.size() > most_text_bytes) return too_long(most_text_bytes);
  std::optional<connector::Reply> reply = reply_of(message, text);
  std::vector<connector::File> files = files_of(message);
  if (shares_out_of_reach(message)) return cannot_carry("files that are sent in this way");
  if (files.size() > most_files) return cannot_carry("so many files in one message");
  if (!text.empty() && !cut_placeholders(message, text, !files.empty())) {
    if (files.empty()) return cannot_carry("messages of this kind");
    text.clear();
  }
  cut_otr_tag(text);

  connector::Content content = content_of(message, std::move(text), std::move(files));
  const bool is_empty = content.text.empty() && content.files.empty();
  const Element* replaced = message.child("replace", ns::correction);
  if (is_empty && announces_files(message)) return NothingToSend{};
  if (is_empty && replaced) return take_back(replaced->attribute("id"));
  if (is_empty) {
    const Payload* act = find(bare_acts, message);
    return act ? ActionOrRefusal(cannot_carry(act->what)) : state_of(message);
  }
  if (content.text.size() > most_text_bytes) return too_long(most_text_bytes);
  if (message.attribute("id").size() > most_id_bytes) return id_too_long(most_id_bytes);
  content.reply_to = std::move(reply);
  const bool names_it = replaced && is_id(replaced->attribute("id"));
  if (replaced && !names_it) content.text = marked_as_correction(content.text);
  if (!names_it) {
    connector::SendMessage send;
    send.content = std::move(content);
    return connector::Action(std::move(send));
  }
  connector::EditMessage edit;  // XEP-0308
  edit.target = target(replaced->attribute("id"));
  edit.content = std::move(content);
  return connector::Action(std::move(edit));
}

}  // namespace wherry::convert

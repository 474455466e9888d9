#include "gateway/convert/degrade.hpp"

#include "gateway/base/text.hpp"
#include "gateway/convert/files.hpp"

#include <algorithm>
#include <utility>

namespace wherry::convert {

using base::Errc;
using base::Error;
using connector::Capabilities;
using connector::Support;

namespace {

constexpr std::size_t most_quoted_bytes = 60;
constexpr std::int64_t most_septets_of_unicode = 70, most_septets = 160;  // of one SMS

Error cannot(std::string text) { return {Errc::unsupported, std::move(text), {}}; }

// As many units as the network counts (TextLimit::Unit).
std::size_t length(std::string_view text, connector::TextLimit::Unit unit) {
  if (unit == connector::TextLimit::Unit::bytes) return text.size();
  std::size_t units = 0;
  bool is_ascii = true;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    is_ascii &= octet < 0x80;
    if ((octet & 0xC0) != 0x80) units += octet >= 0xF0 ? 2 : 1;
  }
  const bool is_wide = unit == connector::TextLimit::Unit::septets && !is_ascii;
  return is_wide ? (units * most_septets + most_septets_of_unicode - 1) / most_septets_of_unicode : units;
}

// The first words of a quotation, on one line.
std::string short_quote(std::string_view text) {
  std::string line(base::utf8_prefix(text, most_quoted_bytes));
  std::replace(line.begin(), line.end(), '\n', ' ');
  return "> " + line + (line.size() < text.size() ? "…" : "");
}

bool is_done(Support support) { return support == Support::partial || support == Support::full; }

// "image/*" is every picture. A network that names types is not given what nobody knows the type of.
bool is_type(const std::string& type, const std::vector<std::string>& types) {
  const auto is_of = [&](const std::string& allowed) {
    if (!allowed.ends_with("/*")) return allowed == type;
    return type.starts_with(std::string_view(allowed).substr(0, allowed.size() - 1));
  };
  return types.empty() || std::any_of(types.begin(), types.end(), is_of);
}

// Otherwise it goes as a link.
bool is_carried(const connector::File& file, const Capabilities& can) {
  const bool is_small = can.file_bytes == 0 || file.bytes <= can.file_bytes;  // 0: nobody knows, so the network says
  return is_done(can.files) && is_small && is_type(file.media_type, can.file_types);
}

// What a message contains, as the network can take it. Nothing: it can.
std::optional<Error> fit(connector::Content& content, const Capabilities& can, bool knows_reply) {
  if (content.reply_to) {
    const bool refers = is_done(can.reply) && knows_reply;
    if (can.reply == Support::refuse) return cannot("This network has no replies to single messages.");
    if (!refers && can.reply != Support::drop && !content.reply_to->text.empty())
      content.text = short_quote(content.reply_to->text) + "\n" + content.text;
    if (!refers) content.reply_to.reset();
  }
  if (!content.files.empty() && can.files == Support::refuse) return cannot("This network cannot carry files.");
  const auto is_left = [&](const connector::File& file) { return !is_carried(file, can); };
  for (const connector::File& file : content.files) {
    const bool is_said = can.files == Support::drop || says_link(content.text, file.url);
    if (is_left(file) && !is_said) content.text += (content.text.empty() ? "" : "\n") + file.url;
  }
  std::erase_if(content.files, is_left);
  if (can.text.most > 0 && length(content.text, can.text.unit) > can.text.most) {
    const char* unit = can.text.unit == connector::TextLimit::Unit::bytes ? " bytes" : " characters";
    return Error{Errc::bad_input,
                 "This message is too long: at most " + std::to_string(can.text.most) + unit + " can be sent.",
                 {}};
  }
  return std::nullopt;
}

Degraded as_message(connector::ChatId chat, std::string key, connector::Content content, const Capabilities& can) {
  if (auto error = fit(content, can, false)) return std::move(*error);
  connector::SendMessage message;
  message.chat = std::move(chat);
  message.key = std::move(key);
  message.content = std::move(content);
  return connector::Action(std::move(message));
}

Degraded of(connector::SendMessage message, const Capabilities& can, const Referents& referents) {
  const bool had_files = !message.content.files.empty();
  if (auto error = fit(message.content, can, referents.reply.is_known)) return std::move(*error);
  if (had_files && message.content.files.empty() && message.content.text.empty()) return Nothing{};  // all dropped
  return connector::Action(std::move(message));
}

bool is_within(std::chrono::seconds limit, const Referent& referent) {
  return limit.count() == 0 || referent.age <= limit;
}

Error not_yours() {
  return {Errc::rejected, "This message is your contact's: only they can change it or take it back.", {}};
}

Degraded of(connector::EditMessage edit, const Capabilities& can, const Referents& referents) {
  if (!referents.target.is_users) return not_yours();
  switch (can.edit) {
    case Support::refuse: return cannot("This network cannot change a message: your contact keeps the old one.");
    case Support::drop: return Nothing{};
    case Support::fall_back: break;
    case Support::partial:
    case Support::full:
      if (!referents.target.is_known || !is_within(can.edit_within, referents.target)) break;
      if (auto error = fit(edit.content, can, referents.reply.is_known)) return std::move(*error);
      return connector::Action(std::move(edit));
  }
  edit.content.text = marked_as_correction(edit.content.text);
  return as_message(std::move(edit.chat), std::move(edit.key), std::move(edit.content), can);
}

Degraded of(connector::RetractMessage retraction, const Capabilities& can, const Referents& referents) {
  constexpr const char* stays = "This network cannot take a message back: it stays with your contact.";
  if (!referents.target.is_users) return not_yours();
  switch (can.retract) {
    case Support::refuse:
    case Support::fall_back: return cannot(stays);  // words would only point at it
    case Support::drop: return Nothing{};
    case Support::partial:
    case Support::full: break;
  }
  if (!referents.target.is_known) return cannot("This message is not known here any more: it stays with your contact.");
  if (!is_within(can.retract_within, referents.target))
    return cannot("This network takes no message back that is so old: it stays with your contact.");
  return connector::Action(std::move(retraction));
}

// "👍 ♥"
std::string listed(const std::vector<std::string>& reactions) {
  std::string text;
  for (const std::string& reaction : reactions) text += (text.empty() ? "" : " ") + reaction;
  return text;
}

// XEP-0444 §3.3: what a network does not have is not acceptable.
Degraded of(connector::React react, const Capabilities& can, const Referents& referents) {
  switch (can.react) {
    case Support::refuse: return cannot("This network cannot carry reactions; your contact was sent nothing.");
    case Support::drop: return Nothing{};
    case Support::fall_back: {
      if (react.reactions.empty()) return Nothing{};  // a line that was sent stays
      connector::Content content;
      content.text = listed(react.reactions);
      return as_message(std::move(react.chat), std::move(react.key), std::move(content), can);
    }
    case Support::partial:
    case Support::full: break;
  }
  if (!referents.target.is_known) return cannot("The message that you react to is not known here any more.");
  for (const std::string& reaction : react.reactions) {
    const bool is_allowed =
        can.reactions.empty() || std::find(can.reactions.begin(), can.reactions.end(), reaction) != can.reactions.end();
    if (!is_allowed)
      return Error{Errc::bad_input, "This network has only these reactions: " + listed(can.reactions), {}};
  }
  if (can.most_reactions > 0 && react.reactions.size() > can.most_reactions) {
    std::string most = std::to_string(can.most_reactions) + (can.most_reactions == 1 ? " reaction" : " reactions");
    return Error{Errc::bad_input, "This network takes " + most + " of one person to a message at most.", {}};
  }
  return connector::Action(std::move(react));
}

Degraded of(connector::MarkRead mark, const Capabilities& can, const Referents& referents) {
  if (!is_done(can.read_marks) || !referents.target.is_known) return Nothing{};
  return connector::Action(std::move(mark));
}

Degraded of(connector::SetTyping typing, const Capabilities& can, const Referents&) {
  if (!is_done(can.typing)) return Nothing{};
  return connector::Action(typing);
}

// What is no message is the connector's to refuse.
template <class Other>
Degraded of(Other action, const Capabilities&, const Referents&) {
  return connector::Action(std::move(action));
}

}  // namespace

Degraded degrade(connector::Action action, const Capabilities& can, const Referents& referents) {
  return std::visit([&](auto& it) { return of(std::move(it), can, referents); }, action);
}

std::optional<base::Error> refusal(const connector::Action& action, const Capabilities& can) {
  const auto* message = std::get_if<connector::SendMessage>(&action);
  const bool is_plain = message && message->content.files.empty() && !message->content.reply_to;
  if (is_plain && can.text.most == 0) return std::nullopt;  // nearly every message: not worth a copy
  Degraded degraded = degrade(action, can, Referents{{true}, {true}});
  auto* const error = std::get_if<base::Error>(&degraded);
  if (!error) return std::nullopt;
  return std::move(*error);
}

std::string marked_as_correction(std::string_view text) {
  return std::string("✎") + (text.empty() ? "" : " ") + std::string(text);
}

}  // namespace wherry::convert

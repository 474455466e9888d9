#include "gateway/convert/presence.hpp"

#include "gateway/base/text.hpp"
#include "gateway/xmpp/stanza.hpp"

namespace wherry::convert {

namespace {

constexpr std::size_t most_words_bytes = 4 << 10;  // of what somebody says of themselves

}  // namespace

std::string shown_from(const xmpp::Jid& bare) {
  return std::string(bare.bare_view()).append("/").append(presence_resource);
}

xmpp::Element to_presence(const xmpp::Jid& from, const xmpp::Jid& to, connector::Availability availability,
                          std::string_view status) {
  using connector::Availability;
  xmpp::Element stanza =
      xmpp::make_stanza(xmpp::Kind::presence, from, to, availability == Availability::offline ? "unavailable" : "", "");
  stanza.set("from", shown_from(from));
  const char* show = availability == Availability::chat             ? "chat"
                     : availability == Availability::away           ? "away"
                     : availability == Availability::extended_away  ? "xa"
                     : availability == Availability::do_not_disturb ? "dnd"
                                                                    : nullptr;
  if (show) stanza.add_text_child("show", show);
  if (!status.empty()) stanza.add_text_child("status", base::utf8_prefix(status, most_words_bytes));
  return stanza;
}

}  // namespace wherry::convert

#include "gateway/transport/shown.hpp"

#include "gateway/convert/address.hpp"
#include "gateway/convert/presence.hpp"
#include "gateway/xmpp/stanza.hpp"

namespace wherry::transport {

using accounts::LiveAccount;
using accounts::LiveContact;
using connector::Availability;

connector::Availability Shown::of(const LiveAccount& account, const LiveContact& contact) const {
  if (closed_ || !account.is_online() || account.row.logged_out) return Availability::offline;
  return network_has_presence_ ? contact.availability : Availability::online;
}

std::vector<xmpp::Jid> Shown::faces_of(const LiveAccount& account) const {
  std::vector<xmpp::Jid> faces{convert::write(convert::face_address(account.alias()), domain_).value()};
  if (account.row.named) faces.push_back(convert::write(convert::face_address("", true), domain_).value());
  return faces;
}

xmpp::Element Shown::decorated(const LiveAccount& account, const LiveContact* contact, xmpp::Element presence) const {
  if (!presence.attribute("type").empty()) return presence;
  for (const Decorate& decorate : decorations_) decorate(account, contact, presence);
  return presence;
}

xmpp::Element Shown::gateway(const LiveAccount& account, const xmpp::Jid& from, const xmpp::Jid& to) const {
  const auto failure = [&](const char* type, const char* condition) {
    xmpp::Element presence = xmpp::make_stanza(xmpp::Kind::presence, from, to, "error", "");
    presence.set("from", convert::shown_from(from));  // what it showed before is no more
    presence.add(
        xmpp::error_element({type, condition, account.trouble}, account.row.lang.empty() ? "en" : account.row.lang));
    return presence;
  };
  if (closed_) return convert::to_presence(from, to, Availability::offline, "The gateway is being restarted.");
  if (account.row.logged_out)
    return decorated(account, nullptr,
                     convert::to_presence(from, to, Availability::extended_away,
                                          "Logged out. Write “log in” to " + from.str() + " to come back."));
  switch (account.state) {
    case LiveAccount::State::online:
      return decorated(account, nullptr, convert::to_presence(from, to, Availability::online, account.trouble));
    case LiveAccount::State::needs_login: return failure("auth", "not-authorized");
    case LiveAccount::State::offline:
    case LiveAccount::State::connecting: break;
  }
  if (!account.trouble.empty()) return failure("wait", "remote-server-timeout");
  return convert::to_presence(from, to, Availability::offline, "");
}

std::optional<xmpp::Element> Shown::contact(const LiveAccount& account, const LiveContact& contact,
                                            const xmpp::Jid& to) const {
  const auto from = convert::write(contact.row.contact, account.alias(), domain_);
  if (!from) return std::nullopt;
  return decorated(account, &contact,
                   convert::to_presence(*from, to, of(account, contact), closed_ ? std::string() : contact.status));
}

std::optional<xmpp::Element> Shown::wordless(const LiveAccount& account, const base::ContactId& contact) const {
  const auto from = convert::write(contact, account.alias(), domain_);
  if (!from) return std::nullopt;
  return xmpp::make_stanza(xmpp::Kind::message, *from, account.user(), "chat", "");
}

// XEP-0085.
std::optional<xmpp::Element> Shown::typing(LiveAccount& account, const base::ContactId& contact) const {
  const auto found = account.typing.find(contact);
  if (found == account.typing.end()) return std::nullopt;
  auto stanza = wordless(account, contact);
  if (stanza) stanza->add(found->second ? "composing" : "active", xmpp::ns::chat_states);
  if (stanza) stanza->add("no-store", xmpp::ns::hints);
  if (!found->second) account.typing.erase(found);
  return stanza;
}

// XEP-0333: this message of the user's, and those before it.
std::optional<xmpp::Element> Shown::mark(LiveAccount& account, const base::ContactId& contact) const {
  const auto found = account.read_up_to.extract(contact);
  if (found.empty()) return std::nullopt;
  auto stanza = wordless(account, contact);
  if (stanza) stanza->add("displayed", xmpp::ns::chat_markers).set("id", found.mapped());
  return stanza;
}

bool Shown::is_away(base::AccountId id) const {
  const LiveAccount* account = accounts_.find(id);
  return !account || account->is_removed() || (account->presence_seen && account->resources.empty());
}

std::optional<base::ContactId> Shown::contact_after(base::AccountId id,
                                                    const std::optional<base::ContactId>& previous) const {
  const LiveAccount* account = accounts_.find(id);
  if (!account) return std::nullopt;
  auto next = previous ? account->contacts.upper_bound(*previous) : account->contacts.begin();
  while (next != account->contacts.end() && !next->second.row.user_sees) ++next;
  if (next == account->contacts.end()) return std::nullopt;
  return next->first;
}

std::optional<xmpp::Element> Shown::of_contact(LiveAccount& account, const base::ContactId& id,
                                               queues::NewsKind kind) const {
  if (kind == queues::NewsKind::typing) return typing(account, id);
  if (kind == queues::NewsKind::marks) return mark(account, id);
  const auto found = account.contacts.find(id);
  if (found == account.contacts.end() || !found->second.row.user_sees) return std::nullopt;
  return contact(account, found->second, account.user());
}

std::vector<xmpp::Element> Shown::stanzas_for(const queues::News& news) {
  std::vector<xmpp::Element> stanzas;
  LiveAccount* account = accounts_.find(news.account);
  if (!account) return stanzas;
  if (news.of) {
    if (auto stanza = of_contact(*account, *news.of, news.kind)) stanzas.push_back(std::move(*stanza));
  } else if (news.kind == queues::NewsKind::presence) {
    for (const xmpp::Jid& face : faces_of(*account)) stanzas.push_back(gateway(*account, face, account->user()));
  }
  return stanzas;
}

}  // namespace wherry::transport

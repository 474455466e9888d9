#include "gateway/transport/registration.hpp"

#include "gateway/base/log.hpp"
#include "gateway/convert/refusals.hpp"

namespace wherry::transport {

using accounts::LiveAccount;

namespace {

// To remove the first account is to many to be rid of the gateway.
void tell_of_others(Transport& transport, const FormerAccount& former) {
  const std::string others = other_faces(transport, former.user, "");
  if (others.empty()) return;
  xmpp::Element message = xmpp::make_stanza(xmpp::Kind::message, former.faces.back(), former.user, "chat", "");
  message.add_text_child("body", "Your account at " + transport.domain().str() +
                                     " is removed. You have others here, which stay until you remove each of them at "
                                     "its own address: " +
                                     others + ".");
  transport.send(message);
}

}  // namespace

std::optional<xmpp::StanzaError> refusal_to_register(Transport& transport, const xmpp::Jid& user,
                                                     const LiveAccount* account) {
  if (account) return std::nullopt;
  if (!transport.config().registration.allows(user)) return convert::may_not_register(transport.domain());
  if (transport.accounts().of(user).size() >= most_accounts) return convert::too_many_accounts(most_accounts);
  return std::nullopt;
}

std::string other_faces(Transport& transport, const xmpp::Jid& user, const std::string& alias) {
  std::string faces_of_others;
  for (const base::AccountId id : transport.accounts().of(user)) {
    const LiveAccount& other = *transport.accounts().find(id);
    if (other.alias() == alias) continue;
    faces_of_others += (faces_of_others.empty() ? "" : ", ") + transport.face_of(other.alias()).str();
  }
  return faces_of_others;
}

asio::awaitable<bool> unregister(Transport& transport, base::AccountId id, std::function<void()> removed) {
  const LiveAccount* account = transport.accounts().find(id);
  if (!account) {  // removed since it was asked for
    removed();
    co_return true;
  }
  FormerAccount former{id, account->user(), account->alias(), {}, transport.shown().faces_of(*account)};
  for (const auto& [contact, live] : account->contacts) former.contacts.push_back(contact);
  try {
    co_await transport.accounts().remove(id);
  } catch (const std::exception& e) {
    log::error("account.remove_failed", {{"account", id.value}, {"error", e.what()}});
    co_return false;
  }
  log::info("account.removed", {{"transport", transport.domain().str()}, {"account", id.value}});
  removed();
  if (former.alias.empty()) tell_of_others(transport, former);
  transport.hooks().unregistered(former);
  co_return true;
}

}  // namespace wherry::transport

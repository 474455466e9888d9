#include "gateway/transport/for_contact.hpp"

#include "gateway/convert/refusals.hpp"

#include <memory>
#include <utility>

namespace wherry::transport {

void for_contact(Transport& transport, xmpp::Stanza iq, const Party& party, ContactAnswer answer) {
  std::shared_ptr<accounts::Quota::Place> place;  // of a stranger's question; shared: std::function must be copyable
  if (!party.account) {
    auto taken = transport.contacts().place_for(iq.from, {});
    if (!taken) return transport.reply_error(iq, convert::too_many_questions());
    place = std::make_shared<accounts::Quota::Place>(std::move(*taken));
  }
  const base::AccountId id = party.account ? party.account->id() : base::AccountId{};
  const auto held = std::make_shared<xmpp::Stanza>(std::move(iq));
  auto found = [&transport, held, place, id, alias = party.to.alias,
                answer = std::move(answer)](const accounts::Resolved& contact) {
    if (!contact) return transport.reply_error(*held, contact.error());
    const auto right = transport.jid_of(*contact, alias);
    if (right && *right != held->to.bare()) return transport.reply_error(*held, convert::other_address(*right));
    answer(*held, transport.accounts().find(id), *contact);
  };
  transport.contacts().resolve(party.to, party.account, std::move(found));
}

}  // namespace wherry::transport

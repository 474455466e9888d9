// What users are shown of a network: the presence of the gateway and of each contact as it is at that moment. The
// volatile lane asks when the turn has come; who asks by a probe is answered at once.
#pragma once

#include "gateway/accounts/accounts.hpp"
#include "gateway/queues/volatile_lane.hpp"
#include "gateway/xmpp/element.hpp"

#include <functional>
#include <vector>

namespace wherry::transport {

class Shown final : public queues::NewsSource {
 public:
  Shown(accounts::Accounts& accounts, xmpp::Jid domain, bool network_has_presence)
      : accounts_(accounts), domain_(std::move(domain)), network_has_presence_(network_has_presence) {}

  // Adds what a specification asks for to an available presence: a contact's, or, where that is null, the gateway's.
  using Decorate =
      std::function<void(const accounts::LiveAccount&, const accounts::LiveContact*, xmpp::Element& presence)>;
  void decorate(Decorate decorate) { decorations_.push_back(std::move(decorate)); }

  // From now on everybody is unavailable.
  void close() { closed_ = true; }

  // A contact's presence: where the network knows none, available while the session is up.
  connector::Availability of(const accounts::LiveAccount& account, const accounts::LiveContact& contact) const;

  // Where the gateway shows itself to the account's user: as the account's face; and by its name, to those who have
  // that in their roster. What it says unasked comes from the last one.
  std::vector<xmpp::Jid> faces_of(const accounts::LiveAccount& account) const;

  // From one of these, to the user's bare or full address. A login that failed is an error, not a presence with a sad
  // status (XEP-0100 §4.4.2).
  xmpp::Element gateway(const accounts::LiveAccount& account, const xmpp::Jid& from, const xmpp::Jid& to) const;
  // Nothing where no address can hold the contact's id.
  std::optional<xmpp::Element> contact(const accounts::LiveAccount& account, const accounts::LiveContact& contact,
                                       const xmpp::Jid& to) const;

  bool is_away(base::AccountId account) const override;
  std::optional<base::ContactId> contact_after(base::AccountId account,
                                               const std::optional<base::ContactId>& previous) const override;
  std::vector<xmpp::Element> stanzas_for(const queues::News& news) override;

 private:
  std::optional<xmpp::Element> wordless(const accounts::LiveAccount& account, const base::ContactId& contact) const;
  std::optional<xmpp::Element> typing(accounts::LiveAccount& account, const base::ContactId& contact) const;
  std::optional<xmpp::Element> mark(accounts::LiveAccount& account, const base::ContactId& contact) const;
  std::optional<xmpp::Element> of_contact(accounts::LiveAccount& account, const base::ContactId& contact,
                                          queues::NewsKind kind) const;

  xmpp::Element decorated(const accounts::LiveAccount& account, const accounts::LiveContact* contact,
                          xmpp::Element presence) const;

  accounts::Accounts& accounts_;
  xmpp::Jid domain_;
  bool network_has_presence_;
  bool closed_ = false;
  std::vector<Decorate> decorations_;
};

}  // namespace wherry::transport

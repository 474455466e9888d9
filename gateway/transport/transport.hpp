// One configured network: its component domain, its link to the XMPP server, its connector, its accounts. Everything a
// feature (features/) needs is reached from here.
#pragma once

#include "gateway/connector/connector.hpp"
#include "gateway/store/connector_storage.hpp"
#include "gateway/transport/accounts.hpp"
#include "gateway/transport/contact_resolver.hpp"
#include "gateway/transport/inbox.hpp"
#include "gateway/transport/journal.hpp"
#include "gateway/transport/outbox.hpp"
#include "gateway/transport/requests.hpp"
#include "gateway/transport/rosters.hpp"
#include "gateway/transport/router.hpp"
#include "gateway/transport/to_stanzas.hpp"

#include <memory>
#include <string>
#include <vector>

namespace wherry::transport {

// Who may register (nobody else: registering costs money on some networks).
struct RegistrationPolicy {
  std::vector<std::string> domains;  // every user of these
  std::vector<std::string> jids;     // and these, bare
  bool allows(const xmpp::Jid& user) const;
};

struct TransportConfig {
  xmpp::ComponentConfig link;
  std::string name;  // shown to people; empty: the network's own
  store::AccountPolicy policy = store::AccountPolicy::always_on;
  RegistrationPolicy registration;
  OutboxLimits outbox;
  InboxLimits inbox;
};

// What the transport uses and does not own; everything outlives it.
struct TransportServices {
  asio::any_io_executor executor;
  db::Database& database;
  const base::Sealer& sealer;
  const base::Clock& clock;
  std::string store_id;  // of this store, for ever: makes keys and ids unlike those of any other store
};

class Transport {
 public:
  Transport(TransportConfig config, TransportServices services, std::unique_ptr<connector::Connector> connector);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Reads what the store holds, then serves until stop().
  asio::awaitable<void> start();
  // In order: no new work, sessions ended, performs in flight given a moment, unavailable presence, link closed.
  asio::awaitable<void> stop();

  // ---- For the features ----
  const TransportConfig& config() const { return config_; }
  const xmpp::Jid& domain() const { return config_.link.domain; }
  const connector::Network& network() const { return network_; }
  const std::string& name() const { return config_.name.empty() ? network_.name : config_.name; }
  const base::Clock& clock() const { return services_.clock; }
  Router& router() { return router_; }
  Accounts& accounts() { return accounts_; }
  Outbox& outbox() { return outbox_; }
  Inbox& inbox() { return inbox_; }
  ContactResolver& contacts() { return contacts_; }
  Requests& requests() { return requests_; }
  Rosters& rosters() { return rosters_; }
  connector::Connector& connector() { return *connector_; }
  xmpp::Component& link() { return link_; }
  base::TaskGroup& tasks() { return tasks_; }

  void send(const xmpp::Element& stanza) { link_.send(stanza); }
  void reply_error(const xmpp::Stanza& stanza, const base::Error& error) { send(xmpp::error_reply(stanza, error)); }
  void reply_error(const xmpp::Stanza& stanza, const xmpp::StanzaError& error) { send(xmpp::error_reply(stanza, error)); }

  // The JID of a contact here; an id that no JID can hold gives an error.
  base::Result<xmpp::Jid> jid_of(const base::ContactId& contact) const;

  // What features do when something changes; set by them, called here.
  std::function<void(LiveAccount&)> on_account_state;
  std::function<void(LiveAccount&, const connector::PresenceChanged&)> on_contact_presence;
  std::function<void(LiveAccount&)> on_contacts_listed;  // account.listed is new
  std::function<void()> on_link_up;
  std::function<void()> on_stop;

 private:
  class Sink;
  asio::awaitable<void> publish(base::AccountId account, connector::Event event);
  void apply(LiveAccount& account, const connector::Event& event);
  std::vector<xmpp::Element> stanzas_of(const LiveAccount* account, const Delivery& delivery, const std::string& id) const;
  asio::awaitable<void> run_connector();
  asio::awaitable<void> resend_returned();
  asio::awaitable<void> expire();
  AccountEvents account_events();
  OutboxEvents outbox_events();
  xmpp::ComponentEvents link_events();

  TransportConfig config_;
  TransportServices services_;
  std::unique_ptr<connector::Connector> connector_;
  connector::Network network_;
  Router router_;
  Journal journal_;
  xmpp::Component link_;
  Accounts accounts_;
  Outbox outbox_;
  Inbox inbox_;
  ContactResolver contacts_;
  Requests requests_;
  Rosters rosters_;
  bool stopping_ = false;
  base::TaskGroup tasks_, connector_tasks_, link_tasks_;
};

}  // namespace wherry::transport

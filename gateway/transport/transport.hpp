// One configured network: its component domain, its link to the XMPP server, its connector, its accounts. Everything a
// feature (features/) needs is reached from here.
#pragma once

#include "gateway/accounts/accounts.hpp"
#include "gateway/accounts/contact_resolver.hpp"
#include "gateway/accounts/dialogues.hpp"
#include "gateway/accounts/people.hpp"
#include "gateway/accounts/rosters.hpp"
#include "gateway/connector/contract.hpp"
#include "gateway/convert/to_stanzas.hpp"
#include "gateway/files/arrivals.hpp"
#include "gateway/queues/inbox.hpp"
#include "gateway/queues/journal.hpp"
#include "gateway/queues/outbox.hpp"
#include "gateway/queues/reports.hpp"
#include "gateway/queues/volatile_lane.hpp"
#include "gateway/transport/dispatcher.hpp"
#include "gateway/transport/hooks.hpp"
#include "gateway/transport/router.hpp"
#include "gateway/transport/shown.hpp"
#include "gateway/xmpp/iq_requests.hpp"

#include <memory>
#include <string>
#include <vector>

namespace wherry::transport {

// Who may register (nobody else: registering costs money on some networks).
struct RegistrationPolicy {
  std::vector<std::string> domains;  // every user of these
  std::vector<std::string> jids;     // and these, bare
  bool allows(const xmpp::Jid& user) const;
  // Whether anybody of that server may.
  bool allows_some_of(std::string_view domain) const;
};

// What users may want to know of who runs the gateway.
struct ServiceInfo {
  std::vector<std::string> contacts;  // URIs at which whoever runs it is reached (XEP-0157)
  std::string terms;                  // where they can be read, or empty
  std::chrono::hours kept{0};         // the longest that messages and files stay here (XEP-0504)
};

struct TransportConfig {
  xmpp::ComponentConfig link;
  std::string name;  // shown to people; empty: the network's own
  store::AccountPolicy policy = store::AccountPolicy::always_on;
  RegistrationPolicy registration;
  queues::OutboxLimits outbox;
  queues::InboxLimits inbox;
  accounts::SessionLimits sessions{};
  // with what was there before the link was cut, to show itself anew
  std::chrono::milliseconds device_patience{60'000};
  accounts::DialogueLimits dialogues{};
  ServiceInfo service{};
};

// What the transport uses and does not own; everything outlives it.
struct TransportServices {
  asio::any_io_executor executor;
  db::Database& database;
  const base::Sealer& sealer;
  const base::Clock& clock;
  xmpp::Dial dial;  // how the link to the XMPP server is opened
  const queues::Keys& keys;
  queues::Journal& journal;           // of this transport alone
  files::FileStore* files = nullptr;  // null: files that only a connector can fetch do not come
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
  void set_registration(RegistrationPolicy policy) { config_.registration = std::move(policy); }
  const xmpp::Jid& domain() const { return config_.link.domain; }
  const connector::Network& network() const { return network_; }
  const std::string& name() const { return config_.name.empty() ? network_.name : config_.name; }
  const base::Clock& clock() const { return services_.clock; }
  Router& router() { return router_; }
  accounts::Accounts& accounts() { return accounts_; }
  queues::Messages& messages() { return messages_; }
  queues::Outbox& outbox() { return outbox_; }
  queues::Inbox& inbox() { return inbox_; }
  accounts::ContactResolver& contacts() { return contacts_; }
  accounts::People& people() { return people_; }
  accounts::Dialogues& dialogues() { return dialogues_; }
  xmpp::IqRequests& requests() { return requests_; }
  accounts::Rosters& rosters() { return rosters_; }
  connector::Connector& connector() { return *connector_; }
  xmpp::Component& link() { return link_; }
  base::TaskGroup& tasks() { return tasks_; }
  queues::VolatileLane& lane() { return lane_; }
  const Shown& shown() const { return shown_; }
  // Adds to every available presence that is shown from now on.
  void decorate_presence(Shown::Decorate decorate) { shown_.decorate(std::move(decorate)); }
  Hooks& hooks() { return hooks_; }

  void send(const xmpp::Element& stanza) { link_.send(stanza); }
  void reply_error(const xmpp::Stanza& stanza, const base::Error& error) { send(xmpp::error_reply(stanza, error)); }
  void reply_error(const xmpp::Stanza& stanza, const xmpp::StanzaError& error) {
    send(xmpp::error_reply(stanza, error));
  }

  // The JID of a contact of such an account; an id that no JID can hold gives an error.
  base::Result<xmpp::Jid> jid_of(const base::ContactId& contact, const std::string& alias) const;
  // Where such an account itself is addressed: the gateway, or ~alias at it.
  xmpp::Jid face_of(const std::string& alias) const;
  // … as it was written to.
  xmpp::Jid face_of(const Address& to) const;

  // Runs what answers such an iq, and may wait for a network. Where it does not come to its end, since the gateway
  // stops, say, the iq is answered with an error all the same (RFC 6120 §8.2.3).
  void answer_later(std::string name, xmpp::Stanza iq, asio::awaitable<void> work);

  // Until the link can take what is large and may be late: who asks for much waits, and does not fill the memory.
  asio::awaitable<void> room_on_the_link();

  // Sends what nobody waits for, such as thousands of farewells: `next` gives one stanza after the other, until it
  // gives none. It is asked when the link can take one. What is not sent when the transport stops gets a moment then.
  void send_slowly(std::function<std::optional<xmpp::Element>()> next);

 private:
  std::vector<xmpp::Element> stanzas_of(const accounts::LiveAccount* account, const convert::Delivery& delivery,
                                        const std::string& id) const;
  convert::StanzaContext context_for(const accounts::LiveAccount& account, const convert::Delivery& delivery,
                                     const std::string& id) const;
  asio::awaitable<void> answered(xmpp::Stanza iq, asio::awaitable<void> work);
  asio::awaitable<void> send_each(std::function<std::optional<xmpp::Element>()> next);
  asio::awaitable<void> say_farewell();
  asio::awaitable<void> run_connector();
  asio::awaitable<void> resend_returned();
  asio::awaitable<void> expire();
  void link_has_room();
  accounts::AccountEvents account_events();
  void account_registered(accounts::LiveAccount& account, bool is_new);
  void tell_not_stored(base::AccountId account, convert::Origin origin, base::Error error);
  xmpp::ComponentEvents link_events();

  TransportConfig config_;
  TransportServices services_;
  std::unique_ptr<connector::Connector> connector_;
  connector::Network network_;
  Hooks hooks_;
  queues::Journal& journal_;
  xmpp::Component link_;
  accounts::Accounts accounts_;
  Router router_;
  queues::SendsUnderway underway_;
  queues::Messages messages_;
  queues::Inbox inbox_;
  queues::Repeats repeats_;
  queues::Reports reports_;
  queues::Outbox outbox_;
  Shown shown_;
  queues::VolatileLane lane_;
  accounts::People people_;
  files::Arrivals arrivals_;
  Dispatcher dispatcher_;
  accounts::ContactResolver contacts_;
  accounts::Dialogues dialogues_;
  xmpp::IqRequests requests_;
  accounts::Rosters rosters_;
  base::Signal link_changed_;  // it is up or down, has room, or has confirmed something
  bool stopping_ = false;
  base::TaskGroup tasks_, connector_tasks_, link_tasks_, lane_tasks_, slow_tasks_;
  int slow_ = 0;  // of slow_tasks_, how many have something to send
};

}  // namespace wherry::transport

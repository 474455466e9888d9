#include "gateway/transport/transport.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"
#include "gateway/convert/address.hpp"

#include <algorithm>

namespace wherry::transport {

bool RegistrationPolicy::allows(const xmpp::Jid& user) const {
  return std::find(domains.begin(), domains.end(), user.domain()) != domains.end() ||
         std::find(jids.begin(), jids.end(), user.bare_view()) != jids.end();
}

// An account's events: into the transport.
class Transport::Sink final : public connector::EventSink {
 public:
  Sink(Transport& transport, base::AccountId account) : transport_(transport), account_(account) {}
  asio::awaitable<void> publish(connector::Event event) override { return transport_.publish(account_, std::move(event)); }

 private:
  Transport& transport_;
  base::AccountId account_;
};

Transport::Transport(TransportConfig config, TransportServices services, std::unique_ptr<connector::Connector> connector)
    : config_(std::move(config)),
      services_(std::move(services)),
      connector_(std::move(connector)),
      network_(connector_->describe()),
      router_([this](const xmpp::Element& stanza) { send(stanza); }),
      journal_(services_.executor, services_.database, config_.link.domain.str()),
      link_(services_.executor, config_.link, services_.dial, link_events()),
      accounts_(services_.executor, services_.database, services_.sealer, config_.link.domain.str(), account_events()),
      inbox_(services_.executor, journal_, services_.database, accounts_, link_, services_.keys, services_.clock, config_.link.domain.str(), config_.inbox,
             [this](const accounts::LiveAccount* account, const convert::Delivery& delivery, const std::string& id) { return stanzas_of(account, delivery, id); }),
      repeats_(journal_),
      reports_(services_.executor, journal_, services_.database, inbox_, repeats_, services_.keys),
      outbox_(services_.executor, journal_, services_.database, accounts_, reports_, repeats_, services_.keys, services_.clock,
              config_.link.domain.str(), config_.outbox,
              [this](base::AccountId account, convert::Origin origin, base::Error error) { tell_not_stored(account, std::move(origin), std::move(error)); }),
      contacts_(services_.executor),
      requests_(services_.executor, [this](const xmpp::Element& stanza) { send(stanza); }, domain().str(), "q" + std::to_string(base::to_milliseconds(services_.clock.now())) + "-"),
      rosters_(requests_),
      tasks_(services_.executor),
      connector_tasks_(services_.executor),
      link_tasks_(services_.executor) {
  contacts_.use(*connector_);
  router_.on_answer([this](xmpp::Stanza answer) { requests_.answered(std::move(answer)); });
}

Transport::~Transport() = default;

base::Result<xmpp::Jid> Transport::jid_of(const base::ContactId& contact) const { return convert::to_jid(contact, domain()); }

std::vector<xmpp::Element> Transport::stanzas_of(const accounts::LiveAccount* account, const convert::Delivery& delivery, const std::string& id) const {
  const convert::Origin* origin = origin_of(delivery);
  if (account && !origin) return convert::to_stanzas(delivery, {domain(), account->user(), id, services_.clock.now()});
  const auto sender = xmpp::Jid::vouched(origin ? origin->user : "");
  if (!sender) return {};  // nobody is registered any more
  const xmpp::Jid user = sender->bare();
  convert::StanzaContext context{domain(), user, id, services_.clock.now()};
  // Of a user whose presence we were never shown we cannot know; in the first minute that is assumed to be the reason.
  constexpr std::chrono::minutes fresh(1);
  context.has_sender = account && account->presence_seen ? account->resources.contains(sender->str())
                                                         : context.now - base::from_milliseconds(origin->sent) < fresh;
  return convert::to_stanzas(delivery, context);
}

xmpp::ComponentEvents Transport::link_events() {
  xmpp::ComponentEvents events;
  events.received = [this](xmpp::Stanza stanza) { router_.route(std::move(stanza)); };
  events.connected = [this] {
    inbox_.connected();
    if (on_link_up) on_link_up();
  };
  events.disconnected = [this] {
    inbox_.disconnected();
    rosters_.disconnected();
  };
  events.confirmed = [this](xmpp::Sequence sequence) { inbox_.confirmed(sequence); };
  events.writable = [this] { inbox_.pump(); };
  return events;
}

accounts::AccountEvents Transport::account_events() {
  accounts::AccountEvents events;
  events.make_sink = [this](accounts::LiveAccount& account) { return std::make_unique<Sink>(*this, account.id()); };
  events.state_changed = [this](accounts::LiveAccount& account) {
    if (on_account_state) on_account_state(account);
    if (account.is_online()) outbox_.account_online(account);
  };
  events.removed = [this](accounts::LiveAccount& account, const std::vector<store::OutboxRow>& unsent) {
    outbox_.account_removed(account.id(), unsent);
    contacts_.forget(account.id());
  };
  return events;
}

// Past the store, which does not take it.
void Transport::tell_not_stored(base::AccountId account, convert::Origin origin, base::Error error) {
  const convert::Delivery failed = convert::SendFailed{std::move(origin), error.code, std::move(error.text)};
  for (const auto& stanza : stanzas_of(accounts_.find(account), failed, "")) send(stanza);
}

asio::awaitable<void> Transport::start() {
  co_await journal_.start();
  co_await accounts_.load(*connector_);
  co_await inbox_.load(network_);
  co_await repeats_.load(services_.database, domain().str(), services_.clock.now());
  co_await outbox_.load(network_);
  connector_tasks_.spawn("connector", run_connector());
  tasks_.spawn("inbox.returned", resend_returned());
  tasks_.spawn("outbox.expire", expire());
  accounts_.start();
  link_tasks_.spawn("link", link_.run());
}

asio::awaitable<void> Transport::run_connector() {
  base::Backoff backoff(base::BackoffPolicy{}, std::hash<std::string>()(domain().str()));
  constexpr std::chrono::seconds healthy_after(60);
  for (;;) {
    co_await base::sleep(backoff.next());
    const auto began = std::chrono::steady_clock::now();
    try {
      co_await base::apart(connector_->run());
      co_return;  // nothing shared to keep up
    } catch (const std::exception& e) {
      if (stopping_) co_return;  // not asked of the cancellation state: a connector may reset it to end in good order
      log::warn("connector.failed", {{"transport", domain().str()}, {"network", network_.id}, {"error", e.what()}});
    }
    if (std::chrono::steady_clock::now() - began >= healthy_after) backoff.reset();
  }
}

// To users whose presence we do not see, or whose server was not to be reached.
asio::awaitable<void> Transport::resend_returned() {
  for (const std::chrono::hours pause(1);; co_await base::sleep(pause)) inbox_.resend_returned();
}

asio::awaitable<void> Transport::expire() {
  for (const std::chrono::seconds pause(30);; co_await base::sleep(pause)) outbox_.expire();
}

asio::awaitable<void> Transport::publish(base::AccountId account, connector::Event event) {
  if (connector::is_durable(event)) co_await accounts_.until_settled(account);
  accounts::LiveAccount* live = accounts_.find(account);
  if (!live || live->is_removed()) co_return;  // nobody is there to be told; the network may forget it
  apply(*live, event);
  if (auto* progress = std::get_if<connector::MessageProgressed>(&event)) co_await reports_.publish(account, std::move(*progress));
  else if (connector::is_durable(event)) co_await inbox_.publish(account, std::move(event));
}

// What an event changes here, beside what the user is told.
void Transport::apply(accounts::LiveAccount& account, const connector::Event& event) {
  if (const auto* change = std::get_if<connector::AccountChanged>(&event)) return accounts_.report(account, *change);
  if (const auto* presence = std::get_if<connector::PresenceChanged>(&event)) {
    const auto contact = account.contacts.find(presence->contact);
    if (contact == account.contacts.end()) return;
    contact->second.availability = presence->availability;
    contact->second.status = presence->status;
    if (on_contact_presence) on_contact_presence(account, *presence);
    return;
  }
  if (const auto* list = std::get_if<connector::ContactsListed>(&event)) {
    account.listed.clear();
    if (!account.row.imports) return;
    for (const auto& listed : list->contacts) {
      if (!account.contacts.contains(listed.contact)) account.listed.push_back(listed);
    }
    if (on_contacts_listed) on_contacts_listed(account);
    return;
  }
  const auto row_of = [&](const base::ContactId& id) {
    const auto found = account.contacts.find(id);
    store::ContactRow row;
    if (found != account.contacts.end()) row = found->second.row;
    row.contact = id;
    return row;
  };
  if (const auto* answer = std::get_if<connector::ContactAnswered>(&event)) {
    store::ContactRow row = row_of(answer->contact);
    row.user_asked = false;
    row.user_sees = answer->accepted;
    accounts_.put_contact(account, std::move(row));
  } else if (const auto* asked = std::get_if<connector::ContactAsked>(&event)) {
    store::ContactRow row = row_of(asked->contact);
    if (!asked->name.empty()) row.name = asked->name;
    accounts_.put_contact(account, std::move(row));
  } else if (const auto* removed = std::get_if<connector::ContactRemoved>(&event)) {
    accounts_.remove_contact(account, removed->contact);
  }
}

asio::awaitable<void> Transport::stop() {
  constexpr std::chrono::seconds grace(5);
  stopping_ = true;
  contacts_.cancel();
  tasks_.cancel();
  co_await outbox_.stop(grace);
  co_await accounts_.stop();
  connector_tasks_.cancel();
  co_await connector_tasks_.join();
  if (on_stop) on_stop();
  // What was just sent is confirmed in a moment; then it need not be sent again after the next start.
  const auto deadline = std::chrono::steady_clock::now() + grace;
  const std::chrono::milliseconds step(5);
  while (inbox_.waiting() > 0 && link_.is_connected() && std::chrono::steady_clock::now() < deadline) co_await base::sleep(step);
  co_await link_.close(grace);
  link_tasks_.cancel();
  co_await link_tasks_.join();
  co_await tasks_.join();
  co_await reports_.stop();
  co_await inbox_.stop();
  try {
    co_await journal_.commit();  // what was only to ride on a later commit
  } catch (const std::exception&) {  // the store is lost; the journal has said so
  }
}

}  // namespace wherry::transport

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

bool RegistrationPolicy::allows_some_of(std::string_view domain) const {
  const auto is_there = [&](const std::string& jid) {
    return jid.size() > domain.size() && jid.ends_with(domain) && jid[jid.size() - domain.size() - 1] == '@';
  };
  return std::find(domains.begin(), domains.end(), domain) != domains.end() ||
         std::any_of(jids.begin(), jids.end(), is_there);
}

Transport::Transport(TransportConfig config, TransportServices services,
                     std::unique_ptr<connector::Connector> connector)
    : config_(std::move(config)),
      services_(std::move(services)),
      connector_(std::move(connector)),
      network_(connector_->describe()),
      journal_(services_.journal),
      link_(services_.executor, config_.link, services_.dial, link_events()),
      accounts_(services_.executor, services_.database, services_.sealer, config_.link.domain.str(), account_events(),
                config_.sessions),
      router_(accounts_, [this](const xmpp::Element& stanza) { send(stanza); }),
      underway_(services_.executor),
      messages_(services_.executor, journal_, services_.database, underway_, services_.keys),
      inbox_(services_.executor, journal_, services_.database, accounts_, link_, messages_, services_.keys,
             services_.clock, config_.link.domain.str(), config_.inbox,
             [this](const accounts::LiveAccount* account, const convert::Delivery& delivery, const std::string& id) {
               return stanzas_of(account, delivery, id);
             }),
      repeats_(journal_),
      reports_(journal_, services_.database, inbox_, repeats_, messages_, underway_, services_.keys),
      outbox_(services_.executor, journal_, services_.database, accounts_, reports_, repeats_, messages_,
              services_.keys, services_.clock, config_.link.domain.str(), config_.outbox,
              [this](base::AccountId account, convert::Origin origin, base::Error error) {
                tell_not_stored(account, std::move(origin), std::move(error));
              }),
      shown_(accounts_, config_.link.domain, network_.has_presence),
      lane_(services_.executor, link_, accounts_, shown_),
      people_(services_.executor, accounts_,
              [this](const accounts::LiveAccount& account, const base::ContactId& contact) {
                lane_.tell_user(account.id(), contact, queues::NewsKind::presence);
              }),
      arrivals_(services_.executor, services_.files),
      dispatcher_(accounts_, journal_, inbox_, reports_, messages_, people_, lane_, arrivals_, hooks_),
      contacts_(services_.executor),
      dialogues_(services_.executor, accounts_, *connector_,
                 {domain().str(), config_.policy, network_.has_contact_list}, config_.dialogues,
                 [this](accounts::LiveAccount& account, bool is_new) { account_registered(account, is_new); }),
      requests_(
          services_.executor, [this](const xmpp::Element& stanza) { send(stanza); }, domain().str(),
          "q" + std::to_string(base::to_milliseconds(services_.clock.now())) + "-"),
      rosters_(requests_),
      link_changed_(services_.executor),
      tasks_(services_.executor),
      connector_tasks_(services_.executor),
      link_tasks_(services_.executor),
      lane_tasks_(services_.executor),
      slow_tasks_(services_.executor) {
  contacts_.use(*connector_);
  messages_.use(network_);
  router_.on_answer([this](xmpp::Stanza answer) { requests_.answered(std::move(answer)); });
}

Transport::~Transport() = default;

base::Result<xmpp::Jid> Transport::jid_of(const base::ContactId& contact, const std::string& alias) const {
  return convert::write(contact, alias, domain());
}

xmpp::Jid Transport::face_of(const std::string& alias) const {
  return convert::write(convert::face_address(alias), domain()).value();
}

xmpp::Jid Transport::face_of(const Address& to) const {
  return convert::write(convert::face_address(to.alias, to.is_named), domain()).value();
}

std::vector<xmpp::Element> Transport::stanzas_of(const accounts::LiveAccount* account,
                                                 const convert::Delivery& delivery, const std::string& id) const {
  const convert::Origin* origin = origin_of(delivery);
  if (account && !origin) return convert::to_stanzas(delivery, context_for(*account, delivery, id));
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

convert::StanzaContext Transport::context_for(const accounts::LiveAccount& account, const convert::Delivery& delivery,
                                              const std::string& id) const {
  convert::StanzaContext context{domain(), account.user(), id, services_.clock.now()};
  context.alias = account.alias();
  context.is_named = account.row.named;
  const auto* message = std::get_if<connector::MessageReceived>(&delivery);
  const auto can = message && network_.refers_to_messages ? account.capabilities(message->chat) : std::nullopt;
  context.takes_read_marks = can && can->read_marks >= connector::Support::partial;
  const auto* answer = std::get_if<connector::ContactAnswered>(&delivery);
  const auto contact = answer ? account.contacts.find(answer->contact) : account.contacts.end();
  if (contact == account.contacts.end()) return context;
  context.contact_presence = shown_.contact(account, contact->second, account.user());
  return context;
}

void Transport::link_has_room() {
  lane_.wake();
  link_changed_.notify();
}

void Transport::answer_later(std::string name, xmpp::Stanza iq, asio::awaitable<void> work) {
  tasks_.spawn(std::move(name), answered(std::move(iq), std::move(work)));
}

asio::awaitable<void> Transport::answered(xmpp::Stanza iq, asio::awaitable<void> work) {
  try {
    co_await std::move(work);
  } catch (...) {
    reply_error(iq, base::Error{base::Errc::unavailable,
                                stopping_ ? "The gateway is being restarted; please try again in a moment."
                                          : "That could not be found out; please try again."});
    throw;
  }
}

void Transport::send_slowly(std::function<std::optional<xmpp::Element>()> next) {
  ++slow_;
  slow_tasks_.spawn("send_slowly", send_each(std::move(next)));
}

asio::awaitable<void> Transport::room_on_the_link() {
  while (!link_.can_send_volatile()) co_await link_changed_.wait();
}

asio::awaitable<void> Transport::send_each(std::function<std::optional<xmpp::Element>()> next) {
  for (;;) {
    co_await room_on_the_link();
    const auto stanza = next();
    if (!stanza) break;
    link_.send_volatile(*stanza);
  }
  --slow_;
  link_changed_.notify();
}

xmpp::ComponentEvents Transport::link_events() {
  xmpp::ComponentEvents events;
  events.received = [this](xmpp::Stanza stanza) { router_.route(std::move(stanza)); };
  events.connected = [this] {
    inbox_.connected();
    hooks_.link_up();
    link_has_room();
  };
  events.disconnected = [this] {
    inbox_.disconnected();
    rosters_.disconnected();
    link_changed_.notify();
  };
  events.confirmed = [this](xmpp::Sequence sequence) {
    inbox_.confirmed(sequence);
    link_changed_.notify();
  };
  events.writable = [this] {
    inbox_.pump();
    link_has_room();
  };
  return events;
}

accounts::AccountEvents Transport::account_events() {
  accounts::AccountEvents events;
  events.make_sink = [this](accounts::LiveAccount& account) { return dispatcher_.sink_for(account.id()); };
  events.state_changed = [this](accounts::LiveAccount& account) {
    lane_.session_ended(account.id());  // what it was told of the user holds for one session
    hooks_.account_changed(account);
    if (!account.is_online()) return account.early_presence.clear();
    outbox_.account_online(account);
    people_.account_online(account);
  };
  events.removed = [this](accounts::LiveAccount& account, const std::vector<store::OutboxRow>& unsent) {
    outbox_.account_removed(account.id(), unsent);
    inbox_.account_removed(account.id());
    contacts_.forget(account.id());
    lane_.account_removed(account.id());
    people_.account_removed(account.id());
    if (services_.files) services_.files->forget(account.id());
    hooks_.account_removed(account.id());
  };
  return events;
}

void Transport::account_registered(accounts::LiveAccount& account, bool is_new) {
  contacts_.forget(account.id());
  if (is_new) hooks_.registered(account);
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
  // Events may come as soon as the connector knows an account: the queues are loaded before.
  accounts_.start();
  connector_tasks_.spawn("connector", run_connector());
  tasks_.spawn("inbox.returned", resend_returned());
  tasks_.spawn("outbox.expire", expire());
  lane_tasks_.spawn("lane", lane_.run());
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

// Rule B1.53: everybody is unavailable now. What was just sent is confirmed in a moment; then it need not be sent again
// after the next start.
asio::awaitable<void> Transport::say_farewell() {
  shown_.close();
  for (const auto& [id, account] : accounts_.all()) lane_.tell_user_all(id);
  co_await lane_.drained();
  while (slow_ > 0 && link_.is_connected()) co_await link_changed_.wait();
  while (inbox_.waiting() > 0 && link_.is_connected()) co_await link_changed_.wait();
}

asio::awaitable<void> Transport::stop() {
  constexpr std::chrono::seconds grace(5);
  stopping_ = true;
  contacts_.cancel();
  co_await dialogues_.stop();
  tasks_.cancel();
  co_await outbox_.stop(grace);
  co_await lane_.stop();
  co_await people_.stop();
  co_await accounts_.stop();
  co_await connector_tasks_.end();
  if (link_.is_connected()) {
    try {
      co_await base::within(grace, say_farewell());
    } catch (const base::TimedOut&) {
      log::warn("transport.cut", {{"transport", domain().str()}, {"reason", "not everybody could be told in time"}});
    }
  }
  tasks_.cancel();
  lane_tasks_.cancel();
  slow_tasks_.cancel();
  co_await link_.close(grace);
  co_await link_tasks_.end();
  co_await dialogues_.stop();  // also what was begun meanwhile: nothing comes any more
  co_await tasks_.end();
  co_await lane_tasks_.end();
  co_await slow_tasks_.end();  // also what a removal that ended meanwhile has begun
  co_await inbox_.stop();
  try {
    co_await journal_.commit_all();
  } catch (const std::exception&) {  // the store is lost; the journal has said so
  }
}

}  // namespace wherry::transport

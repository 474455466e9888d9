// Every event of a network, to where it belongs: accounts, contacts, the volatile lane, reports or the inbox.
#pragma once

#include "gateway/accounts/accounts.hpp"
#include "gateway/accounts/contacts.hpp"
#include "gateway/accounts/people.hpp"
#include "gateway/files/arrivals.hpp"
#include "gateway/queues/inbox.hpp"
#include "gateway/queues/journal.hpp"
#include "gateway/queues/reports.hpp"
#include "gateway/queues/volatile_lane.hpp"
#include "gateway/transport/hooks.hpp"

#include <memory>

namespace wherry::transport {

class Dispatcher {
 public:
  Dispatcher(accounts::Accounts& accounts, queues::Journal& journal, queues::Inbox& inbox, queues::Reports& reports,
             queues::Messages& messages, accounts::People& people, queues::VolatileLane& lane,
             files::Arrivals& arrivals, const Hooks& hooks)
      : accounts_(accounts),
        journal_(journal),
        inbox_(inbox),
        reports_(reports),
        messages_(messages),
        people_(people),
        lane_(lane),
        arrivals_(arrivals),
        hooks_(hooks) {}

  // Where the events of an account go in. It lives no longer than the dispatcher.
  std::unique_ptr<connector::EventSink> sink_for(base::AccountId account);

  // Returns once what follows from a durable event is durable, and `changes` with it; a volatile one is applied at
  // once.
  boost::asio::awaitable<void> publish(base::AccountId account, connector::Event event, connector::Changes changes);

 private:
  class Sink;
  std::shared_ptr<connector::Session> session_of(base::AccountId account) const;
  bool apply(accounts::LiveAccount& account, const connector::Event& event);
  bool change_contact(accounts::LiveAccount& account, const base::ContactId& contact, accounts::ContactEvent event,
                      std::string_view name = {});
  boost::asio::awaitable<void> note_read(base::AccountId account, connector::MessageRead read);
  void note_typing(accounts::LiveAccount& account, const connector::TypingChanged& change);
  void note_capabilities(accounts::LiveAccount& account, const connector::CapabilitiesChanged& change);
  void note_presence(accounts::LiveAccount& account, const connector::PresenceChanged& change);
  void note_early(accounts::LiveAccount& account, const connector::PresenceChanged& change);
  void note_list_change(accounts::LiveAccount& account, const connector::ContactListChanged& change);
  void note_list(accounts::LiveAccount& account, const connector::ContactsListed& list);

  accounts::Accounts& accounts_;
  queues::Journal& journal_;
  queues::Inbox& inbox_;
  queues::Reports& reports_;
  queues::Messages& messages_;
  accounts::People& people_;
  queues::VolatileLane& lane_;
  files::Arrivals& arrivals_;
  const Hooks& hooks_;
};

}  // namespace wherry::transport

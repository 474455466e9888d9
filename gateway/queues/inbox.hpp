// Network → XMPP: durable, in order, each id once (house.md §5, hops 2–6).
//
// publish() drops what came before, commits a row, and returns: now the connector may acknowledge. The row is sent over
// the link and removed when the link has confirmed it; after a reconnect whatever is unconfirmed is sent again with the
// same stanza id.
#pragma once

#include "gateway/accounts/accounts.hpp"
#include "gateway/convert/delivery.hpp"
#include "gateway/queues/envelope.hpp"
#include "gateway/queues/inbox/returned.hpp"
#include "gateway/queues/journal.hpp"
#include "gateway/queues/messages.hpp"
#include "gateway/queues/seen.hpp"
#include "gateway/xmpp/component.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace wherry::queues {

struct InboxLimits {
  std::size_t in_memory = 5000;            // rows; more wait in the store
  std::size_t in_memory_bytes = 32 << 20;  // and their bytes, about
};

class Inbox {
 public:
  // The stanzas of a delivery, without side effects; `id` is the delivery's for ever. The account is null once it has
  // been removed.
  using ToStanzas = std::function<std::vector<xmpp::Element>(const accounts::LiveAccount*, const convert::Delivery&,
                                                             const std::string& id)>;

  // Milliseconds of a clock that only goes forward.
  using Forward = std::function<std::int64_t()>;

  // `forward`: a test's own.
  Inbox(asio::any_io_executor executor, Journal& journal, db::Database& database, accounts::Accounts& accounts,
        xmpp::Component& link, Messages& messages, const Keys& keys, const base::Clock& clock, std::string transport,
        InboxLimits limits, ToStanzas to_stanzas, Forward forward = {});

  // Before anything else: the rows that an earlier run left, and the ids seen lately.
  asio::awaitable<void> load(connector::Network network);

  // A durable event of the account. Returns once committed; throws when the store is lost. `changes`: see EventSink.
  asio::awaitable<void> publish(base::AccountId account, connector::Event event, connector::Changes changes = {});
  // What we say ourselves: in the commit of the journal's present step.
  void put(base::AccountId account, convert::Delivery delivery);

  // The user's server gave a message of ours (or word of a failure) back: nobody was there, and it does not keep
  // messages, or it lets nothing of this contact through. It stays in the store, and is tried anew (DECISIONS.md 29).
  // Whether there is such a message.
  bool returned(const accounts::LiveAccount& account, std::string_view of_stanza);
  void resend_returned(base::AccountId account);  // the user has come
  // It is erased. What was written of it while the store erased it goes, too.
  void account_removed(base::AccountId account);
  void resend_returned();  // an hour has passed

  // The link's events.
  void connected();
  void disconnected();
  void confirmed(xmpp::Sequence sequence);
  void pump();

  // Nothing of it runs afterwards.
  asio::awaitable<void> stop();

  std::size_t waiting() const { return rows_.size(); }

 private:
  struct Item : Incoming {
    xmpp::Sequence sequence = 0;  // of its last stanza on this connection; 0: not sent
    bool withheld = false;        // by the link: its row stays, unread
  };
  // `before`: the row that it had until now; 0: it is new.
  void put(Incoming message, std::int64_t before = 0);
  void committed(Incoming message);
  void push(Incoming message);
  void drop(std::int64_t id);
  bool is_full() const { return rows_.size() >= limits_.in_memory || bytes_ >= limits_.in_memory_bytes; }
  store::InboxRow row_of(const Incoming& message) const;
  bool is_spilled() const { return newest_spilled_ > newest_in_memory_; }
  Item* find(base::AccountId account, std::int64_t id);
  void store_again(const Incoming& message);
  void resend(base::AccountId account, std::vector<Returned::Waiting> rows);
  asio::awaitable<void> put_again(base::AccountId account, std::vector<Returned::Waiting> rows);
  std::optional<xmpp::Sequence> send_note_for(const xmpp::Element& withheld);
  void reload_if_low();
  bool is_nobodys(const Incoming& message) const;
  bool is_ours(base::AccountId account, const convert::Delivery& delivery) const;
  asio::awaitable<void> reload();
  void take_read(const store::InboxRow& row);
  asio::awaitable<void> reload_at_last();
  std::int64_t now() const { return base::to_milliseconds(clock_.now()); }
  std::string stanza_id(std::int64_t id) const { return "w" + keys_.of(id); }

  Journal& journal_;
  db::Database& database_;
  accounts::Accounts& accounts_;
  xmpp::Component& link_;
  Messages& messages_;
  const Keys& keys_;
  const base::Clock& clock_;
  std::string transport_;
  InboxLimits limits_;
  ToStanzas to_stanzas_;
  Forward forward_;
  connector::Network network_;
  Seen seen_;
  std::deque<Item> rows_;  // committed, unconfirmed, in order of id
  std::size_t bytes_ = 0;  // of them, about
  std::size_t sent_ = 0;   // how many of them, from the front, are on this connection
  // the second above the first: the store holds rows that memory does not
  std::int64_t newest_in_memory_ = 0, newest_spilled_ = 0;
  bool reloading_ = false;
  Returned returned_;
  std::uint64_t not_kept_ = 0;  // events whose commit failed, so far
  base::TaskGroup tasks_;
};

}  // namespace wherry::queues

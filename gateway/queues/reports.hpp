// What became of what was sent: delivered, read, failed; reports that come before their send has returned. Called by the
// outbox, and by the transport for what connectors report.
#pragma once

#include "gateway/queues/envelope.hpp"
#include "gateway/queues/inbox.hpp"
#include "gateway/queues/messages.hpp"
#include "gateway/queues/repeats.hpp"

#include <unordered_map>
#include <vector>

namespace wherry::queues {

class Reports {
 public:
  Reports(asio::any_io_executor executor, Journal& journal, db::Database& database, Inbox& inbox, Repeats& repeats, const Keys& keys);

  // A send failed: its sender hears of it, in the commit of the journal's present step.
  void put_failed(base::AccountId account, convert::Origin origin, base::Error error);
  // The network took a send, or may have it: a report may name it.
  void note_sent(store::SentMessage sent);
  // Something is with the connector, or is not any more: a report may come while it is, and is matched afterwards.
  void perform_began(base::AccountId account) { ++performing_[account].now; }
  void perform_ended(base::AccountId account);
  void forget(base::AccountId account) { performing_.erase(account); }

  // A report from the network. Returns once what follows from it is durable.
  asio::awaitable<void> publish(base::AccountId account, connector::MessageProgressed progress);

  // Nothing of it runs afterwards.
  asio::awaitable<void> stop();

 private:
  struct Performing {
    int now = 0;
    std::uint64_t ended = 0;                            // so far
    std::vector<connector::MessageProgressed> parked;  // reports that came before their sends returned
  };
  asio::awaitable<void> publish_parked(base::AccountId account, std::vector<connector::MessageProgressed> parked);
  asio::awaitable<bool> apply(base::AccountId account, connector::MessageProgressed progress);
  asio::awaitable<std::optional<store::SentMessage>> find(base::AccountId account, std::string network_id);

  Journal& journal_;
  db::Database& database_;
  Inbox& inbox_;
  Repeats& repeats_;
  const Keys& keys_;
  RecentlySent recent_;
  std::unordered_map<base::AccountId, Performing> performing_;
  base::TaskGroup tasks_;
};

}  // namespace wherry::queues

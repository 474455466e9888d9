// What became of what was sent: delivered, read, failed. Called by the outbox, and by the transport for what connectors
// report.
//
//   by our key               it ends the send, also one that is with the connector or is to be tried again
//   by the network's id      before a send has returned with that id nobody knows whose it is: it is kept, in the
//   store, too,
//                            since the network forgets it now, for as long as a send that it can be about has not ended
//   again                    is acknowledged once the first one is durable, and takes its place where it could not be
//   stored
#pragma once

#include "gateway/queues/envelope.hpp"
#include "gateway/queues/inbox.hpp"
#include "gateway/queues/messages.hpp"
#include "gateway/queues/messages/sends_underway.hpp"
#include "gateway/queues/repeats.hpp"

#include <unordered_map>
#include <vector>

namespace wherry::queues {

// The messages that are not known to be sent. One object, which outlives the reports' use of it.
struct UnsentMessages {
  virtual bool end_send(const store::OutboxRow& row, connector::Stage stage) = 0;

 protected:
  ~UnsentMessages() = default;
};

class Reports {
 public:
  Reports(Journal& journal, db::Database& database, Inbox& inbox, Repeats& repeats, Messages& messages,
          SendsUnderway& underway, const Keys& keys);

  void set_unsent(UnsentMessages& unsent) { unsent_ = &unsent; }
  // Before a session comes up, and behind send_began() of what an earlier run left: the reports that it kept.
  asio::awaitable<void> load(std::string transport);

  // The send of the outbox's `row` failed: its sender hears of it, in the commit of the journal's present step.
  void put_failed(base::AccountId account, std::int64_t row, convert::Origin origin, base::Error error);
  // The network took a send, or may have it: a report may name it.
  // `ids`: the network's, of all its parts; none: it names the message by our key.
  void note_sent(store::MessageRow sent, std::vector<base::MessageId> ids);
  // A message that a report has ended before its send returned: the network calls it so.
  void name_sent(base::AccountId account, std::int64_t id, const std::vector<base::MessageId>& ids);
  // note_sent could not be stored.
  void forget_sent(std::int64_t id) { messages_.forget(id); }
  // The network may have a message from now on; or its send has ended, or is provably not with it: in the journal's
  // present step.
  void send_began(base::AccountId account, std::int64_t row, std::string chat) {
    underway_.began(account, row, std::move(chat));
  }
  void send_ended(base::AccountId account, std::int64_t row);
  void forget(base::AccountId account);

  // A report from the network. Returns once what follows from it is durable. `changes`: see EventSink.
  asio::awaitable<void> publish(base::AccountId account, connector::MessageProgressed progress,
                                connector::Changes changes = {});

 private:
  struct Early {                     // a report that came before its send returned
    std::int64_t row = 0;            // in the store
    SendsUnderway::Turn newest = 0;  // that it can be about
    connector::MessageProgressed progress;
  };
  void forget_nobodys(base::AccountId account);
  asio::awaitable<bool> apply(base::AccountId account, connector::MessageProgressed progress,
                              connector::Changes& changes);
  bool follow(base::AccountId account, const store::MessageRow& sent, const connector::MessageProgressed& progress);
  void match_early(base::AccountId account, std::int64_t row, std::size_t part, const std::string& network_id);
  bool keep(base::AccountId account, connector::MessageProgressed progress);
  // `ends_send`: the message was not known to be sent; now it is, in the journal's present step.
  asio::awaitable<std::optional<store::MessageRow>> find(base::AccountId account, connector::MessageProgressed progress,
                                                         bool& ends_send);

  Journal& journal_;
  db::Database& database_;
  Inbox& inbox_;
  Repeats& repeats_;
  Messages& messages_;
  SendsUnderway& underway_;
  const Keys& keys_;
  std::unordered_map<base::AccountId, std::vector<Early>> early_;
  UnsentMessages* unsent_ = nullptr;
  std::uint64_t not_kept_ = 0;  // reports whose commit failed, so far
};

}  // namespace wherry::queues

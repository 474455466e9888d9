// Sends texts, each once.
//
// The API has no idempotency key, so a text is written down before its request (Ledger), and our reference to it stands
// in the URL that the service reports its status to. When the answer is lost, three things tell whether it was sent: a
// report with the reference, the list of messages, and time (twilio_reconciliation.hpp). The same key again, also after
// a crash, finds the record and asks these first. That is what Idempotency::queryable promises, and it holds as far as
// the service's list is complete `look_again` seconds after a request ended; a text that appears later than that is sent
// twice, and logged as twilio.sent_twice.
#pragma once

#include "connectors/sms/carriers/twilio_reports.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/net/token_bucket.hpp"

#include <map>
#include <set>

namespace wherry::sms::twilio {

class Sender {
 public:
  Sender(const Setting& setting, connector::Services services, Ledger& ledger)
      : setting_(setting), services_(services), ledger_(ledger), turns_(services.executor) {}

  asio::awaitable<connector::Result<void>> send(OutgoingText text);

  // Looks a text of unknown outcome up in the list. True: found, and its sid bound. False: not listed.
  asio::awaitable<base::Result<bool>> look_up(std::shared_ptr<Record> record);

 private:
  enum class Fate { sent, absent, unknown };
  struct Sending;
  class Turn;
  asio::awaitable<connector::Result<void>> attempt(std::shared_ptr<Sending> sending);
  asio::awaitable<connector::Result<void>> request(std::shared_ptr<Sending> sending);
  asio::awaitable<connector::Result<void>> take(std::shared_ptr<Record> record, std::string sid);
  asio::awaitable<Fate> reconcile(std::shared_ptr<Record> record);
  asio::awaitable<void> drop(std::shared_ptr<Record> record);
  asio::awaitable<void> pace(std::string number);

  const Setting& setting_;
  connector::Services services_;
  Ledger& ledger_;
  base::Signal turns_;
  std::set<std::string> taken_turns_;  // "from to": one text at a time, so that the list's answer is no other's
  std::map<std::string, net::TokenBucket> buckets_;  // by our number
};

}  // namespace wherry::sms::twilio

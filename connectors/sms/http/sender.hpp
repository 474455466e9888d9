// Sends texts, each once.
//
// A text is written down before its request (Ledger), and every report on it brings our reference back. The id that the
// answer has is written in the commit that says that the text is sent: a crash before that is a lost answer. When the
// answer is lost, these may tell whether it was sent:
//
//   queryable   a report with the reference, the list of messages, and time (reconciliation.hpp). The same key again,
//   also
//               after a crash, finds the record and asks these first. That holds as far as the list is complete
//               `look_again` seconds after a request ended; a text that appears later than that is sent twice, and
//               logged as http_carrier.sent_twice. Where the list does not show texts as they were sent, the outcome
//               stays unknown.
//   by_key      nothing needs to: the provider drops the second request for the same reference.
//   none        a report only; until one has come the text is not sent again.
#pragma once

#include "connectors/sms/http/api_client.hpp"
#include "connectors/sms/http/reports.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/net/token_bucket.hpp"

#include <map>
#include <set>

namespace wherry::sms::http {

class Sender {
 public:
  Sender(const Provider& provider, connector::Services services, ApiClient& api, Ledger& ledger)
      : provider_(provider), services_(services), api_(api), ledger_(ledger), turns_(services.executor) {}

  // See Carrier::send().
  asio::awaitable<connector::Result<connector::Changes>> send(OutgoingText text);

  // Looks a text of unknown outcome up in the list (queryable). Where it is there, the record has its id, and is to be
  // stored.
  asio::awaitable<base::Result<Found>> look_up(std::shared_ptr<Record> record);

 private:
  enum class Fate { sent, absent, unknown };
  asio::awaitable<base::Result<Found>> look_in(std::shared_ptr<Record> record, Filter filter);
  struct Sending;
  class Turn;
  asio::awaitable<connector::Result<connector::Changes>> attempt(std::shared_ptr<Sending> sending);
  asio::awaitable<connector::Result<connector::Changes>> request(std::shared_ptr<Sending> sending);
  connector::Changes take(const std::shared_ptr<Record>& record, std::string id);
  asio::awaitable<Fate> reconcile(std::shared_ptr<Record> record);
  asio::awaitable<void> drop(std::shared_ptr<Record> record);
  asio::awaitable<void> pace(std::string number);

  const Provider& provider_;
  connector::Services services_;
  ApiClient& api_;
  Ledger& ledger_;
  base::Signal turns_;
  std::set<std::string> taken_turns_;  // "from to": one text at a time, so that the list's answer is no other's
  std::map<std::string, net::TokenBucket> buckets_;  // by our number
};

}  // namespace wherry::sms::http

// Brings a message's status home: to the connector and into its record, in one commit.
#pragma once

#include "connectors/sms/http/ledger.hpp"
#include "gateway/base/log_limit.hpp"

namespace wherry::sms::http {

class Reports {
 public:
  // `can_ask`: the service says what became of a text when it is asked.
  Reports(Ledger& ledger, CarrierEvents& events, bool can_ask = true)
      : ledger_(ledger), events_(events), can_ask_(can_ask) {}

  // Returns once it is durable. Nothing happens where the connector has heard as much before: statuses come doubled and
  // in any order. Throws when the store is lost; then the same status counts again.
  asio::awaitable<void> settle(std::shared_ptr<Record> record, Status status);
  // As settle, for what the service answers when it is asked. Where its last word was none that we know, and the answer
  // is none either, the sender is told that nobody knows what became of the text.
  asio::awaitable<void> settle_asked(std::shared_ptr<Record> record, Status status);

 private:
  asio::awaitable<void> note_unknown(std::shared_ptr<Record> record, Status status);

  Ledger& ledger_;
  CarrierEvents& events_;
  bool can_ask_;
  base::LogLimit unknown_ = base::LogLimit::of_stanzas();  // words that nobody here knows
};

}  // namespace wherry::sms::http

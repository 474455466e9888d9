// Brings a message's status home: to the connector, then into its record.
#pragma once

#include "connectors/sms/http/ledger.hpp"

namespace wherry::sms::http {

class Reports {
 public:
  Reports(Ledger& ledger, CarrierEvents& events) : ledger_(ledger), events_(events) {}

  // Returns once it is durable. Nothing happens where the connector has heard as much before: statuses come doubled and
  // in any order. Throws when the store is lost; then the same status counts again.
  asio::awaitable<void> settle(std::shared_ptr<Record> record, Status status);

 private:
  Ledger& ledger_;
  CarrierEvents& events_;
};

}  // namespace wherry::sms::http

// Brings a receipt home: the segment's new state into its record, the whole text's state to the connector, both
// durably.
#pragma once

#include "connectors/sms/smpp/ledger.hpp"

namespace wherry::sms::smpp {

class Reports {
 public:
  Reports(Ledger& ledger, connector::Storage& storage, CarrierEvents& events)
      : ledger_(ledger), storage_(storage), events_(events) {}

  // Returns once the consequences are durable; `also` is stored with them. Throws when the store is lost: the receipt
  // must come again then.
  asio::awaitable<void> settle(Match match, Receipt receipt, connector::Changes also);
  // The same for the receipts that waited and can be placed by now.
  asio::awaitable<void> settle_waiting();

 private:
  Ledger& ledger_;
  connector::Storage& storage_;
  CarrierEvents& events_;
};

}  // namespace wherry::sms::smpp

// The storage that a connector is given: written through the journal, as what it gives with a Receipt or to publish()
// is.
#pragma once

#include "gateway/connector/contract.hpp"
#include "gateway/queues/journal.hpp"

#include <string>

namespace wherry::queues {

class ConnectorStorage final : public connector::Storage {
 public:
  // `transport`: whose memory it is, and whose journal. Both others outlive this.
  ConnectorStorage(Journal& journal, db::Database& database, std::string transport)
      : journal_(journal), database_(database), transport_(std::move(transport)) {}
  boost::asio::awaitable<void> write(connector::Changes changes) override;
  boost::asio::awaitable<std::vector<connector::Entry>> read(std::string prefix, std::string after,
                                                             std::size_t limit) override;

 private:
  Journal& journal_;
  db::Database& database_;
  std::string transport_;
};

}  // namespace wherry::queues

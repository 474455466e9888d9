// Table `connector_storage`: the small durable memory that each connector has (connector::Storage).
#pragma once

#include "gateway/connector/contract.hpp"
#include "gateway/db/database.hpp"

#include <optional>
#include <string>

namespace wherry::store {

// The first text after all that start with `prefix`, bytewise; none after a prefix that is empty or all U+10FFFF.
// Well-formed UTF-8 as the prefix is, where adding one to its last byte would not be.
std::optional<std::string> end_of_prefix(std::string prefix);

class ConnectorStorage final : public connector::Storage {
 public:
  // `transport`: whose memory it is. `database` outlives this.
  ConnectorStorage(db::Database& database, std::string transport)
      : database_(database), transport_(std::move(transport)) {}
  connector::asio::awaitable<void> write(std::vector<connector::Entry> entries) override;
  connector::asio::awaitable<std::vector<connector::Entry>> read(std::string prefix, std::string after,
                                                                 std::size_t limit) override;

 private:
  db::Database& database_;
  std::string transport_;
};

}  // namespace wherry::store

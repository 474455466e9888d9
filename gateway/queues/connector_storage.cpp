#include "gateway/queues/connector_storage.hpp"

#include "gateway/store/connector_storage.hpp"

#include <utility>

namespace wherry::queues {

boost::asio::awaitable<void> ConnectorStorage::write(connector::Changes changes) {
  journal_.write(std::move(changes));
  co_await journal_.commit();
}

boost::asio::awaitable<std::vector<connector::Entry>> ConnectorStorage::read(std::string prefix, std::string after,
                                                                             std::size_t limit) {
  auto closure = [transport = transport_, prefix = std::move(prefix), after = std::move(after),
                  limit](db::Transaction& transaction) {
    return store::read_entries(transaction, transport, prefix, after, limit);
  };
  co_return co_await database_.fetch(std::move(closure));
}

}  // namespace wherry::queues

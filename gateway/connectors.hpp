// The connectors that a configuration names, as shared objects.
#pragma once

#include "gateway/config/config.hpp"
#include "gateway/connector/contract.hpp"

namespace wherry {

// For connectors that are not to run.
struct NoStorage final : connector::Storage {
  boost::asio::awaitable<void> write(std::vector<connector::Entry>) override { co_return; }
  boost::asio::awaitable<std::vector<connector::Entry>> read(std::string, std::string, std::size_t) override {
    co_return std::vector<connector::Entry>();
  }
};

// An error's text begins with the entry's path: "transport[0].connector: …". A child has none.
base::Result<const connector::Plugin*> load_plugin(const config::Config& config, const config::TransportEntry& entry);

// A running one, of either sort.
boost::asio::awaitable<base::Result<std::unique_ptr<connector::Connector>>> make_connector(
    const config::Config& config, const config::TransportEntry& entry, connector::Services services);

// Lets each connector read its own part, and says all that is wrong, each with its key's path. What a child makes of
// its configuration only the running child can say.
base::Result<void> check_connectors(const config::Config& config);

}  // namespace wherry

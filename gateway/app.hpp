// Builds every object once, in order, runs them, stops them in reverse.
#pragma once

#include "gateway/base/secret.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/config/config.hpp"
#include "gateway/db/database.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace wherry {

class App {
 public:
  App(config::Config config, boost::asio::io_context& loop);
  ~App();

  // Everything up, or an error that names the key or file (house.md §8: at start everything is fatal).
  boost::asio::awaitable<base::Result<void>> start();
  boost::asio::awaitable<void> stop();

  // Called once the store has been lost for too long: nothing can be kept any more, so the process is to end.
  std::function<void()> on_store_lost;

 private:
  struct Network {  // in the order of their lives
    std::unique_ptr<store::ConnectorStorage> storage;
    std::unique_ptr<transport::Transport> transport;
  };
  boost::asio::awaitable<void> keep_tidy();
  boost::asio::awaitable<void> give_back_memory();
  boost::asio::awaitable<base::Result<Network>> build(const config::TransportEntry& entry);
  boost::asio::awaitable<base::Result<std::unique_ptr<connector::Connector>>> make_connector(const config::TransportEntry& entry, connector::Services services);

  config::Config config_;
  boost::asio::io_context& loop_;
  base::SystemClock clock_;
  std::unique_ptr<base::Sealer> sealer_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<queues::Keys> keys_;
  std::unique_ptr<net::HttpClient> http_client_;
  std::unique_ptr<net::HttpServer> http_server_;
  std::vector<Network> networks_;
  base::TaskGroup tasks_;
};

}  // namespace wherry

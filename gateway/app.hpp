// Builds every object once, in order, runs them, stops them in reverse.
#pragma once

#include "gateway/base/secret.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/config/config.hpp"
#include "gateway/db/database.hpp"
#include "gateway/files/file_store.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"
#include "gateway/queues/connector_storage.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace wherry {

class App {
 public:
  App(config::Config config, boost::asio::io_context& loop);
  ~App();

  // Everything up, or an error that names the key or file (house.md §8: at start everything is fatal), but for networks
  // that are programs of their own: whoever's does not come up is logged, and tried again in the background.
  boost::asio::awaitable<base::Result<void>> start();
  // Takes over what can change while it runs: who may register, the log, and of a connector's part what that says. An
  // error: the configuration is wrong, and nothing was taken over.
  struct Reloaded {
    std::vector<std::string> taken, left;  // paths of keys; the second needs a restart
  };
  boost::asio::awaitable<base::Result<Reloaded>> reload(config::Config config);
  // Also while start() waits: that ends first. A store that does not answer is not waited for.
  boost::asio::awaitable<void> stop();
  // After the loop has ended: everything is in the store's one place, and nothing is open.
  void close_store();

  // Called once, with the reason, when the process is to end: the store has been lost for too long, so that nothing can
  // be kept any more, or does not fit its key.
  std::function<void(std::string)> on_broken;

 private:
  struct Network {  // in the order of their lives
    std::unique_ptr<queues::Journal> journal;
    std::unique_ptr<queues::ConnectorStorage> storage;
    std::unique_ptr<transport::Transport> transport;
  };
  boost::asio::awaitable<void> keep_tidy();
  boost::asio::awaitable<void> give_back_room();
  void open_files();
  void end(std::string reason);
  boost::asio::awaitable<base::Result<void>> start_all();
  boost::asio::awaitable<void> bring_up(config::TransportEntry entry);
  boost::asio::awaitable<base::Result<Network>> build(const config::TransportEntry& entry);
  transport::Transport* find(const xmpp::Jid& domain);
  void reload_network(const config::TransportEntry& entry, const std::vector<std::string>& changed,
                      std::vector<std::string>& left);

  config::Config config_;
  boost::asio::io_context& loop_;
  base::SystemClock clock_;
  std::unique_ptr<base::Sealer> sealer_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<queues::Keys> keys_;
  std::unique_ptr<net::HttpClient> http_client_;
  std::unique_ptr<files::FileStore> files_;  // null: none are kept
  std::unique_ptr<net::HttpServer> http_server_;
  std::list<Network> networks_;  // a list: they come while others are being started
  bool starting_ = false, stopping_ = false;
  base::Signal started_;
  base::TaskGroup bringing_up_, tasks_;
};

}  // namespace wherry

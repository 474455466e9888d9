// wherry check: what is wrong with the configuration, without touching anything.
#include "gateway/cli/commands.hpp"

#include "gateway/cli/exit.hpp"
#include "gateway/config/config.hpp"
#include "gateway/connector/loader.hpp"
#include "gateway/db/postgres_uri.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"
#include "gateway/open_store.hpp"

#include <boost/asio/io_context.hpp>

#include <iostream>

namespace wherry::cli {

namespace {

namespace asio = boost::asio;

// For connectors that are only to read their configuration.
struct NoStorage final : connector::Storage {
  asio::awaitable<void> write(std::vector<connector::Entry>) override { co_return; }
  asio::awaitable<std::vector<connector::Entry>> read(std::string, std::string, std::size_t) override {
    co_return std::vector<connector::Entry>();
  }
};

// Whether the database is there only the running program can say.
base::Result<void> check_store_url(const std::string& url) {
  if (url.starts_with("sqlite:")) return base::ok();
  const auto read = db::read_postgres_uri(url);
  if (!read) return base::Error{base::Errc::bad_input, "store.url: " + read.error().text};
  return base::ok();
}

}  // namespace

int check_config(const std::filesystem::path& file) {
  const auto config = config::read_config(file);
  if (!config) return complain(config.error());
  const auto store_url = check_store_url(config->store.url);
  if (!store_url) return complain(config::locate(*config, store_url.error()));
  asio::io_context loop(1);
  net::HttpClient http(loop.get_executor());
  net::HttpServer webhooks(loop.get_executor());
  webhooks.public_url = config->http.public_url;
  NoStorage storage;
  const base::SystemClock clock;
  // else it is made at the first start
  if (!config->store.url.starts_with("sqlite:") || has_key(config->store)) {
    if (const auto sealer = read_sealer(config->store); !sealer)
      return complain(config::locate(*config, sealer.error()));
  }
  for (const config::TransportEntry& entry : config->transports) {
    if (entry.connector.empty()) continue;  // what a child makes of its configuration only the running child can say
    const auto plugin = connector::load_connector(
        std::filesystem::absolute(config->connectors_folder / (entry.connector + ".so")).string());
    if (!plugin)
      return complain(
          config::locate(*config, {base::Errc::bad_input, entry.where + ".connector: " + plugin.error().text}));
    const connector::Services services{loop.get_executor(), http, webhooks, storage, clock};
    const auto made = (*plugin)->make(entry.configuration, services);
    if (!made)
      return complain(
          config::locate(*config, {base::Errc::bad_input, entry.where + ".configuration." + made.error().text}));
  }
  std::cout << file.string() << ": " << config->transports.size() << " transport(s), nothing wrong\n";
  return exit_ok;
}

}  // namespace wherry::cli

#include "gateway/connectors.hpp"

#include "gateway/child/connector.hpp"
#include "gateway/connector/loader.hpp"
#include "gateway/connector/settings.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"

#include <boost/asio/io_context.hpp>

#include <sstream>

namespace wherry {

namespace asio = boost::asio;
using base::Errc;
using base::Error;

namespace {

// Every line of `text` below `path`.
void add_below(const std::string& path, const std::string& text, connector::Mistakes& mistakes) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) mistakes.add(path + "." + line);
}

}  // namespace

base::Result<const connector::Plugin*> load_plugin(const config::Config& config, const config::TransportEntry& entry) {
  const auto file = std::filesystem::absolute(config.connectors_folder / (entry.connector + ".so"));
  auto plugin = connector::load_connector(file.string());
  if (!plugin) return Error{Errc::bad_input, entry.where + ".connector: " + plugin.error().text};
  return plugin;
}

asio::awaitable<base::Result<std::unique_ptr<connector::Connector>>> make_connector(const config::Config& config,
                                                                                    const config::TransportEntry& entry,
                                                                                    connector::Services services) {
  if (!entry.child.empty()) {
    nlohmann::json configuration = {{"command", entry.child}, {"configuration", entry.configuration}};
    auto child = co_await child::make_child_connector(std::move(configuration), services);
    if (child) co_return child;
    std::string text = child.error().text;
    if (text.starts_with("command: ")) text.replace(0, std::string_view("command").size(), "child");  // its name here
    co_return Error{child.error().code, entry.where + "." + text};
  }
  const auto plugin = load_plugin(config, entry);
  if (!plugin) co_return plugin.error();
  auto made = (*plugin)->make(entry.configuration, services);
  if (made) co_return std::move(*made);
  connector::Mistakes mistakes;
  add_below(entry.where + ".configuration", made.error().text, mistakes);
  co_return mistakes.error();
}

base::Result<void> check_connectors(const config::Config& config) {
  asio::io_context loop(1);
  net::HttpClient http(loop.get_executor());
  net::HttpServer webhooks(loop.get_executor());
  webhooks.public_url = config.http.public_url;
  NoStorage storage;
  const base::SystemClock clock;
  connector::Mistakes mistakes;
  for (const config::TransportEntry& entry : config.transports) {
    if (!entry.child.empty()) continue;
    const auto plugin = load_plugin(config, entry);
    mistakes.add(plugin);
    if (!plugin) continue;
    const auto made = (*plugin)->make(entry.configuration, {loop.get_executor(), http, webhooks, storage, clock});
    if (!made) add_below(entry.where + ".configuration", made.error().text, mistakes);
  }
  if (!mistakes.empty()) return mistakes.error();
  return base::ok();
}

}  // namespace wherry

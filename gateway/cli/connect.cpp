// wherry check --connect: tries the store, the port for webhooks, each XMPP server and each way to a network, and says
// of each what to do.
#include "gateway/cli/commands.hpp"

#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"
#include "gateway/cli/exit.hpp"
#include "gateway/connectors.hpp"
#include "gateway/db/database.hpp"
#include "gateway/net/dial.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <iostream>
#include <unistd.h>

namespace wherry::cli {

namespace {

namespace asio = boost::asio;
using base::Errc;
using base::Error;
using base::Result;

constexpr std::chrono::seconds network_limit{60};

class Tries {
 public:
  Tries(const config::Config& config, asio::io_context& loop)
      : config_(config), loop_(loop), http_(loop.get_executor()), webhooks_(loop.get_executor()) {}

  asio::awaitable<void> run();
  int code() const { return code_; }

 private:
  void tell(const std::string& what, const Result<void>& outcome);
  Result<void> try_store();
  Result<void> try_port();
  asio::awaitable<Result<void>> try_server(const config::TransportEntry& entry);
  asio::awaitable<void> try_network(const config::TransportEntry& entry);
  asio::awaitable<void> try_ways(const config::TransportEntry& entry, connector::Connector& connector);

  const config::Config& config_;
  asio::io_context& loop_;
  net::HttpClient http_;
  net::HttpServer webhooks_;
  base::SystemClock clock_;
  NoStorage storage_;
  int code_ = exit_ok;
};

void Tries::tell(const std::string& what, const Result<void>& outcome) {
  if (outcome) {
    std::cout << "ok      " << what << std::endl;
    return;
  }
  std::cout << "FAILED  " << what << ": " << outcome.error().text << std::endl;
  if (outcome.error().code != Errc::unavailable) code_ = exit_bad_config;
  else if (code_ == exit_ok) code_ = exit_not_now;
}

// Neither makes a store nor brings one up to date.
Result<void> Tries::try_store() {
  const std::string& url = config_.store.url;
  if (url.starts_with("sqlite:") && ::access(url.substr(7).c_str(), F_OK) != 0) {
    const std::string folder = std::filesystem::path(url.substr(7)).parent_path().string();
    if (::access(folder.c_str(), W_OK | X_OK) == 0) return base::ok();
    return Error{Errc::bad_input, folder + " must be a folder that belongs to the user that wherry runs as"};
  }
  auto driver = db::open_driver(url);
  if (!driver) return driver.error();
  return (*driver)->claim(std::chrono::seconds(1));
}

Result<void> Tries::try_port() {
  webhooks_.public_url = config_.http.public_url;
  try {
    webhooks_.listen(config_.http.listen);
  } catch (const boost::system::system_error& e) {
    const bool is_in_use = e.code() == boost::system::errc::address_in_use;
    return Error{is_in_use ? Errc::unavailable : Errc::bad_input, e.code().message()};
  }
  return base::ok();
}

// Until the server has taken the component, or refused it once.
asio::awaitable<Result<void>> Tries::try_server(const config::TransportEntry& entry) {
  base::Signal ended(loop_.get_executor());
  bool is_connected = false, is_passing = true;
  std::string why;
  xmpp::ComponentEvents events;
  events.received = [](xmpp::Stanza) {};
  events.confirmed = [](xmpp::Sequence) {};
  events.connected = [&] { is_connected = true, ended.notify(); };
  events.refused = [&](std::string reason, bool may_pass) {
    why = std::move(reason);
    is_passing = may_pass;
    ended.notify();
  };
  xmpp::Component link(loop_.get_executor(), entry.transport.link, net::dial, std::move(events));
  base::TaskGroup tasks(loop_.get_executor());
  tasks.spawn("component", link.run());
  while (!is_connected && why.empty()) co_await ended.wait();
  if (is_connected) co_await link.close(std::chrono::seconds(2));
  co_await tasks.end();
  if (!is_connected) co_return Error{is_passing ? Errc::unavailable : Errc::bad_input, why};
  co_return base::ok();
}

asio::awaitable<void> Tries::try_ways(const config::TransportEntry& entry, connector::Connector& connector) {
  const std::vector<connector::Trial> trials = co_await connector.try_network();
  for (const connector::Trial& trial : trials) tell(entry.where + ".configuration." + trial.what, trial.outcome);
}

asio::awaitable<void> Tries::try_network(const config::TransportEntry& entry) {
  const std::string server = entry.transport.link.host + ":" + std::to_string(entry.transport.link.port);
  const auto taken = co_await try_server(entry);
  tell(entry.where + ".server: " + server + " takes " + entry.transport.link.domain.str(), taken);
  connector::Services services{loop_.get_executor(), http_, webhooks_, storage_, clock_};
  auto made = co_await make_connector(config_, entry, services);
  if (!made) co_return tell(entry.where, made.error());
  if (!entry.child.empty()) tell(entry.where + ".child: it starts, and says what it is", base::ok());
  co_await base::within(network_limit, try_ways(entry, **made));
}

// Whoever holds the store holds the ports and links, too, and a second bind or component could end the first one.
asio::awaitable<void> Tries::run() {
  const auto store = try_store();
  tell("store.url: " + std::string(store ? "the store can be used" : "the store"), store);
  if (!store && store.error().code == Errc::unavailable) {
    std::cout << "        Nothing else is tried: where wherry runs, its ports and links are its own." << std::endl;
    co_return;
  }
  const auto& listen = config_.http.listen;
  tell("http.listen: " + listen.address().to_string() + " port " + std::to_string(listen.port()), try_port());
  for (const config::TransportEntry& entry : config_.transports) co_await try_network(entry);
  co_await webhooks_.stop();
}

asio::awaitable<void> run_to_end(Tries& tries, std::string& broken) {
  try {
    co_await tries.run();
  } catch (const std::exception& e) {
    broken = e.what();
  }
}

}  // namespace

int try_connections(const config::Config& config) {
  asio::io_context loop(1);
  Tries tries(config, loop);
  std::string broken;
  asio::co_spawn(loop, run_to_end(tries, broken), [&](const std::exception_ptr&) { loop.stop(); });
  loop.run();
  if (broken.empty()) return tries.code();
  std::cerr << "wherry: " << broken << "\n";
  return exit_failed;
}

}  // namespace wherry::cli

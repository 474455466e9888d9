#include "gateway/base/within.hpp"
#include "gateway/commands.hpp"

#include "gateway/app.hpp"
#include "gateway/connector/loader.hpp"
#include "gateway/store/accounts.hpp"
#include "gateway/store/ids.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>

namespace wherry {

namespace asio = boost::asio;

namespace {

constexpr int exit_ok = 0, exit_bad_config = 2, exit_failed = 1;

int complain(const base::Error& error) {
  std::cerr << "wherry: " << error.text << "\n";
  return exit_bad_config;
}

asio::awaitable<void> serve(App& app, const Config& config, asio::io_context& loop, int& code) {
  try {
    const auto started = co_await app.start();
    if (!started) {
      code = complain(locate(config, started.error()));
      loop.stop();
    } else {
      log::info("gateway.started", {{"version", WHERRY_VERSION}});
    }
  } catch (const std::exception& e) {
    std::cerr << "wherry: " << e.what() << "\n";
    code = exit_failed;
    loop.stop();
  }
}

// Started again, it waits for the store; meanwhile the XMPP server and the networks keep what they have.
asio::awaitable<void> end_without_store(asio::io_context& loop) {
  constexpr std::chrono::seconds for_last_words(1);  // those whose messages could not be stored are being told
  log::error("gateway.ended", {{"reason", "the store was lost for too long"}});
  co_await base::sleep(for_last_words);
  loop.stop();
}

asio::awaitable<void> stop_at_signal(App& app, asio::io_context& loop) {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
  const int signal = co_await signals.async_wait(asio::use_awaitable);
  log::info("gateway.stopping", {{"signal", signal}});
  std::signal(SIGINT, SIG_DFL);  // a second one ends it at once
  std::signal(SIGTERM, SIG_DFL);
  co_await app.stop();
  log::info("gateway.stopped");
  loop.stop();
}

// For connectors that are only to read their configuration.
struct NoStorage final : connector::Storage {
  asio::awaitable<void> write(std::vector<connector::Entry>) override { co_return; }
  asio::awaitable<std::vector<connector::Entry>> read(std::string, std::string, std::size_t) override { co_return std::vector<connector::Entry>(); }
};

// A driver for a command that works on the store while no gateway runs on it; `work` gives the exit code.
template <class Work>
int with_store(const std::filesystem::path& file, Work work) {
  const auto config = read_config(file);
  if (!config) return complain(config.error());
  const auto sealer = read_sealer(config->store);
  if (!sealer) return complain(locate(*config, sealer.error()));
  auto driver = open_store(*config);
  if (!driver) return complain(locate(*config, driver.error()));
  try {
    (*driver)->begin();
    const int code = work((*driver)->transaction(), *sealer);
    (*driver)->commit();
    return code;
  } catch (const std::exception& e) {
    (*driver)->rollback();
    std::cerr << "wherry: " << e.what() << "\n";
    return exit_failed;
  }
}

int nobody(const xmpp::Jid& user) {
  std::cerr << "wherry: nobody is registered as " << user.bare_view() << "\n";
  return exit_failed;
}

}  // namespace

int run_gateway(const std::filesystem::path& file) {
  const auto config = read_config(file);
  if (!config) return complain(config.error());
  base::log::configure(config->log.level, config->log.format);
  std::signal(SIGPIPE, SIG_IGN);
  int code = exit_ok;
  asio::io_context loop(1);
  App app(*config, loop);
  app.on_store_lost = [&] {
    code = exit_failed;
    asio::co_spawn(loop, end_without_store(loop), asio::detached);
  };
  // The outermost coroutines; everything else belongs to a TaskGroup.
  asio::co_spawn(loop, serve(app, *config, loop, code), asio::detached);
  asio::co_spawn(loop, stop_at_signal(app, loop), asio::detached);
  loop.run();
  std::_Exit(code);  // connectors' shared objects stay mapped; nothing is left to be written
}

int check_config(const std::filesystem::path& file) {
  const auto config = read_config(file);
  if (!config) return complain(config.error());
  asio::io_context loop(1);
  net::HttpClient http(loop.get_executor());
  net::HttpServer webhooks(loop.get_executor());
  webhooks.public_url = config->http.public_url;
  NoStorage storage;
  const base::SystemClock clock;
  if (!config->store.url.starts_with("sqlite:") || std::filesystem::exists(config->store.key_file)) {  // else it is made at the first start
    if (const auto sealer = read_sealer(config->store); !sealer) return complain(locate(*config, sealer.error()));
  }
  for (const TransportEntry& entry : config->transports) {
    if (entry.connector.empty()) continue;  // what a child makes of its configuration only the running child can say
    const auto plugin = connector::load_connector(std::filesystem::absolute(config->connectors_folder / (entry.connector + ".so")).string());
    if (!plugin) return complain(locate(*config, {base::Errc::bad_input, entry.where + ".connector: " + plugin.error().text}));
    const connector::Services services{loop.get_executor(), http, webhooks, storage, clock};
    const auto made = (*plugin)->make(entry.configuration, services);
    if (!made) return complain(locate(*config, {base::Errc::bad_input, entry.where + ".configuration." + made.error().text}));
  }
  std::cout << file.string() << ": " << config->transports.size() << " transport(s), nothing wrong\n";
  return exit_ok;
}

int generate_key() {
  std::cout << base::Sealer::generate_key() << "\n";
  return exit_ok;
}

int rotate_key(const std::filesystem::path& file) {
  return with_store(file, [](db::Transaction& t, const base::Sealer& sealer) {
    std::cout << store::reseal_accounts(t, sealer) << " account(s) sealed with the new key\n";
    return exit_ok;
  });
}

int register_user(const std::filesystem::path& file, const std::string& transport, const std::string& user, const std::vector<std::string>& answers) {
  const auto jid = xmpp::Jid::parse(user);
  if (!jid || jid->local().empty()) return complain({base::Errc::bad_input, user + " is no address like romeo@example.org"});
  const auto config = read_config(file);
  if (!config) return complain(config.error());
  const TransportEntry* entry = nullptr;
  for (const auto& candidate : config->transports) {
    if (candidate.transport.link.domain.str() == transport) entry = &candidate;
  }
  if (!entry) return complain({base::Errc::bad_input, file.string() + ": there is no transport with the domain " + transport});
  store::AccountRow row{base::AccountId{}, transport, jid->bare(), {}, entry->transport.policy, "", true};
  for (const std::string& answer : answers) {
    const auto equals = answer.find('=');
    if (equals == 0 || equals == std::string::npos) return complain({base::Errc::bad_input, answer + ": must be written as name=value"});
    row.credentials[answer.substr(0, equals)] = answer.substr(equals + 1);
  }
  return with_store(file, [&](db::Transaction& t, const base::Sealer& sealer) {
    for (const auto& account : store::read_accounts(t, transport, sealer)) {
      if (account.user != row.user) continue;
      row.id = account.id;
      row.lang = account.lang;
      row.imports = account.imports;
    }
    const bool is_new = row.id.value == 0;
    if (is_new) row.id = base::AccountId{store::reserve_ids(t, 1).first};
    if (is_new) store::insert_account(t, row, sealer);
    else store::update_account(t, row, sealer);
    std::cout << row.user.str() << (is_new ? " is registered with " : " is registered anew with ") << transport << "\n";
    return exit_ok;
  });
}

int export_user(const std::filesystem::path& file, const std::string& user) {
  const auto jid = xmpp::Jid::parse(user);
  if (!jid) return complain(jid.error());
  return with_store(file, [&](db::Transaction& t, const base::Sealer&) {
    if (store::accounts_of(t, *jid).empty()) return nobody(*jid);
    std::cout << store::export_user(t, jid->bare()) << "\n";
    return exit_ok;
  });
}

int erase_user(const std::filesystem::path& file, const std::string& user) {
  const auto jid = xmpp::Jid::parse(user);
  if (!jid) return complain(jid.error());
  return with_store(file, [&](db::Transaction& t, const base::Sealer&) {
    const auto accounts = store::accounts_of(t, *jid);
    if (accounts.empty()) return nobody(*jid);
    for (const base::AccountId account : accounts) store::remove_account(t, account);
    std::cout << accounts.size() << " account(s) of " << jid->bare_view() << " erased\n";
    return exit_ok;
  });
}

}  // namespace wherry

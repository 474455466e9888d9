// wherry run: the gateway until it is told to stop.
#include "gateway/cli/commands.hpp"

#include "gateway/app.hpp"
#include "gateway/base/within.hpp"
#include "gateway/cli/exit.hpp"
#include "gateway/net/notify.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>

namespace wherry::cli {

namespace {

namespace asio = boost::asio;

asio::awaitable<void> serve(App& app, const config::Config& config, asio::io_context& loop, int& code) {
  try {
    const auto started = co_await app.start();
    if (!started) {
      code = complain(config::locate(config, started.error()));
      loop.stop();
    } else {
      log::info("gateway.started", {{"version", WHERRY_VERSION}});
      net::notify_systemd("READY=1");
    }
  } catch (const std::exception& e) {
    std::cerr << "wherry: " << e.what() << "\n";
    code = exit_failed;
    loop.stop();
  }
}

// Started again, it waits for the store; meanwhile the XMPP server and the networks keep what they have.
asio::awaitable<void> end_broken(asio::io_context& loop, std::string reason) {
  constexpr std::chrono::seconds for_last_words(1);  // those whose messages could not be stored are being told
  log::error("gateway.ended", {{"reason", reason}});
  co_await base::sleep(for_last_words);
  loop.stop();
}

asio::awaitable<void> stop_at_signal(App& app, asio::io_context& loop, int& code) {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
  const int signal = co_await signals.async_wait(asio::use_awaitable);
  log::info("gateway.stopping", {{"signal", signal}});
  net::notify_systemd("STOPPING=1");
  std::signal(SIGINT, SIG_DFL);  // a second one ends it at once
  std::signal(SIGTERM, SIG_DFL);
  try {
    co_await app.stop();
    log::info("gateway.stopped");
  } catch (const std::exception& e) {
    code = exit_failed;
    log::error("gateway.ended", {{"reason", e.what()}});
  }
  loop.stop();
}

// What would end the process by default, without an orderly end. Handled rather than ignored: an ignored signal stays
// ignored in child processes (POSIX, exec).
asio::awaitable<void> outlive_signals() {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGUSR1, SIGUSR2, SIGALRM);
  for (;;) {
    const int signal = co_await signals.async_wait(asio::use_awaitable);
    log::warn("signal.ignored",
              {{"signal", signal}, {"hint", "SIGHUP is for a new configuration, SIGTERM for the end"}});
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

void reject(const base::Error& error) {
  log::error("config.rejected", {{"error", error.text}, {"hint", "the present configuration stays: mend the new one"}});
}

asio::awaitable<void> reload(App& app, std::filesystem::path file) {
  auto config = config::read_config(file);
  if (!config) co_return reject(config.error());
  const auto reloaded = co_await app.reload(std::move(*config));
  if (!reloaded) co_return reject(reloaded.error());
  if (reloaded->taken.empty() && reloaded->left.empty()) co_return log::info("config.unchanged");
  log::info("config.reloaded", {{"changed", joined(reloaded->taken)}});
  if (!reloaded->left.empty()) log::warn("config.needs_restart", {{"changed", joined(reloaded->left)}});
}

// The configuration is read anew. Whatever goes wrong, what runs goes on as it was.
asio::awaitable<void> reload_at_signal(App& app, std::filesystem::path file) {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGHUP);
  for (;;) {
    co_await signals.async_wait(asio::use_awaitable);
    std::string trouble;
    try {
      co_await reload(app, file);
    } catch (const std::exception& e) {
      trouble = e.what();
    }
    if (!trouble.empty()) reject({base::Errc::bad_input, trouble});
  }
}

}  // namespace

int run_gateway(const std::filesystem::path& file) {
  const auto config = config::read_config(file);
  if (!config) return complain(config.error());
  base::log::configure(config->log.level, config->log.format);
  std::signal(SIGPIPE, SIG_IGN);
  int code = exit_ok;
  asio::io_context loop(1);
  App app(*config, loop);
  app.on_broken = [&](std::string reason) {
    code = exit_failed;
    asio::co_spawn(loop, end_broken(loop, std::move(reason)), asio::detached);
  };
  // The outermost coroutines; everything else belongs to a TaskGroup.
  asio::co_spawn(loop, outlive_signals(), asio::detached);
  asio::co_spawn(loop, reload_at_signal(app, file), asio::detached);
  asio::co_spawn(loop, serve(app, *config, loop, code), asio::detached);
  asio::co_spawn(loop, stop_at_signal(app, loop, code), asio::detached);
  loop.run();
  app.close_store();
  std::_Exit(code);  // connectors' shared objects stay mapped; nothing is left to be written
}

}  // namespace wherry::cli

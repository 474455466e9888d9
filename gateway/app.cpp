#include "gateway/app.hpp"

#include "gateway/base/backoff.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"
#include "gateway/connectors.hpp"
#include "gateway/features/features.hpp"
#include "gateway/net/dial.hpp"
#include "gateway/open_store.hpp"
#include "gateway/store/ids.hpp"
#include "gateway/store/inbox.hpp"
#include "gateway/store/retention.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <malloc.h>
#include <tuple>
#include <utility>

namespace wherry {

namespace asio = boost::asio;
using base::Errc;
using base::Error;

namespace {

// A short name of this store, for ever; nothing secret in it.
std::string store_id_of(const std::string& seen_key) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(seen_key.data()), seen_key.size());
  return base::to_hex({reinterpret_cast<const char*>(digest.data()), 4});
}

}  // namespace

App::App(config::Config config, asio::io_context& loop)
    : config_(std::move(config)),
      loop_(loop),
      started_(loop.get_executor()),
      bringing_up_(loop.get_executor()),
      tasks_(loop.get_executor()) {}
App::~App() = default;

void App::end(std::string reason) {
  if (on_broken) std::exchange(on_broken, nullptr)(std::move(reason));
}

asio::awaitable<base::Result<void>> App::start() {
  struct Starting {
    explicit Starting(App& a) : app(a) { app.starting_ = true; }
    ~Starting() {
      app.starting_ = false;
      app.started_.notify();
    }
    App& app;
  };
  const Starting until_the_end(*this);
  co_return co_await start_all();
}

asio::awaitable<base::Result<void>> App::start_all() {
  auto sealer = read_sealer(config_.store);
  if (!sealer) co_return sealer.error();
  log::set_mask_key(sealer->derive("log"));
  sealer_ = std::make_unique<base::Sealer>(std::move(*sealer));
  auto driver = open_store(config_);
  if (!driver) co_return driver.error();
  database_ = std::make_unique<db::Database>(loop_.get_executor(), std::move(*driver));
  database_->on_given_up([this] { end("the store was lost for too long"); });

  http_client_ = std::make_unique<net::HttpClient>(loop_.get_executor());
  http_server_ = std::make_unique<net::HttpServer>(loop_.get_executor());
  http_server_->public_url = config_.http.public_url;
  try {
    http_server_->listen(config_.http.listen);
  } catch (const boost::system::system_error& e) {
    const bool is_in_use = e.code() == boost::system::errc::address_in_use;
    co_return Error{is_in_use ? Errc::unavailable : Errc::bad_input,
                    "http.listen: cannot listen there: " + e.code().message()};
  }
  log::info("http.listening", {{"port", http_server_->endpoint().port()}});
  open_files();

  auto read = [run = base::random_hex(4), now = base::to_milliseconds(clock_.now())](db::Transaction& t) {
    store::remove_orphans(t);  // rows that arrived while their account was being removed
    return std::tuple(store_id_of(store::seen_key(t)), store::begin_run(t, run, now), store::read_age_time(t, now));
  };
  auto [store_id, runs, age_time] = co_await database_->fetch(std::move(read));
  if (files_) files_->set_age_time(base::from_milliseconds(age_time));
  keys_ = std::make_unique<queues::Keys>(std::move(store_id), std::move(runs));
  for (const config::TransportEntry& entry : config_.transports) {
    if (!entry.child.empty()) continue;
    auto network = co_await build(entry);
    if (!network) co_return network.error();
    networks_.push_back(std::move(*network));
  }
  for (Network& network : networks_) co_await network.transport->start();
  if (stopping_) co_return base::ok();
  for (const config::TransportEntry& entry : config_.transports) {
    if (!entry.child.empty()) bringing_up_.spawn("child", bring_up(entry));
  }
  http_server_->open();
  tasks_.spawn("retention", keep_tidy());
  tasks_.spawn("room", give_back_room());
  co_return base::ok();
}

void App::open_files() {
  if (config_.files.folder.empty()) return;
  files::StoreSettings settings{config_.files.folder, config_.http.public_url, sealer_->derive("files"),
                                config_.files.limits};
  files_ = std::make_unique<files::FileStore>(std::move(settings));
  http_server_->route("/files/", [this](net::ServerRequest request) { return files_->answer(std::move(request)); });
}

// A program of somebody else's that does not run today must not keep the other networks away.
asio::awaitable<void> App::bring_up(config::TransportEntry entry) {
  constexpr base::BackoffPolicy pauses{std::chrono::milliseconds(1000), std::chrono::milliseconds(300'000), 0.2};
  base::Backoff backoff(pauses, std::hash<std::string>()(entry.where));
  for (;;) {
    auto network = co_await build(entry);
    if (network) {
      networks_.push_back(std::move(*network));
      break;
    }
    if (stopping_) co_return;  // not asked of the cancellation state, which a connector resets to end in good order
    const base::Error where_in_file = config::locate(config_, network.error());
    log::error("transport.failed", {{"transport", entry.transport.link.domain.str()}, {"error", where_in_file.text}});
    co_await base::sleep(backoff.next());
  }
  // What has begun to start is started to its end, so that stop() stops whole transports only.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  transport::Transport& transport = *networks_.back().transport;
  try {
    co_await transport.start();
  } catch (const std::exception& e) {
    end(e.what());
  }
}

// Removes what has expired, at the start and every hour.
asio::awaitable<void> App::keep_tidy() {
  constexpr std::chrono::hours pause(1);
  auto swept = std::chrono::steady_clock::now();
  for (;; co_await base::sleep(pause)) {
    const auto now = std::chrono::steady_clock::now();
    const auto ran = std::chrono::duration_cast<std::chrono::milliseconds>(now - std::exchange(swept, now));
    auto sweep = [time = base::to_milliseconds(clock_.now()), ran, kept = config_.store.kept](db::Transaction& t) {
      const std::int64_t expired = store::remove_expired(t, time, ran, kept);
      return std::pair(expired, store::read_age_time(t, time));
    };
    const auto [undelivered, age_time] = co_await database_->fetch(std::move(sweep));
    if (undelivered > 0) log::warn("inbox.expired", {{"messages", undelivered}});
    if (files_) co_await files_->sweep(base::from_milliseconds(age_time));
  }
}

// What a burst took: memory, since glibc keeps it (free pages lie between what lives, and it gives back only what lies
// behind that), and the store's room, a little at a time and where nothing is being written.
asio::awaitable<void> App::give_back_room() {
  for (const std::chrono::minutes pause(1);;) {
    co_await base::sleep(pause);
    ::malloc_trim(0);
    if (!database_->is_idle()) continue;
    db::Database::Closure give_back = [](db::Transaction& t) { t.give_back_room(); };
    co_await database_->transact(std::move(give_back));
  }
}

asio::awaitable<base::Result<App::Network>> App::build(const config::TransportEntry& entry) {
  Network network;
  const std::string domain = entry.transport.link.domain.str();
  network.journal = std::make_unique<queues::Journal>(loop_.get_executor(), *database_, domain);
  network.storage = std::make_unique<queues::ConnectorStorage>(*network.journal, *database_, domain);
  connector::Services services{loop_.get_executor(), *http_client_, *http_server_, *network.storage, clock_};
  auto connector = co_await make_connector(config_, entry, services);
  if (!connector) co_return connector.error();
  transport::TransportServices offered{loop_.get_executor(), *database_,  *sealer_, clock_, net::dial, *keys_,
                                       *network.journal,     files_.get()};
  network.transport = std::make_unique<transport::Transport>(entry.transport, offered, std::move(*connector));
  features::install_all(*network.transport);
  co_return std::move(network);
}

transport::Transport* App::find(const xmpp::Jid& domain) {
  for (Network& network : networks_) {
    if (network.transport->domain() == domain) return network.transport.get();
  }
  return nullptr;
}

// What of a new configuration's part for one network can be taken over while it runs; `changed` are below its path.
void App::reload_network(const config::TransportEntry& entry, const std::vector<std::string>& changed,
                         std::vector<std::string>& left) {
  const auto is_below = [&](const std::string& path, std::string_view key) {
    return path.starts_with(entry.where + "." + std::string(key));
  };
  transport::Transport* network = find(entry.transport.link.domain);
  bool is_configured = false;
  for (const std::string& path : changed) {
    if (!path.starts_with(entry.where + ".")) continue;
    if (network && is_below(path, "register")) continue;
    if (network && is_below(path, "configuration")) is_configured = true;
    else left.push_back(path);
  }
  if (!network) return;
  network->set_registration(entry.transport.registration);
  if (!is_configured) return;
  for (const std::string& key : network->connector().reload(entry.configuration))
    left.push_back(entry.where + ".configuration" + (key.empty() ? "" : "." + key));
}

asio::awaitable<base::Result<App::Reloaded>> App::reload(config::Config config) {
  while (starting_) co_await started_.wait();
  if (const auto checked = check_connectors(config); !checked) co_return config::locate(config, checked.error());
  const std::vector<std::string> changed = config::changes(config_.source, config.source);
  Reloaded reloaded;
  const bool has_same_networks = std::find(changed.begin(), changed.end(), "transport") == changed.end();
  for (const std::string& path : changed) {
    if (!path.starts_with("transport[") && !path.starts_with("log")) reloaded.left.push_back(path);
  }
  log::configure(config.log.level, config.log.format);
  if (has_same_networks) {
    for (const config::TransportEntry& entry : config.transports) reload_network(entry, changed, reloaded.left);
  }
  for (const std::string& path : changed) {
    const bool is_left = std::any_of(reloaded.left.begin(), reloaded.left.end(),
                                     [&](const std::string& l) { return path.starts_with(l); });
    if (!is_left) reloaded.taken.push_back(path);
  }
  config_.lines = std::move(config.lines);
  config_.source = config::with_left(config_.source, std::move(config.source), reloaded.left);
  co_return reloaded;
}

asio::awaitable<void> App::stop() {
  constexpr std::chrono::seconds store_patience(5);
  stopping_ = true;
  if (database_) database_->hurry(store_patience);
  while (starting_) co_await started_.wait();
  tasks_.cancel();
  co_await bringing_up_.end();
  co_await tasks_.end();
  for (auto network = networks_.rbegin(); network != networks_.rend(); ++network) co_await network->transport->stop();
  if (http_server_) co_await http_server_->stop();
  db::Database::Closure nothing = [](db::Transaction&) {};
  if (database_) co_await database_->transact(std::move(nothing));  // everything before it is on disk
}

void App::close_store() {
  if (database_) database_->close();
}

}  // namespace wherry

#include "tests/simulation/process.hpp"

#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"
#include "gateway/store/accounts.hpp"
#include "gateway/store/ids.hpp"
#include "gateway/store/retention.hpp"
#include "tests/simulation/child.hpp"

#include <boost/asio/steady_timer.hpp>

namespace wherry::simulation {

Process::Process(Surroundings around)
    : around_(around),
      tasks_(loop_.get_executor()),
      tidying_(loop_.get_executor()),
      bringing_up_(loop_.get_executor()),
      http_(loop_.get_executor()),
      webhooks_(loop_.get_executor()) {
  webhooks_.public_url = "https://wherry.test";
  guard_.emplace(loop_.get_executor());
  asio::steady_timer first(loop_);  // makes the loop's own timer
  timer_ = virtual_time::newest_timer();
  around_.recorder.add(What::started);
  database_ = std::make_unique<db::Database>(loop_.get_executor(), around_.store.open(loop_.get_executor()));
  database_->on_given_up([this] {
    around_.recorder.add(What::note, "", "", "", "", "wherry gives the store up");
    ask_to_stop();
  });
  tasks_.spawn("process", guarded(start()));
}

Process::~Process() {
  transports_.clear();
  database_ = nullptr;
}

asio::awaitable<void> Process::guarded(asio::awaitable<void> work) {
  try {
    co_await std::move(work);
  } catch (const std::exception& e) {
    around_.recorder.add(What::note, "", "", "", "", std::string("wherry ends: ") + e.what());
    state_ = State::failed;
  }
}

transport::Transport& Process::make_transport(std::size_t index, std::unique_ptr<connector::Connector> connector) {
  const Draw& draw = around_.recorder.draw;
  const Network& network = *around_.networks[index];
  xmpp::ComponentConfig link{.host = "",
                             .domain = *xmpp::Jid::parse(network.name() + ".test"),
                             .server = *xmpp::Jid::parse(server_domain),
                             .secret = {}};
  transport::TransportConfig config{.link = std::move(link), .name = "", .registration = {}, .outbox = {}, .inbox = {}};
  config.link.secret = base::Secret("secret");
  config.link.most_unsent_bytes = link_bytes;
  config.link.most_volatile_bytes = link_bytes / 2;
  config.policy =
      network.traits().follows_presence ? store::AccountPolicy::follow_presence : store::AccountPolicy::always_on;
  config.registration.domains = {server_domain};
  config.outbox.deadline = std::chrono::seconds(network.traits().deadline_s);
  config.outbox.retry = {std::chrono::milliseconds(500), std::chrono::seconds(20), 0.2};
  // Small enough that the limits are met.
  if (draw.happens(300, "small_chats", index)) config.outbox.in_memory_per_chat = 2;
  if (draw.happens(200, "few_in_memory", index)) config.outbox.in_memory = 3;
  if (draw.happens(300, "few_at_once", index))
    config.outbox.performing_per_account = static_cast<int>(draw.between(1, 2, "at_once", index));
  if (draw.happens(100, "few_waiting", index)) config.outbox.waiting_per_account = 10;
  if (draw.happens(300, "small_inbox", index)) config.inbox.in_memory = 4;
  xmpp::Dial dial = [server = around_.servers[index].get(), executor = loop_.get_executor()](
                        std::string, std::uint16_t) { return server->dial(executor); };
  transport::TransportServices services{loop_.get_executor(), *database_, around_.sealer,   around_.clock,
                                        std::move(dial),      *keys_,     *journals_[index]};
  auto made = std::make_unique<transport::Transport>(std::move(config), services, std::move(connector));
  features::install_all(*made);
  transports_.push_back(std::move(made));
  return *transports_.back();
}

// As App::start_all and App::stop have it.
asio::awaitable<void> Process::start() {
  auto read = [run = base::random_hex(4), now = base::to_milliseconds(around_.clock.now())](db::Transaction& t) {
    store::remove_orphans(t);
    return store::begin_run(t, run, now);
  };
  keys_ = std::make_unique<queues::Keys>("sim", co_await database_->fetch(std::move(read)));
  const auto& networks = around_.networks;
  for (const auto& network : networks)
    journals_.push_back(std::make_unique<queues::Journal>(loop_.get_executor(), *database_, network->name() + ".test"));
  for (std::size_t i = 0; i < networks.size(); ++i) {
    if (!networks[i]->traits().is_child) make_transport(i, networks[i]->make_connector(services_for(i)));
  }
  for (const auto& transport : transports_) co_await transport->start();
  if (state_ != State::starting) co_return;
  state_ = State::serving;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    if (networks[i]->traits().is_child) bringing_up_.spawn("child", bring_up(i));
  }
  tidying_.spawn("retention", keep_tidy());
}

connector::Services Process::services_for(std::size_t index) {
  const std::string domain = around_.networks[index]->name() + ".test";
  storages_.push_back(std::make_unique<queues::ConnectorStorage>(*journals_[index], *database_, domain));
  return {loop_.get_executor(), http_, webhooks_, *storages_.back(), around_.clock};
}

asio::awaitable<void> Process::bring_up(std::size_t index) {
  Network& network = *around_.networks[index];
  const connector::Services services = services_for(index);
  std::unique_ptr<connector::Connector> connector;
  while (!connector) {
    nlohmann::json configuration;
    configuration["command"] = {"played"};
    child::StartProcess start = start_child(around_.loop, network);
    auto made =
        co_await child::make_child_connector(std::move(configuration), services, child_limits, std::move(start));
    if (made) connector = std::move(*made);
    else if (state_ != State::serving) co_return;
    else co_await base::sleep(std::chrono::seconds(1));
  }
  transport::Transport& transport = make_transport(index, std::move(connector));
  // What has begun to start is started to its end, so that stop() stops whole transports only.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await guarded(transport.start());
}

asio::awaitable<void> Process::keep_tidy() {
  constexpr std::chrono::hours pause(1);
  auto swept = std::chrono::steady_clock::now();
  for (;; co_await base::sleep(pause)) {
    const auto now = std::chrono::steady_clock::now();
    const auto ran = std::chrono::duration_cast<std::chrono::milliseconds>(now - std::exchange(swept, now));
    auto sweep = [time = base::to_milliseconds(around_.clock.now()), ran](db::Transaction& t) {
      return store::remove_expired(t, time, ran);
    };
    co_await database_->fetch(std::move(sweep));
  }
}

void Process::ask_to_stop() {
  if (state_ == State::starting) state_ = State::failed;
  if (state_ != State::serving) return;
  state_ = State::stopping;
  around_.recorder.add(What::stopping);
  tasks_.spawn("stop", guarded(stop()));
}

asio::awaitable<void> Process::stop() {
  constexpr std::chrono::seconds store_patience(5);
  database_->hurry(store_patience);
  bringing_up_.cancel();
  tidying_.cancel();
  co_await bringing_up_.join();
  co_await tidying_.join();
  for (auto transport = transports_.rbegin(); transport != transports_.rend(); ++transport)
    co_await (*transport)->stop();
  db::Database::Closure nothing = [](db::Transaction&) {};
  co_await database_->transact(std::move(nothing));
  around_.recorder.add(What::stopped);
  state_ = State::stopped;
}

std::size_t Process::unsent_bytes() const {
  std::size_t most = 0;
  for (const auto& transport : transports_) most = std::max(most, transport->link().unsent_bytes());
  return most;
}

bool Process::has_work_left() {
  database_->close();  // which keeps the loop at work
  guard_.reset();
  while (loop_.poll() > 0) {}
  return !loop_.stopped();
}

void Process::abandon() { virtual_time::abandon(timer_); }

}  // namespace wherry::simulation

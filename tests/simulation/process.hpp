// One life of the gateway: what main() and App build, with the simulated network, server and store around it, on a loop
// of its own. Killed, it is never touched again: nothing of it runs, and nothing of it is destroyed.
#pragma once

#include "gateway/base/secret.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/features/features.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"
#include "gateway/queues/connector_storage.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/server.hpp"
#include "tests/simulation/store.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <vector>

namespace wherry::simulation {

// The time of day may be wrong.
struct JumpingClock final : base::Clock {
  std::chrono::seconds off{0};
  base::Time now() const override { return std::chrono::system_clock::now() + off; }
};

// What the process meets, and does not own.
struct Surroundings {
  Recorder& recorder;
  Store& store;
  std::vector<std::unique_ptr<Network>>& networks;
  std::vector<std::unique_ptr<Server>>& servers;
  const base::Sealer& sealer;
  const base::Clock& clock;
  asio::io_context& loop;  // of the world
};

class Process {
 public:
  explicit Process(Surroundings around);
  ~Process();

  // One handler of its loop; whether there was one.
  bool turn() { return loop_.poll_one() > 0; }
  void ask_to_stop();
  // failed: it would exit by itself, and be started again
  enum class State { starting, serving, stopping, stopped, failed };
  State state() const { return state_; }
  // Of a stopped one: whether a coroutine of it is still there. It is destroyed only where not.
  bool has_work_left();
  // That wait in front of the link with the most.
  std::size_t unsent_bytes() const;

  // kill -9. The object is to be leaked.
  void abandon();

 private:
  asio::awaitable<void> start();
  asio::awaitable<void> stop();
  asio::awaitable<void> keep_tidy();
  asio::awaitable<void> guarded(asio::awaitable<void> work);
  transport::Transport& make_transport(std::size_t index, std::unique_ptr<connector::Connector> connector);
  connector::Services services_for(std::size_t index);
  asio::awaitable<void> bring_up(std::size_t index);

  Surroundings around_;
  asio::io_context loop_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> guard_;
  int timer_ = -1;
  State state_ = State::starting;
  base::TaskGroup tasks_, tidying_, bringing_up_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<queues::Keys> keys_;
  net::HttpClient http_;
  net::HttpServer webhooks_;
  std::vector<std::unique_ptr<queues::Journal>> journals_;  // of each network
  std::vector<std::unique_ptr<queues::ConnectorStorage>> storages_;
  std::vector<std::unique_ptr<transport::Transport>> transports_;
};

}  // namespace wherry::simulation

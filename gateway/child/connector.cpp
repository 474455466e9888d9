#include "gateway/child/connector.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"
#include "gateway/child/known_accounts.hpp"
#include "gateway/child/listening.hpp"
#include "gateway/child/logins.hpp"
#include "gateway/child/look_ups.hpp"
#include "gateway/child/requests.hpp"
#include "gateway/child/rpc_peer.hpp"
#include "gateway/child/session.hpp"
#include "gateway/child/session/chat_capabilities.hpp"
#include "gateway/child/session/fetches.hpp"
#include "gateway/child/settings.hpp"
#include "gateway/child/values.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace wherry::child {

namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds misbehaved_grace{500};  // to end, for a process that is no longer read
constexpr int looks_per_ping = 10;                          // whether it is alive

class ChildConnector final : public Connector {
 public:
  ChildConnector(Settings settings, Services services, ChildLimits limits, StartProcess start_process)
      : settings_(std::move(settings)),
        services_(services),
        limits_(limits),
        start_process_(std::move(start_process)),
        rpc_(std::make_unique<RpcPeer>(services.executor)),
        accounts_(services.executor, *rpc_, limits.answer),
        look_ups_(std::make_unique<LookUps>(services.executor, *rpc_, limits.answer)),
        logins_(services.executor, *rpc_),
        fetches_(std::make_unique<Fetches>(services.executor, *rpc_, limits.piece)),
        capabilities_(std::make_unique<ChatCapabilities>(services.executor, *rpc_, limits.answer)),
        requests_(services.executor, *rpc_, accounts_, logins_, *fetches_, *capabilities_, services.storage),
        tasks_(services.executor) {}

  // Starts the process and exchanges hello with it.
  asio::awaitable<Result<void>> start();

  Network describe() const override { return greeting_.network; }
  asio::awaitable<void> run() override;
  asio::awaitable<Result<Answers>> log_in(Applicant applicant, Dialogue& user) override;
  Idempotency idempotency(const Account& account) const override {
    return accounts_.idempotency(account.id).value_or(greeting_.network.idempotency);
  }
  void know_account(const Account& account, EventSink& events) override { accounts_.put(account, events); }
  void forget_account(AccountId account) override {
    accounts_.remove(account);
    capabilities_->drop(account);
  }
  std::unique_ptr<Session> open(AccountId account) override;
  asio::awaitable<Result<ContactId>> parse_contact(std::string typed, AccountId account) const override;

 private:
  asio::awaitable<Result<void>> greet();
  asio::awaitable<void> end(bool orderly, std::chrono::milliseconds grace);
  asio::awaitable<void> serve();
  asio::awaitable<void> keep_alive();
  asio::awaitable<void> keep_link();
  asio::awaitable<std::string> run_link();
  asio::awaitable<bool> answers(RpcPeer::Call& ping);

  const Settings settings_;
  const Services services_;
  const ChildLimits limits_;
  const StartProcess start_process_;
  Greeting greeting_;
  std::unique_ptr<net::LineProcess> process_;
  const std::unique_ptr<RpcPeer> rpc_;
  KnownAccounts accounts_;
  const std::unique_ptr<LookUps> look_ups_;
  Logins logins_;
  const std::unique_ptr<Fetches> fetches_;
  const std::unique_ptr<ChatCapabilities> capabilities_;
  Requests requests_;
  Listening listening_;
  base::TaskGroup tasks_;  // of the present process
};

// ---- The process ----

asio::awaitable<Result<void>> ChildConnector::start() {
  auto started = start_process_(services_.executor, settings_.command, settings_.environment, RpcPeer::most_line_bytes);
  if (!started) co_return Error{started.error().code, "command: " + started.error().text};
  process_ = std::move(*started);
  rpc_->attach(*process_);
  Result<void> greeted = base::ok();
  std::exception_ptr failed;
  try {
    greeted = co_await base::within(limits_.hello, greet());
  } catch (const base::TimedOut&) {
    greeted = Error{Errc::unavailable,
                    "command: the process did not answer hello within " + std::to_string(limits_.hello.count()) + " s"};
  } catch (const std::length_error& e) {
    greeted = Error{Errc::bad_input, std::string("command: the process wrote ") + e.what()};
  } catch (...) {
    failed = std::current_exception();
  }
  if (greeted && !failed) {
    log::info("child.started", {{"network", greeting_.network.id}, {"pid", process_->pid()}});
    co_return base::ok();
  }
  co_await asio::this_coro::reset_cancellation_state();
  co_await end(false, std::chrono::milliseconds(0));
  if (failed) std::rethrow_exception(failed);
  co_return greeted;
}

asio::awaitable<Result<void>> ChildConnector::greet() {
  json params;
  params["protocol"] = child_protocol;
  params["configuration"] = settings_.configuration;
  auto begun = rpc_->begin("hello", to_line(params), RpcPeer::Limit::none);
  if (!begun) co_return begun.error();
  const std::unique_ptr<RpcPeer::Call> call = std::move(*begun);
  while (!call->answer()) {
    const auto line = co_await process_->read_line();
    if (!line)
      co_return Error{Errc::unavailable,
                      "command: the process ended before it answered hello; its standard error is in the log"};
    auto taken = rpc_->take(*line);
    if (!taken)
      co_return Error{Errc::bad_input,
                      "command: the process wrote a line that is not its protocol: " + taken.error().text};
    if (!*taken) continue;
    if ((*taken)->method == "log") requests_.log_line((*taken)->params);
    else rpc_->answer((*taken)->id, Error{Errc::rejected, "hello comes first"});
  }
  const auto& answer = *call->answer();
  if (!answer) {
    const bool mistaken = answer.error().code == Errc::bad_input;  // its text begins with the key's path
    co_return Error{answer.error().code, (mistaken ? "configuration." : "configuration: ") + answer.error().text};
  }
  auto greeting = parse_greeting(*answer);
  if (!greeting) co_return Error{Errc::bad_input, "command: the process's answer to hello: " + greeting.error().text};
  greeting_ = std::move(*greeting);
  requests_.name = greeting_.network.id;
  capabilities_->begin(greeting_.capabilities, greeting_.capabilities_vary);
  co_return base::ok();
}

// Ends the process, and then fails what waits for it: only when it is gone is it known what it may have read. One that
// misbehaved gets nothing more. Called with nothing cancelled.
asio::awaitable<void> ChildConnector::end(bool orderly, std::chrono::milliseconds grace) {
  rpc_->refuse_calls();
  if (!orderly) process_->abandon();
  co_await tasks_.end();
  co_await requests_.end();
  co_await capabilities_->end();
  const int code = co_await process_->stop(grace);
  rpc_->detach();
  process_.reset();
  accounts_.begin_anew();
  log::info("child.ended", {{"network", greeting_.network.id}, {"code", code}});
}

asio::awaitable<void> ChildConnector::run() {
  if (!process_) {
    const auto started = co_await start();
    if (!started) throw std::runtime_error(started.error().text);
  }
  tasks_.spawn("child.keep_alive", keep_alive());
  tasks_.spawn("child.tell", accounts_.tell());
  if (greeting_.has_shared_link) tasks_.spawn("child.link", keep_link());
  std::exception_ptr failed;
  try {
    co_await serve();
  } catch (...) {
    failed = std::current_exception();
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  const bool orderly = state.cancelled() != asio::cancellation_type::none;
  co_await asio::this_coro::reset_cancellation_state();
  const std::chrono::milliseconds grace = orderly ? limits_.stop : misbehaved_grace;
  co_await end(orderly, grace);
  std::rethrow_exception(failed);
}

// Reads lines for ever; throws when the process ends or can no longer be understood.
asio::awaitable<void> ChildConnector::serve() {
  using std::chrono::steady_clock;
  for (;;) {
    co_await requests_.wait_room();
    listening_.begin(steady_clock::now());
    const auto line = co_await process_->read_line();
    listening_.end(steady_clock::now());
    if (!line)
      throw std::runtime_error("the process of connector " + greeting_.network.id + " ended or closed its output");
    auto taken = rpc_->take(*line);
    if (!taken)
      throw std::runtime_error("the process of connector " + greeting_.network.id +
                               " wrote a bad line: " + taken.error().text);
    if (*taken) requests_.accept(std::move(**taken), line->size());
  }
}

// A process that hangs would otherwise look like one that has nothing to say.
asio::awaitable<void> ChildConnector::keep_alive() {
  for (;;) {
    co_await base::sleep(limits_.ping);
    auto begun = rpc_->begin("ping", "{}", RpcPeer::Limit::none);
    if (!begun) co_return;  // it is being ended
    const std::unique_ptr<RpcPeer::Call> ping = std::move(*begun);
    const bool is_alive = co_await answers(*ping);
    if (is_alive) continue;
    log::warn("child.hung", {{"network", greeting_.network.id}});
    co_await process_->stop(std::chrono::milliseconds(0));
    co_return;
  }
}

// Until the ping is answered, or nothing is for too long. One that is slow, but answers other requests before the ping,
// does not hang. Only the time counts in which the gateway listened: what it has not read may be the answer.
asio::awaitable<bool> ChildConnector::answers(RpcPeer::Call& ping) {
  const std::chrono::steady_clock::duration limit = limits_.ping, pause = limit / looks_per_ping;
  auto silent = limit - limit;
  listening_.take(std::chrono::steady_clock::now(), pause);
  while (silent < limit) {
    const std::uint64_t before = rpc_->answers();
    co_await ping.wait(pause);
    if (ping.answer()) co_return true;
    silent += listening_.take(std::chrono::steady_clock::now(), pause);
    if (rpc_->answers() != before) silent = limit - limit;
  }
  co_return false;
}

// The child's counterpart of Connector::run(): one request that lives as long as what its sessions share. When that
// breaks, the process stays, and is asked again after a while.
asio::awaitable<void> ChildConnector::keep_link() {
  constexpr std::chrono::seconds healthy_after{60};  // then the back-off starts anew
  base::Backoff backoff(limits_.link, static_cast<std::uint64_t>(process_->pid()));
  for (;;) {
    co_await base::sleep(backoff.next());
    const auto began = std::chrono::steady_clock::now();
    const std::string trouble = co_await run_link();
    log::warn("child.link_ended", {{"network", greeting_.network.id}, {"error", trouble}});
    if (std::chrono::steady_clock::now() - began >= healthy_after) backoff.reset();
    if (backoff.attempts() == 0) backoff.next();  // a pause all the same
  }
}

// Until the link ends: why.
asio::awaitable<std::string> ChildConnector::run_link() {
  auto begun = rpc_->begin("run", "{}", RpcPeer::Limit::none);
  if (!begun) co_return begun.error().text;
  const std::unique_ptr<RpcPeer::Call> call = std::move(*begun);
  while (!call->answer()) co_await call->wait();
  co_return *call->answer() ? "the process answered `run`" : call->answer()->error().text;
}

// ---- What is asked of the child ----

asio::awaitable<Result<Answers>> ChildConnector::log_in(Applicant applicant, Dialogue& user) {
  return logins_.log_in(std::move(applicant), user);
}

asio::awaitable<Result<ContactId>> ChildConnector::parse_contact(std::string typed, AccountId account) const {
  return look_ups_->look_up(std::move(typed), account);
}

std::unique_ptr<Session> ChildConnector::open(AccountId account) {
  const SessionContext context{*rpc_, accounts_, *capabilities_, *fetches_, limits_.perform, limits_.answer};
  return make_session(context, account, *accounts_.find(account));
}

}  // namespace

asio::awaitable<Result<std::unique_ptr<Connector>>> make_child_connector(json configuration, Services services,
                                                                         ChildLimits limits, StartProcess start) {
  auto settings = parse_settings(configuration);
  if (!settings) co_return settings.error();
  auto connector = std::make_unique<ChildConnector>(std::move(*settings), services, limits, std::move(start));
  const auto started = co_await connector->start();
  if (!started) co_return started.error();
  co_return std::unique_ptr<Connector>(std::move(connector));
}

}  // namespace wherry::child

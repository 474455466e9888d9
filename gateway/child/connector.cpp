#include "gateway/child/connector.hpp"

#include "gateway/base/log_limit.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"
#include "gateway/child/known_accounts.hpp"
#include "gateway/child/logins.hpp"
#include "gateway/child/look_ups.hpp"
#include "gateway/child/memory.hpp"
#include "gateway/child/rpc_peer.hpp"
#include "gateway/child/session.hpp"
#include "gateway/child/settings.hpp"
#include "gateway/child/values.hpp"
#include "gateway/net/line_process.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace wherry::child {

namespace {

using nlohmann::json;

constexpr std::size_t most_unanswered = 1000;  // requests of the child: beyond, it is not read until some are answered
constexpr std::chrono::milliseconds misbehaved_grace{500};  // to end, for a process that is no longer read

class ChildConnector final : public Connector {
 public:
  ChildConnector(Settings settings, Services services, ChildLimits limits)
      : settings_(std::move(settings)),
        services_(services),
        limits_(limits),
        rpc_(std::make_unique<RpcPeer>(services.executor)),
        accounts_(services.executor, *rpc_, limits.answer),
        look_ups_(std::make_unique<LookUps>(services.executor, *rpc_, limits.answer)),
        logins_(services.executor, *rpc_),
        memory_(services.executor, services.storage),
        log_limit_(std::chrono::steady_clock::now()),
        answered_(services.executor),
        tasks_(services.executor) {}

  // Starts the process and exchanges hello with it.
  asio::awaitable<Result<void>> start();

  Network describe() const override { return greeting_.network; }
  asio::awaitable<void> run() override;
  asio::awaitable<Result<Answers>> log_in(Applicant applicant, Dialogue& user) override;
  void know_account(const Account& account, EventSink& events) override { accounts_.put(account, events); }
  void forget_account(AccountId account) override { accounts_.remove(account); }
  std::unique_ptr<Session> open(AccountId account) override;
  asio::awaitable<Result<ContactId>> parse_contact(std::string typed, AccountId account) const override;

 private:
  asio::awaitable<Result<void>> greet();
  asio::awaitable<void> end(bool orderly, std::chrono::milliseconds grace);
  asio::awaitable<void> serve();
  asio::awaitable<void> keep_alive();

  void accept(RpcPeer::Incoming request);
  void log_line(const json& params);
  asio::awaitable<void> answer(RpcPeer::Incoming request);
  asio::awaitable<Result<json>> answer_to(RpcPeer::Incoming& request);
  asio::awaitable<Result<json>> publish(const json& params);

  const Settings settings_;
  const Services services_;
  const ChildLimits limits_;
  Greeting greeting_;
  std::unique_ptr<net::LineProcess> process_;
  const std::unique_ptr<RpcPeer> rpc_;
  KnownAccounts accounts_;
  const std::unique_ptr<LookUps> look_ups_;
  Logins logins_;
  Memory memory_;
  base::LogLimit log_limit_;
  base::Signal answered_;  // one of the child's requests was
  std::size_t unanswered_ = 0;
  base::TaskGroup tasks_;  // of the present process
};

// ---- The process ----

asio::awaitable<Result<void>> ChildConnector::start() {
  auto started =
      net::LineProcess::start(services_.executor, settings_.command, settings_.environment, RpcPeer::most_line_bytes);
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
    if ((*taken)->method == "log")
      log_line((*taken)->params);
    else
      rpc_->answer((*taken)->id, Error{Errc::rejected, "hello comes first"});
  }
  const auto& answer = *call->answer();
  if (!answer) {
    const bool mistaken = answer.error().code == Errc::bad_input;  // its text begins with the key's path
    co_return Error{answer.error().code, (mistaken ? "configuration." : "configuration: ") + answer.error().text};
  }
  auto greeting = parse_greeting(*answer);
  if (!greeting) co_return Error{Errc::bad_input, "command: the process's answer to hello: " + greeting.error().text};
  greeting_ = std::move(*greeting);
  co_return base::ok();
}

// Ends the process, and then fails what waits for it: only when it is gone is it known what it may have read. One that
// misbehaved gets nothing more. Called with nothing cancelled.
asio::awaitable<void> ChildConnector::end(bool orderly, std::chrono::milliseconds grace) {
  rpc_->refuse_calls();
  if (!orderly) process_->abandon();
  tasks_.cancel();
  co_await tasks_.join();
  const int code = co_await process_->stop(grace);
  rpc_->detach();
  process_.reset();
  unanswered_ = 0;
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
  for (;;) {
    while (unanswered_ >= most_unanswered) co_await answered_.wait();
    const auto line = co_await process_->read_line();
    if (!line) throw std::runtime_error("the process of connector " + greeting_.network.id + " ended or closed its output");
    auto taken = rpc_->take(*line);
    if (!taken)
      throw std::runtime_error("the process of connector " + greeting_.network.id +
                               " wrote a bad line: " + taken.error().text);
    if (*taken) accept(std::move(**taken));
  }
}

// A process that hangs would otherwise look like one that has nothing to say. One that is slow, but answers other
// requests before the ping, does not hang.
asio::awaitable<void> ChildConnector::keep_alive() {
  for (;;) {
    co_await base::sleep(limits_.ping);
    auto begun = rpc_->begin("ping", "{}", RpcPeer::Limit::none);
    if (!begun) co_return;  // it is being ended
    const std::unique_ptr<RpcPeer::Call> ping = std::move(*begun);
    bool alive = true;
    while (alive && !ping->answer()) {
      const std::uint64_t answers = rpc_->answers();
      co_await ping->wait(limits_.ping);
      alive = ping->answer() || rpc_->answers() != answers;
    }
    if (alive) continue;
    log::warn("child.hung", {{"network", greeting_.network.id}});
    co_await process_->stop(std::chrono::milliseconds(0));
    co_return;
  }
}

// ---- What the child asks ----

void ChildConnector::accept(RpcPeer::Incoming request) {
  if (request.method == "log") return log_line(request.params);
  ++unanswered_;
  tasks_.spawn("child.request", answer(std::move(request)));
}

asio::awaitable<void> ChildConnector::answer(RpcPeer::Incoming request) {
  Result<json> result = json();
  try {
    result = co_await answer_to(request);
  } catch (const std::exception& e) {  // the store is lost: the other process has to hear of it
    log::error("child.request_failed",
               {{"network", greeting_.network.id}, {"method", request.method}, {"error", e.what()}});
    result = Error{Errc::unavailable, "It is not stored. Do not acknowledge it; try again."};
  }
  co_await rpc_->wait_room_for_answer();
  --unanswered_;
  answered_.notify();
  rpc_->answer(request.id, result);
}

asio::awaitable<Result<json>> ChildConnector::answer_to(RpcPeer::Incoming& request) {
  if (request.method == "publish") co_return co_await publish(request.params);
  if (request.method == "store_read") co_return co_await memory_.read(std::move(request.params));
  if (request.method == "store_write") co_return co_await memory_.write(std::move(request.params));
  if (request.method == "ask") {
    auto refused = logins_.accept(request);
    if (refused) co_return std::move(*refused);
    request.id = nullptr;  // its user answers it
    co_return json();
  }
  co_return Error{Errc::unsupported, "no such method: " + request.method.substr(0, 40)};
}

asio::awaitable<Result<json>> ChildConnector::publish(const json& params) {
  auto published = parse_published(params);
  if (!published) co_return published.error();
  EventSink* const events = accounts_.find(published->account);
  if (!events) co_return Error{Errc::not_found, "account: not registered (any more)", {}};
  co_await events->publish(std::move(published->event));
  co_return json::object();
}

void ChildConnector::log_line(const json& params) {
  const auto line = parse_log_line(params);
  if (!line) return;
  const auto skipped = log_limit_.admit(std::chrono::steady_clock::now());
  if (!skipped) return;
  if (*skipped > 0) log::warn("child.log_skipped", {{"network", greeting_.network.id}, {"lines", *skipped}});
  log::write(line->level, "child.log", {{"network", greeting_.network.id}, {"text", line->text}});
}

// ---- What is asked of the child ----

asio::awaitable<Result<Answers>> ChildConnector::log_in(Applicant applicant, Dialogue& user) {
  return logins_.log_in(std::move(applicant), user);
}

asio::awaitable<Result<ContactId>> ChildConnector::parse_contact(std::string typed, AccountId account) const {
  return look_ups_->look_up(std::move(typed), account);
}

std::unique_ptr<Session> ChildConnector::open(AccountId account) {
  const SessionContext context{*rpc_, accounts_, greeting_.capabilities, limits_.perform};
  return make_session(context, account, *accounts_.find(account));
}

}  // namespace

asio::awaitable<Result<std::unique_ptr<Connector>>> make_child_connector(json configuration, Services services,
                                                                         ChildLimits limits) {
  auto settings = parse_settings(configuration);
  if (!settings) co_return settings.error();
  auto connector = std::make_unique<ChildConnector>(std::move(*settings), services, limits);
  const auto started = co_await connector->start();
  if (!started) co_return started.error();
  co_return std::unique_ptr<Connector>(std::move(connector));
}

}  // namespace wherry::child

#include "gateway/child/connector.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"
#include "gateway/child/rpc_peer.hpp"
#include "gateway/child/values.hpp"
#include "gateway/connector/codec.hpp"
#include "gateway/connector/json_text.hpp"
#include "gateway/net/line_process.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace wherry::child {

namespace {

using nlohmann::json;

constexpr std::size_t most_unanswered = 1000;  // requests of the child: beyond, it is not read until some are answered
constexpr std::chrono::milliseconds misbehaved_grace{500};  // to end, for a process that is no longer read
constexpr std::size_t most_log_text = 2000;
constexpr std::size_t most_entries = 1000;  // of one store_read

struct Settings {
  std::vector<std::string> command, environment;
  json configuration = json::object();
};

Result<Settings> parse_settings(const json& object) {
  const auto bad = [](std::string text) { return Error{Errc::bad_input, std::move(text)}; };
  if (!object.is_object()) return bad("the configuration must be an object");
  Settings settings;
  for (const auto& [name, value] : object.items()) {
    if (name == "command" && value.is_array()) {
      for (const json& word : value) {
        if (!word.is_string()) return bad("command[" + std::to_string(settings.command.size()) + "]: must be a string");
        settings.command.push_back(word.get<std::string>());
      }
    } else if (name == "environment" && value.is_object()) {
      for (const auto& [variable, text] : value.items()) {
        if (!text.is_string()) return bad("environment." + variable + ": must be a string");
        settings.environment.push_back(variable + "=" + text.get<std::string>());
      }
    } else if (name == "configuration" && value.is_object()) {
      settings.configuration = value;
    } else {
      return bad(name +
                 ": must be one of command (an array of strings), environment (an object of strings), configuration "
                 "(an object)");
    }
  }
  if (settings.command.empty())
    return bad("command: must be the program to start and its arguments, as in [\"python3\", \"echo.py\"]");
  return settings;
}

// The member of that name, or null.
const json& member(const json& object, const char* name) {
  static const json none;
  if (!object.is_object()) return none;
  const auto found = object.find(name);
  return found == object.end() ? none : *found;
}

// {"account":7,"user":"romeo@example.org","credentials":{"nick":"Romeo"}}
json to_json(const Account& account) {
  json object;
  object["account"] = account.id.value;
  object["user"] = account.user;
  object["credentials"] = child::to_json(account.credentials);
  return object;
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// One log_in() under way, and its question to the user: one at a time.
struct Login {
  Dialogue& user;
  base::TaskGroup questions;
};

class ChildSession;

class ChildConnector final : public Connector {
 public:
  ChildConnector(Settings settings, Services services, ChildLimits limits)
      : settings_(std::move(settings)),
        services_(services),
        limits_(limits),
        rpc_(std::make_unique<RpcPeer>(services.executor)),
        came_up_(services.executor),
        answered_(services.executor),
        tasks_(services.executor) {}

  // Starts the process and exchanges hello with it.
  asio::awaitable<Result<void>> start();

  Network describe() const override { return greeting_.network; }
  asio::awaitable<void> run() override;
  asio::awaitable<Result<Answers>> log_in(Applicant applicant, Dialogue& user) override;
  void know_account(const Account& account, EventSink& events) override;
  void forget_account(AccountId account) override;
  std::unique_ptr<Session> open(AccountId account) override;
  asio::awaitable<Result<ContactId>> parse_contact(std::string typed, AccountId account) const override;

 private:
  friend class ChildSession;
  struct Known {
    Account account;
    EventSink* events;
  };

  asio::awaitable<Result<void>> greet();
  asio::awaitable<void> end(std::chrono::milliseconds grace);
  asio::awaitable<void> serve();
  asio::awaitable<void> keep_alive();

  void accept(RpcPeer::Incoming request);
  void accept_question(RpcPeer::Incoming request);
  asio::awaitable<void> ask(Login& login, json id, Form form);
  void log_line(const json& params) const;
  asio::awaitable<void> answer(RpcPeer::Incoming request);
  asio::awaitable<Result<json>> answer_to(const RpcPeer::Incoming& request);
  asio::awaitable<Result<json>> publish(const json& params);
  asio::awaitable<Result<json>> store_read(const json& params);

  const Settings settings_;
  const Services services_;
  const ChildLimits limits_;
  Greeting greeting_;
  std::unique_ptr<net::LineProcess> process_;
  const std::unique_ptr<RpcPeer> rpc_;
  bool up_ = false;  // the process runs and has said hello
  base::Signal came_up_;
  base::Signal answered_;  // one of the child's requests was
  std::size_t unanswered_ = 0;
  base::TaskGroup tasks_;  // of the present process
  std::map<AccountId, Known> known_;
  std::map<std::int64_t, Login*> logins_;
  std::int64_t last_login_ = 0;
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
    up_ = true;
    log::info("child.started", {{"network", greeting_.network.id}, {"pid", process_->pid()}});
    co_return base::ok();
  }
  co_await asio::this_coro::reset_cancellation_state();
  co_await end(std::chrono::milliseconds(0));
  if (failed) std::rethrow_exception(failed);
  co_return greeted;
}

asio::awaitable<Result<void>> ChildConnector::greet() {
  json params;
  params["protocol"] = child_protocol;
  params["configuration"] = settings_.configuration;
  auto begun = rpc_->begin("hello", dump(params));
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

// Fails what waits for the process, and ends it. Called with nothing cancelled.
asio::awaitable<void> ChildConnector::end(std::chrono::milliseconds grace) {
  up_ = false;
  rpc_->detach();
  tasks_.cancel();
  co_await tasks_.join();
  const int code = co_await process_->stop(grace);
  process_.reset();
  log::info("child.ended", {{"network", greeting_.network.id}, {"code", code}});
}

asio::awaitable<void> ChildConnector::run() {
  if (!process_) {
    const auto started = co_await start();
    if (!started) throw std::runtime_error(started.error().text);
    for (const auto& [id, known] : known_) rpc_->send("know_account", dump(to_json(known.account)));
    came_up_.notify();
  }
  tasks_.spawn("child.keep_alive", keep_alive());
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
  co_await end(grace);
  std::rethrow_exception(failed);
}

// Reads lines for ever; throws when the process ends or can no longer be understood.
asio::awaitable<void> ChildConnector::serve() {
  for (;;) {
    while (unanswered_ >= most_unanswered) co_await answered_.wait();
    const auto line = co_await process_->read_line();
    if (!line) throw std::runtime_error("the process of connector " + greeting_.network.id + " ended");
    auto taken = rpc_->take(*line);
    if (!taken)
      throw std::runtime_error("the process of connector " + greeting_.network.id +
                               " wrote a bad line: " + taken.error().text);
    if (*taken) accept(std::move(**taken));
  }
}

// A process that hangs would otherwise look like one that has nothing to say.
asio::awaitable<void> ChildConnector::keep_alive() {
  for (;;) {
    co_await base::sleep(limits_.ping);
    const auto answer = co_await rpc_->call("ping", "{}", limits_.ping);
    if (answer || answer.error().code == Errc::unsupported) continue;
    log::warn("child.hung", {{"network", greeting_.network.id}});
    co_await process_->stop(std::chrono::milliseconds(0));
    co_return;
  }
}

// ---- What the child asks ----

void ChildConnector::accept(RpcPeer::Incoming request) {
  if (request.method == "log") return log_line(request.params);
  if (request.method == "ask") return accept_question(std::move(request));
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
  --unanswered_;
  answered_.notify();
  rpc_->answer(request.id, result);
}

asio::awaitable<Result<json>> ChildConnector::answer_to(const RpcPeer::Incoming& request) {
  if (request.method == "publish") co_return co_await publish(request.params);
  if (request.method == "store_read") co_return co_await store_read(request.params);
  if (request.method == "store_write") {
    auto entries = parse_entries(member(request.params, "entries"));
    if (!entries) co_return entries.error();
    co_await services_.storage.write(std::move(*entries));
    co_return json::object();
  }
  co_return Error{Errc::unsupported, "no such method: " + request.method.substr(0, 40)};
}

asio::awaitable<Result<json>> ChildConnector::publish(const json& params) {
  const json& account = member(params, "account");
  if (!account.is_number_integer()) co_return Error{Errc::bad_input, "account: must be a whole number"};
  auto event = parse_event(member(params, "event"));
  if (!event) co_return Error{event.error().code, "event." + event.error().text};
  const auto* changed = std::get_if<AccountChanged>(&*event);
  if (changed && changed->needs_login) {
    co_return Error{Errc::bad_input, "event.needs_login: answer `open` with the error not_authorized instead"};
  }
  const auto known = known_.find(AccountId{account.get<std::int64_t>()});
  if (known == known_.end()) co_return Error{Errc::not_found, "account: not registered (any more)"};
  co_await known->second.events->publish(std::move(*event));
  co_return json::object();
}

asio::awaitable<Result<json>> ChildConnector::store_read(const json& params) {
  const json &prefix = member(params, "prefix"), &after = member(params, "after"), &limit = member(params, "limit");
  if (!prefix.is_string() || !(after.is_string() || after.is_null()) || !limit.is_number_unsigned()) {
    co_return Error{Errc::bad_input, "store_read takes the strings prefix and after, and the whole number limit"};
  }
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(limit.get<std::uint64_t>(), most_entries));
  auto start = after.is_string() ? after.get<std::string>() : std::string();
  const auto entries = co_await services_.storage.read(prefix.get<std::string>(), std::move(start), most);
  json result;
  result["entries"] = child::to_json(entries);
  co_return result;
}

void ChildConnector::log_line(const json& params) const {
  const json &level = member(params, "level"), &text = member(params, "text");
  if (!text.is_string()) return;
  const log::Level at = level == "error"   ? log::Level::error
                        : level == "warn"  ? log::Level::warn
                        : level == "debug" ? log::Level::debug
                                           : log::Level::info;
  log::write(
      at, "child.log",
      {{"network", greeting_.network.id}, {"text", text.get_ref<const std::string&>().substr(0, most_log_text)}});
}

// ---- Logging in ----

asio::awaitable<Result<Answers>> ChildConnector::log_in(Applicant applicant, Dialogue& user) {
  const std::int64_t number = ++last_login_;
  json params;
  params["login"] = number;
  params["user"] = applicant.user;
  if (applicant.present) params["account"] = to_json(*applicant.present);
  auto begun = rpc_->begin("log_in", dump(params));
  if (!begun) co_return begun.error();
  const std::unique_ptr<RpcPeer::Call> call = std::move(*begun);

  Login login{user, base::TaskGroup(services_.executor)};
  logins_.emplace(number, &login);
  std::exception_ptr failed;
  try {
    while (!call->answer()) co_await call->wait();
  } catch (...) {
    failed = std::current_exception();
  }
  logins_.erase(number);
  co_await asio::this_coro::reset_cancellation_state();
  login.questions.cancel();
  co_await login.questions.join();
  if (failed) std::rethrow_exception(failed);

  const auto& answer = *call->answer();
  if (!answer) co_return answer.error();
  auto credentials = parse_answers(member(*answer, "credentials"));
  if (credentials) co_return credentials;
  log::warn("child.bad_credentials", {{"network", greeting_.network.id}, {"error", credentials.error().text}});
  co_return Error{Errc::unavailable, "The network's connector answered in a way that cannot be understood."};
}

void ChildConnector::accept_question(RpcPeer::Incoming request) {
  const json& number = member(request.params, "login");
  const auto found = number.is_number_integer() ? logins_.find(number.get<std::int64_t>()) : logins_.end();
  if (found == logins_.end())
    return rpc_->answer(request.id, Error{Errc::not_found, "login: none of that number is under way"});
  auto form = parse_form(member(request.params, "form"));
  if (!form) return rpc_->answer(request.id, form.error());
  Login& login = *found->second;
  if (!login.questions.empty()) return rpc_->answer(request.id, Error{Errc::rejected, "one question at a time"});
  login.questions.spawn("child.ask", ask(login, std::move(request.id), std::move(*form)));
}

asio::awaitable<void> ChildConnector::ask(Login& login, json id, Form form) {
  const auto answers = co_await login.user.ask(std::move(form));
  if (!answers) {
    rpc_->answer(id, answers.error());
    co_return;
  }
  json result;
  result["answers"] = child::to_json(*answers);
  rpc_->answer(id, result);
}

// ---- Accounts and sessions ----

void ChildConnector::know_account(const Account& account, EventSink& events) {
  known_.insert_or_assign(account.id, Known{account, &events});
  if (up_) rpc_->send("know_account", dump(to_json(account)));
}

void ChildConnector::forget_account(AccountId account) {
  known_.erase(account);
  if (up_) rpc_->send("forget_account", R"({"account":)" + std::to_string(account.value) + "}");
}

asio::awaitable<Result<ContactId>> ChildConnector::parse_contact(std::string typed, AccountId account) const {
  json params;
  params["typed"] = std::move(typed);
  params["account"] = account.value;
  const auto answer = co_await rpc_->call("parse_contact", dump(params), limits_.answer);
  if (!answer) co_return answer.error();
  auto contact = parse_contact_answer(*answer);
  if (contact) co_return contact;
  log::warn("child.bad_contact", {{"network", greeting_.network.id}, {"error", contact.error().text}});
  co_return Error{Errc::unavailable, "The network's connector answered in a way that cannot be understood."};
}

class ChildSession final : public Session {
 public:
  ChildSession(ChildConnector& connector, AccountId account, EventSink& events)
      : connector_(connector), account_(R"({"account":)" + std::to_string(account.value)), events_(events) {}

  asio::awaitable<void> run() override {
    while (!connector_.up_) co_await connector_.came_up_.wait();
    auto begun = connector_.rpc_->begin("open", account_ + "}");
    if (!begun) throw std::runtime_error(begun.error().text);
    const std::unique_ptr<RpcPeer::Call> call = std::move(*begun);  // cancelled with us: the child ends its session
    while (!call->answer()) co_await call->wait();
    const auto& answer = *call->answer();
    if (answer) throw std::runtime_error("the session ended");
    if (answer.error().code != Errc::not_authorized) throw std::runtime_error(answer.error().text);
    AccountChanged changed;
    changed.needs_login = true;
    changed.text = answer.error().text;
    co_await events_.publish(std::move(changed));
  }

  asio::awaitable<Result<Receipt>> perform(Action action) override {
    const auto answer = co_await connector_.rpc_->call("perform", account_ + R"(,"action":)" + to_text(action) + "}",
                                                       connector_.limits_.perform);
    if (!answer) co_return answer.error();
    auto receipt = parse_receipt(*answer);
    if (receipt) co_return receipt;
    co_return Error{Errc::uncertain, "The network's connector answered in a way that cannot be understood."};
  }

  Capabilities capabilities(const ChatId&) const override { return connector_.greeting_.capabilities; }

 private:
  ChildConnector& connector_;
  const std::string account_;  // the start of every params object
  EventSink& events_;
};

std::unique_ptr<Session> ChildConnector::open(AccountId account) {
  return std::make_unique<ChildSession>(*this, account, *known_.at(account).events);
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

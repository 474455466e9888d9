#include "gateway/conformance/host.hpp"

#include "gateway/base/within.hpp"
#include "gateway/conformance/promise.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <random>
#include <utility>

namespace wherry::conformance {

using connector::Account;
using connector::Session;
using nlohmann::json;

namespace {

constexpr std::chrono::milliseconds pause_before_again{100};
constexpr std::chrono::milliseconds raw_grace{2000};

std::string name_of_run() {
  std::random_device random;
  return fmt::format("{:08x}", random());
}

}  // namespace

void expect(bool holds, const std::string& otherwise) {
  if (!holds) throw Broken(otherwise);
}

Host::Host(asio::any_io_executor executor, Description d, std::vector<std::string> command)
    : description(std::move(d)),
      executor_(executor),
      command_(std::move(command)),
      run_(name_of_run()),
      http_(executor),
      webhooks_(executor),
      changed_(executor),
      running_(executor) {}

child::ChildLimits Host::limits() const {
  child::ChildLimits limits;
  limits.hello = limits.perform = limits.answer = limits.piece = limits.ping = description.wait;
  return limits;
}

std::string Host::new_key() { return fmt::format("wherry-{}-{}", run_, ++keys_); }

// ---- By hand ----

json Host::hello() const {
  json params;
  params["protocol"] = child::child_protocol;
  params["configuration"] = description.configuration;
  params["of_a_newer_gateway"] = json::array({1, 2});  // unknown members are ignored
  return params;
}

std::unique_ptr<RawChild> Host::start_raw() {
  return std::make_unique<RawChild>(executor_, command_, record, description.wait);
}

asio::awaitable<RawChild*> Host::raw() {
  if (raw_) co_return raw_.get();
  auto child = start_raw();
  auto params = hello();
  hello_answer = co_await child->ask("hello", std::move(params));
  if (!*hello_answer) throw Broken("`hello` is refused: " + hello_answer->error().text);
  raw_ = std::move(child);
  co_return raw_.get();
}

asio::awaitable<bool> Host::end_raw(std::chrono::milliseconds grace) {
  if (!raw_) co_return true;
  const auto raw = std::move(raw_);
  co_return co_await raw->end(grace);
}

// ---- As the gateway does it ----

asio::awaitable<connector::Connector*> Host::network() {
  if (connector_) co_return connector_.get();
  co_await end_raw(raw_grace);
  json settings;
  settings["command"] = command_;
  settings["configuration"] = description.configuration;
  connector::Services services{executor_, http_, webhooks_, storage_, clock_};
  auto process = watched(record);
  auto made = co_await child::make_child_connector(std::move(settings), services, limits(), std::move(process));
  if (!made) throw Broken("it does not start: " + made.error().text);
  connector_ = std::move(*made);
  running_.spawn("conformance.run", keep_running());
  co_return connector_.get();
}

asio::awaitable<void> Host::keep_running() {
  for (;;) {
    std::string why;
    try {
      co_await connector_->run();
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted) throw;
      why = e.what();
    } catch (const std::exception& e) {
      why = e.what();
    }
    note_death(std::move(why));
    co_await base::sleep(pause_before_again);
  }
}

void Host::note_death(std::string why) {
  ++deaths_;
  while (why.ends_with('.')) why.pop_back();
  last_death_ = std::move(why);
  for (auto& [number, events] : events_) events.set_offline();
  changed_.notify();
}

asio::awaitable<void> Host::stop() {
  while (!sessions_.empty()) co_await close(sessions_.begin()->first);
  known_.clear();
  co_await running_.end();
  connector_.reset();
  co_await end_raw(raw_grace);
}

Account Host::account(std::size_t number) const {
  if (!credentials.contains(number))
    throw NotTried("account " + std::to_string(number) + " of the description could not log in");
  return {base::AccountId{static_cast<std::int64_t>(number)}, description.accounts.at(number - 1).user,
          credentials.at(number)};
}

Events& Host::events(std::size_t number) { return events_.try_emplace(number, changed_).first->second; }

asio::awaitable<void> Host::know(std::size_t number) {
  auto* connector = co_await network();
  connector->know_account(account(number), events(number));
  known_.insert(number);
}

asio::awaitable<void> Host::forget(std::size_t number) {
  co_await close(number);
  auto* connector = co_await network();
  connector->forget_account(base::AccountId{static_cast<std::int64_t>(number)});
  known_.erase(number);
}

asio::awaitable<Session*> Host::online(std::size_t number) {
  auto* connector = co_await network();
  if (!known_.contains(number)) co_await know(number);
  if (!sessions_.contains(number)) {
    Live& live = sessions_.try_emplace(number, executor_).first->second;
    live.session = connector->open(base::AccountId{static_cast<std::int64_t>(number)});
    live.task.spawn("conformance.session", keep_session(number));
  }
  const Live& live = sessions_.at(number);
  const Events& mine = events(number);
  std::function<bool()> is_settled = [&mine] { return mine.is_online() || mine.needs_login(); };
  std::string otherwise = fmt::format(
      "the session of account {} does not come online within {} s. Publish account_changed with \"online\": true once "
      "`open` has reached the network",
      number, description.wait.count());
  try {
    co_await until(std::move(is_settled), std::move(otherwise));
  } catch (const Silence& e) {
    throw Silence(e.what() + (live.ended.empty() ? "." : "; `open` was answered: " + live.ended));
  }
  expect(!mine.needs_login(),
         "`open` is refused with not_authorized, though log_in has just given these credentials: " + mine.state_text());
  co_return live.session.get();
}

// Again after its end, as the gateway does, but at once; not where the user would have to log in anew.
asio::awaitable<void> Host::keep_session(std::size_t number) {
  Live& live = sessions_.at(number);
  Events& mine = events(number);
  do {
    live.ended = co_await run_session(*live.session);
    mine.set_offline();
    changed_.notify();
    co_await base::sleep(pause_before_again);
  } while (!mine.needs_login());
}

// Until it ends: why.
asio::awaitable<std::string> Host::run_session(Session& session) {
  try {
    co_await session.run();
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    co_return std::string(e.what());
  } catch (const std::exception& e) {
    co_return std::string(e.what());
  }
  co_return std::string("The user must log in again.");
}

asio::awaitable<void> Host::close(std::size_t number) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end()) co_return;
  co_await found->second.task.end();
  sessions_.erase(found);
  events(number).set_offline();
}

asio::awaitable<void> Host::wait_for(std::function<bool()> holds) {
  const std::size_t before = deaths_;
  while (!holds()) {
    co_await changed_.wait();
    if (deaths_ != before) throw Broken(last_death_ + ". What it wrote to standard error stands above.");
  }
}

asio::awaitable<void> Host::until(std::function<bool()> holds, std::string otherwise) {
  try {
    co_await base::within(description.wait, wait_for(std::move(holds)));
  } catch (const base::TimedOut&) {
    throw Silence(otherwise);
  }
}

}  // namespace wherry::conformance

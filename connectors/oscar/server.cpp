#include "connectors/oscar/server.hpp"

#include "connectors/oscar/convert/names.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace wherry::oscar {

namespace {

constexpr std::chrono::seconds connect_limit{15}, too_fast{60};

}  // namespace

Server::Server(Settings settings, const asio::any_io_executor& executor)
    : settings_(std::move(settings)),
      pace_(net::LoginPace::of(fmt::format("{}:{}", settings_.host, settings_.port), settings_.logins_a_minute,
                               executor)) {}

asio::awaitable<std::unique_ptr<Link>> Server::connect(std::string host, std::uint16_t port) {
  const std::string peer = fmt::format("{}:{}", host, port);
  std::string failure;
  try {
    auto connecting = Link::connect(std::move(host), port, connect_limit);
    co_return co_await std::move(connecting);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    failure = e.code().message();
  } catch (const base::TimedOut&) {
    failure = "no answer";
  }
  throw std::runtime_error(fmt::format("cannot connect to {}: {}", peer, failure));
}

asio::awaitable<LoginResult> Server::attempt(LoginRequest request) {
  std::string failure;
  try {
    const auto link = co_await connect(settings_.host, settings_.port);
    Login login(std::move(request), std::chrono::steady_clock::now());
    auto driving = link->run(
        login, [] {}, [] { return false; });
    co_await std::move(driving);
    co_return login.result();
  } catch (const boost::system::system_error&) {
    throw;  // cancelled
  } catch (const std::runtime_error& e) {
    failure = e.what();
  }
  Failed failed;
  failed.reason = std::move(failure);
  co_return failed;
}

asio::awaitable<LoginResult> Server::log_in(std::string name, base::Secret password, bool first) {
  LoginRequest request;
  request.name = std::move(name);
  request.password = std::move(password);
  request.method =
      settings_.method == Settings::Method::roasted ? LoginRequest::Method::roasted : LoginRequest::Method::md5;
  request.replaces_others = settings_.replaces_others;
  co_await pace_->turn(first);
  LoginResult result = co_await attempt(request);
  const auto* failed = std::get_if<Failed>(&result);
  if (failed && failed->is_method_unknown && settings_.method == Settings::Method::either) {
    request.method = LoginRequest::Method::roasted;
    co_await pace_->turn(first);
    result = co_await attempt(request);
  }
  const auto* refused = std::get_if<Refused>(&result);
  if (refused && refused->kind == Refusal::too_fast)
    pace_->hold(too_fast + std::chrono::seconds(base::random_number() % 15));
  co_return result;
}

asio::awaitable<std::unique_ptr<Link>> Server::connect_session(const Ticket& ticket) {
  return connect(settings_.session_host.empty() ? ticket.host : settings_.session_host, ticket.port);
}

asio::awaitable<std::shared_ptr<Conversation>> Server::enter(Ticket ticket, std::uint32_t status) {
  auto link = co_await connect_session(ticket);
  co_return std::make_shared<Conversation>(std::move(link), std::move(ticket.cookie), status, plain_name);
}

asio::awaitable<std::shared_ptr<Conversation>> Server::enter_service(Ticket ticket, std::uint16_t service) {
  auto link = co_await connect_session(ticket);
  co_return std::make_shared<Conversation>(std::move(link), std::move(ticket.cookie), service);
}

asio::awaitable<base::Result<void>> Server::reach() {
  std::string failure;
  try {
    const auto link = co_await connect(settings_.host, settings_.port);
    co_return base::ok();
  } catch (const boost::system::system_error&) {
    throw;
  } catch (const std::runtime_error& e) {
    failure = e.what();
  }
  co_return base::Error{base::Errc::unavailable, std::move(failure)};
}

}  // namespace wherry::oscar

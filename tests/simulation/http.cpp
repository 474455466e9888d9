#include "tests/simulation/http.hpp"

#include "gateway/base/within.hpp"

#include <boost/asio/co_spawn.hpp>

#include <list>
#include <memory>
#include <utility>

namespace wherry::simulation {

namespace {

// Of the one process that lives.
struct Webhooks {
  std::map<std::string, net::HttpServer::Handler> routes;
  asio::any_io_executor executor;
  std::list<std::shared_ptr<std::function<void(int)>>> waiting;
};

Webhooks& webhooks() {
  static Webhooks all;
  return all;
}

std::function<Exchange(net::HttpRequest)>& listener() {
  static std::function<Exchange(net::HttpRequest)> listen;
  return listen;
}

void answer(const std::shared_ptr<std::function<void(int)>>& answered, int status) {
  webhooks().waiting.remove(answered);
  if (auto tell = std::exchange(*answered, {})) tell(status);
}

}  // namespace

void listen_for_requests(std::function<Exchange(net::HttpRequest)> listen) { listener() = std::move(listen); }

void post_webhook(net::ServerRequest request, std::function<void(int status)> answered) {
  const auto route = webhooks().routes.find(request.target.substr(0, request.target.find('?')));
  if (route == webhooks().routes.end()) return answered(0);
  const auto shared = std::make_shared<std::function<void(int)>>(std::move(answered));
  webhooks().waiting.push_back(shared);
  asio::co_spawn(webhooks().executor, route->second(std::move(request)),
                 [shared](const std::exception_ptr& error, const net::ServerResponse& response) {
                   answer(shared, error ? 500 : response.status);
                 });
}

void forget_webhooks() {
  webhooks().routes.clear();
  while (!webhooks().waiting.empty()) {
    const auto waiting = webhooks().waiting.front();
    answer(waiting, 0);
  }
}

}  // namespace wherry::simulation

namespace wherry::net {

struct HttpClient::Impl {};

HttpClient::HttpClient(asio::any_io_executor executor) : executor_(std::move(executor)) {}
HttpClient::~HttpClient() = default;

asio::awaitable<base::Result<HttpResponse>> HttpClient::send(HttpRequest request) {
  const simulation::Exchange exchange = simulation::listener()(std::move(request));
  co_await base::sleep(std::chrono::microseconds(exchange.there));
  if (exchange.is_refused) co_return base::Error{base::Errc::unavailable, "the connection is refused"};
  auto response = exchange.arrived();
  co_await base::sleep(std::chrono::microseconds(exchange.back));
  if (!response) co_return base::Error{base::Errc::uncertain, "the answer is lost"};
  co_return std::move(*response);
}

std::string_view ServerRequest::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (known == name) return value;
  }
  return {};
}

HttpServer::HttpServer(asio::any_io_executor executor, HttpServerLimits limits)
    : limits_(limits), acceptor_(executor), tasks_(executor) {}

void HttpServer::route(std::string path, Handler handler) {
  auto& routes = simulation::webhooks().routes;
  simulation::webhooks().executor = acceptor_.get_executor();
  if (handler) routes[path] = routes_[path] = std::move(handler);
  else routes.erase(path), routes_.erase(path);
}

}  // namespace wherry::net

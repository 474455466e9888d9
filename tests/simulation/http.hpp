// HTTP without sockets: net::HttpClient and net::HttpServer are defined here, in place of gateway/net's, which the
// simulation does not link. Requests go to whom the world names, and webhooks to the handlers that a process has.
#pragma once

#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"
#include "tests/simulation/plan.hpp"

#include <functional>
#include <optional>
#include <string>

namespace wherry::simulation {

namespace asio = boost::asio;

// The way of one request.
struct Exchange {
  Microseconds there = 0, back = 0;
  bool is_refused = false;  // it does not reach the service
  // At the service, once it has arrived; nothing: the answer is lost.
  std::function<std::optional<net::HttpResponse>()> arrived;
};
void listen_for_requests(std::function<Exchange(net::HttpRequest)> listen);

// Brings a webhook to the process that there is; `answered` hears the status, or 0 where no answer comes.
void post_webhook(net::ServerRequest request, std::function<void(int status)> answered);
// The process is dead, or gone: no answer comes from it any more.
void forget_webhooks();

}  // namespace wherry::simulation

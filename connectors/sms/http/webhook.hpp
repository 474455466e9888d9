// What the service tells us: incoming texts, and the status of ours.
//
//   POST, signed                     200 (or what the provider calls an acknowledgement), once what it says is durable
//   a text to a number of nobody's   404: the service shows the operator an error; the sender hears nothing
//   unsigned, or wrongly             403, before anything in it is looked at
//   our store is lost                500: the service brings it again, or the next listing does
//   a status of what is not ours     200: nobody waits for it
#pragma once

#include "connectors/sms/http/reports.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/net/http_server.hpp"

#include <functional>

namespace wherry::sms::http {

class WebhookServer {
 public:
  // `on_received`: an incoming text is safe, by its id.
  WebhookServer(const Provider& provider, connector::Services services, CarrierEvents& events, Ledger& ledger, Reports& reports,
                std::function<void(const std::string&)> on_received);
  ~WebhookServer() { close(); }
  WebhookServer(const WebhookServer&) = delete;
  WebhookServer& operator=(const WebhookServer&) = delete;

  void open();
  void close();
  asio::awaitable<void> join();  // after close(): until no request is left

 private:
  asio::awaitable<net::ServerResponse> handle(net::ServerRequest request);
  asio::awaitable<net::ServerResponse> answer(net::ServerRequest request);
  asio::awaitable<net::ServerResponse> take_report(Report report);
  asio::awaitable<net::ServerResponse> take_text(Message message);

  const Provider& provider_;
  connector::Services services_;
  CarrierEvents& events_;
  Ledger& ledger_;
  Reports& reports_;
  std::function<void(const std::string&)> on_received_;
  bool is_open_ = false;
  int requests_ = 0;
  base::Signal idle_;
};

}  // namespace wherry::sms::http

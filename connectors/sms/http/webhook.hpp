// What the service tells us: incoming texts, and the status of ours.
//
//   before open(), after close()     503 and when to come again: the service keeps what it has
//   POST or GET, signed or secret    200 (or what the provider calls an acknowledgement), once what it says is durable
//   a text to a number of nobody's   404: the service shows the operator an error; the sender hears nothing
//   unsigned, or wrongly             403, before anything in it is looked at
//   our store is lost                500: the service brings it again, or the next listing does
//   a status of what is not ours     200: nobody waits for it. It is kept for some minutes while the id of a text is
//                                    awaited: services report faster than they answer
//
// Below the same path, people get the files of their messages (media.hpp).
#pragma once

#include "connectors/sms/http/media/media.hpp"
#include "connectors/sms/http/reports.hpp"
#include "gateway/base/log_limit.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/net/http_server.hpp"

#include <deque>
#include <functional>
#include <memory>

namespace wherry::sms::http {

class WebhookServer {
 public:
  // Has the path from now on, until it is destroyed. `on_received`: an incoming text is safe, by its id.
  WebhookServer(const Provider& provider, connector::Services services, CarrierEvents& events, Ledger& ledger,
                Reports& reports, Media& media, std::function<void(const std::string&)> on_received);
  ~WebhookServer();
  WebhookServer(const WebhookServer&) = delete;
  WebhookServer& operator=(const WebhookServer&) = delete;

  void open();
  void close();
  asio::awaitable<void> join();  // after close(): until no request is left

  // Reports that came before anybody knew whose this id is: they are brought home now.
  bool has_early(std::string_view id) const;
  asio::awaitable<void> take_early(std::string id);

 private:
  struct Early {
    Report report;
    base::Time came;
  };
  void keep_early(Report report);
  // Requests share it: the server may be gone when one of them begins.
  struct Door {
    WebhookServer* open = nullptr;  // null: closed
  };
  static asio::awaitable<net::ServerResponse> enter(std::shared_ptr<Door> door, net::ServerRequest request);
  asio::awaitable<net::ServerResponse> handle(net::ServerRequest request);
  asio::awaitable<net::ServerResponse> answer(net::ServerRequest request);
  void note_missed(std::string_view event, const net::ServerRequest& request);
  asio::awaitable<void> take_report(Report report);
  asio::awaitable<void> take_part(std::shared_ptr<Record> record, Report report);
  asio::awaitable<bool> take_text(Message message);                                // false: nobody has the number
  std::string below_path() const { return provider_.setting.webhook_path + "/"; }  // where the secret is

  const Provider& provider_;
  connector::Services services_;
  CarrierEvents& events_;
  Ledger& ledger_;
  Reports& reports_;
  Media& media_;
  std::function<void(const std::string&)> on_received_;
  std::shared_ptr<Door> door_ = std::make_shared<Door>();
  std::deque<Early> early_;  // the oldest first
  base::LogLimit refused_ = base::LogLimit::of_stanzas(),
                 not_understood_ = base::LogLimit::of_stanzas();  // anybody can post
  int requests_ = 0;
  base::Signal idle_;
};

}  // namespace wherry::sms::http

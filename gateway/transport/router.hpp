// Chooses for every stanza exactly one handler, by kind, address form and payload; an unhandled request is answered.
#pragma once

#include "gateway/xmpp/stanza.hpp"

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace wherry::transport {

enum class AddressForm { gateway, contact };  // sms.test, or somebody at sms.test

// What an iq asks; messages, presences and subscriptions have one handler per address form.
enum class Request { get, set };

class Router {
 public:
  using Handler = std::function<void(xmpp::Stanza)>;
  using Reply = std::function<void(const xmpp::Element&)>;

  explicit Router(Reply reply) : reply_(std::move(reply)) {}

  void on_message(AddressForm form, Handler handler);
  // A message to the gateway itself with such a payload.
  void on_message(std::string payload_ns, Handler handler);
  // Who is there, and who asks; not subscriptions.
  void on_presence(AddressForm form, Handler handler);
  // subscribe, subscribed, unsubscribe, unsubscribed (RFC 6121 §3).
  void on_subscription(AddressForm form, Handler handler);
  void on_iq(AddressForm form, Request request, std::string payload_ns, Handler handler);
  // Answers (result, error) to iqs of our own.
  void on_answer(Handler handler) { answered_ = std::move(handler); }

  // Hands the stanza on, or answers it: a request that nobody handles gets service-unavailable (RFC 6120 §8.2.3), a
  // malformed one bad-request; what a handler throws is logged and answered with internal-server-error.
  void route(xmpp::Stanza stanza) const;

  // The payloads that are handled for requests to such an address: the honest part of disco#info.
  std::vector<std::string> namespaces(AddressForm form) const;

 private:
  const Handler* find(const xmpp::Stanza& stanza) const;
  void unhandled(const xmpp::Stanza& stanza) const;

  Reply reply_;
  Handler answered_;
  std::unordered_map<std::string, Handler> handlers_;  // by key_of(...)
};

}  // namespace wherry::transport

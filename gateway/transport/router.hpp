// Chooses for every stanza exactly one handler, by kind, address form and payload; an unhandled request is answered.
// Whose account it concerns, and what its address stands for, is found out here, once.
#pragma once

#include "gateway/accounts/accounts.hpp"
#include "gateway/convert/address.hpp"
#include "gateway/xmpp/stanza.hpp"

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace wherry::transport {

using convert::Address;
using convert::AddressForm;

// The gateway is the face of a user's first account: what is said to one face is said to each.
inline constexpr AddressForm faces[] = {AddressForm::gateway, AddressForm::account};

// Who sent a stanza, and to what. Valid until the next co_await.
struct Party {
  accounts::LiveAccount* account;  // the sender's, of the address's alias; null: there is none
  Address to;
};

// What an iq asks; messages, presences and subscriptions have one handler per address form.
enum class Request { get, set };

class Router {
 public:
  using Handler = std::function<void(xmpp::Stanza, const Party&)>;
  using AnswerHandler = std::function<void(xmpp::Stanza)>;
  using Reply = std::function<void(const xmpp::Element&)>;

  Router(accounts::Accounts& accounts, Reply reply) : accounts_(accounts), reply_(std::move(reply)) {}

  void on_message(AddressForm form, Handler handler);
  // A message to the gateway itself with such a payload.
  void on_message(std::string payload_ns, Handler handler);
  // Who is there, and who asks; not subscriptions.
  void on_presence(AddressForm form, Handler handler);
  // subscribe, subscribed, unsubscribe, unsubscribed (RFC 6121 §3).
  void on_subscription(AddressForm form, Handler handler);
  void on_iq(AddressForm form, Request request, std::string payload_ns, Handler handler);
  // Answers (result, error) to iqs of our own.
  void on_answer(AnswerHandler handler) { answered_ = std::move(handler); }

  // Hands the stanza on, or answers it: a request that nobody handles gets service-unavailable (RFC 6120 §8.2.3), a
  // malformed one bad-request, what is for a room or for no possible address item-not-found; what a handler throws is
  // logged and answered with internal-server-error.
  void route(xmpp::Stanza stanza) const;

  // The payloads that are handled for requests to such an address: the honest part of disco#info.
  std::vector<std::string> namespaces(AddressForm form) const;

 private:
  const Handler* find(const xmpp::Stanza& stanza, AddressForm form) const;
  void handle(xmpp::Stanza stanza) const;
  void unhandled(const xmpp::Stanza& stanza) const;

  accounts::Accounts& accounts_;
  Reply reply_;
  AnswerHandler answered_;
  std::unordered_map<std::string, Handler> handlers_;  // by key_of(...)
};

}  // namespace wherry::transport

#include "gateway/transport/router.hpp"

#include "gateway/base/log.hpp"
#include "gateway/convert/refusals.hpp"

#include <algorithm>

namespace wherry::transport {

namespace {

std::string key_of(xmpp::Kind kind, AddressForm form, std::string_view rest) {
  std::string key;
  key += static_cast<char>('0' + static_cast<int>(kind));
  key += static_cast<char>('0' + static_cast<int>(form));
  key += rest;
  return key;
}

constexpr const char* subscription = "subscription";

bool is_subscription(std::string_view type) {
  return type == "subscribe" || type == "subscribed" || type == "unsubscribe" || type == "unsubscribed";
}

// RFC 6120 §8.3.1: never an error about an error; a result of a request that we did not make means nothing.
bool is_answered(const xmpp::Stanza& stanza) { return stanza.type() != "error" && stanza.type() != "result"; }

// At every log-out a server says so to whomever its user has shown a presence.
bool is_farewell(const xmpp::Stanza& stanza) {
  return stanza.kind == xmpp::Kind::presence && stanza.type() == "unavailable";
}

}  // namespace

void Router::on_message(AddressForm form, Handler handler) {
  handlers_[key_of(xmpp::Kind::message, form, "")] = std::move(handler);
}
void Router::on_message(std::string payload_ns, Handler handler) {
  handlers_[key_of(xmpp::Kind::message, AddressForm::gateway, payload_ns)] = std::move(handler);
}
void Router::on_presence(AddressForm form, Handler handler) {
  handlers_[key_of(xmpp::Kind::presence, form, "")] = std::move(handler);
}
void Router::on_subscription(AddressForm form, Handler handler) {
  handlers_[key_of(xmpp::Kind::presence, form, subscription)] = std::move(handler);
}
void Router::on_iq(AddressForm form, Request request, std::string payload_ns, Handler handler) {
  handlers_[key_of(xmpp::Kind::iq, form, (request == Request::get ? "get " : "set ") + payload_ns)] =
      std::move(handler);
}

std::vector<std::string> Router::namespaces(AddressForm form) const {
  std::vector<std::string> found;
  for (const auto& [key, handler] : handlers_) {
    if (key.starts_with(key_of(xmpp::Kind::iq, form, "get ")) ||
        key.starts_with(key_of(xmpp::Kind::iq, form, "set "))) {
      found.push_back(key.substr(6));
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

const Router::Handler* Router::find(const xmpp::Stanza& stanza, AddressForm form) const {
  std::string key = key_of(stanza.kind, form, "");
  if (stanza.kind == xmpp::Kind::iq) {
    const xmpp::Element* payload = stanza.payload();
    if (!payload || stanza.id().empty()) return nullptr;
    key += stanza.type();
    key += ' ';
    key += payload->ns();
  }
  if (stanza.kind == xmpp::Kind::presence && is_subscription(stanza.type())) key += subscription;
  if (stanza.kind == xmpp::Kind::message && form == AddressForm::gateway) {
    for (const xmpp::Element& child : stanza.element.children()) {
      if (const auto found = handlers_.find(key + std::string(child.ns())); found != handlers_.end())
        return &found->second;
    }
  }
  const auto found = handlers_.find(key);
  return found == handlers_.end() ? nullptr : &found->second;
}

void Router::route(xmpp::Stanza stanza) const {
  // The stanza moves into the handler; what an answer to a failure needs is kept.
  xmpp::Stanza head{stanza.kind, stanza.from, stanza.to,
                    xmpp::make_stanza(stanza.kind, stanza.from, stanza.to, stanza.type(), stanza.id())};
  try {
    handle(std::move(stanza));
  } catch (const std::exception& e) {
    log::error("stanza.failed", {{"error", e.what()}});
    if (!is_answered(head)) return;
    reply_(xmpp::error_reply(
        head, xmpp::StanzaError{"cancel", "internal-server-error",
                                "Something went wrong in the gateway; its operator finds it in the log."}));
  }
}

void Router::handle(xmpp::Stanza stanza) const {
  const bool is_answer = stanza.kind == xmpp::Kind::iq && !is_answered(stanza);
  if (is_answer && answered_) return answered_(std::move(stanza));
  const auto refuse = [&](const xmpp::StanzaError& error) {
    if (is_answered(stanza) && !is_farewell(stanza)) reply_(xmpp::error_reply(stanza, error));
  };
  auto to = convert::read(stanza.to);
  if (!to) return refuse(convert::no_such_contact(to.error()));
  if (to->form == AddressForm::room || to->form == AddressForm::occupant) return refuse(convert::no_such_room());
  const Handler* handler = find(stanza, to->form);
  if (!handler) return unhandled(stanza);
  const Party party{accounts_.find(stanza.from, to->alias), std::move(*to)};
  (*handler)(std::move(stanza), party);
}

void Router::unhandled(const xmpp::Stanza& stanza) const {
  if (!is_answered(stanza)) return;
  if (stanza.kind == xmpp::Kind::presence) return;
  const auto refuse = [&](xmpp::StanzaError error) { reply_(xmpp::error_reply(stanza, error)); };
  if (stanza.kind != xmpp::Kind::iq) return refuse({"cancel", "service-unavailable", ""});
  // RFC 6120 §8.2.3.
  if (!stanza.payload())
    return refuse({"modify", "bad-request", "An iq must be a get or a set with one child element."});
  if (stanza.id().empty()) return refuse({"modify", "bad-request", "An iq must have an id."});
  refuse({"cancel", "service-unavailable", ""});
}

}  // namespace wherry::transport

// The users' rosters, where their server lets us write to them (XEP-0356 v0.4.1 §4): contacts appear and go without a
// question to the user. Which servers do is told by features/privileges.
#pragma once

#include "gateway/xmpp/iq_requests.hpp"

#include <set>
#include <string>
#include <vector>

namespace wherry::accounts {

struct RosterItem {
  xmpp::Jid jid;
  std::string name;
  std::vector<std::string> groups;
};

class Rosters {
 public:
  explicit Rosters(xmpp::IqRequests& requests) : requests_(requests) {}

  // What the server of these users said last; it says so anew on every connection. Reading is needed, too: see put().
  void grant(const std::string& domain, bool may_read_and_write);
  void disconnected();

  bool is_writable(const xmpp::Jid& user) const { return writable_.contains(std::string(user.domain())); }

  // Puts the item into the user's roster, subscribed both ways; whether that is so now. A server that does not do it is
  // not asked again before it grants it anew. COMPAT(ejabberd): 23.01 fails, later ones put the item there and ignore
  // the subscription; so the first item of each server is read back.
  asio::awaitable<bool> put(xmpp::Jid user, RosterItem item);
  // Takes one out of it.
  asio::awaitable<void> remove(xmpp::Jid user, xmpp::Jid contact);

 private:
  asio::awaitable<bool> set(xmpp::Jid user, RosterItem item, const char* subscription);
  asio::awaitable<bool> is_subscribed(xmpp::Jid user, xmpp::Jid contact);

  xmpp::IqRequests& requests_;
  std::set<std::string> writable_, proven_;  // domains
};

}  // namespace wherry::accounts

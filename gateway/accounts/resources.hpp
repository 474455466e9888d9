// Which of a user's devices are there, and what they together show of the user (RFC 6121 §4.7). Bounded; pure.
#pragma once

#include "gateway/base/ids.hpp"
#include "gateway/connector/action.hpp"
#include "gateway/xmpp/jid.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace wherry::accounts {

// Of a user's one device, as its presence said.
struct UserPresence {
  connector::Availability availability = connector::Availability::online;
  std::string status;
  int priority = 0;  // §4.7.2.3

  bool takes_messages() const { return priority >= 0; }  // §8.5.2.1.1
  bool operator==(const UserPresence&) const = default;
};

class Resources {
 public:
  static constexpr std::size_t most = 100;          // of one user: a server may invent any number
  static constexpr std::size_t most_contacts = 20;  // by which one device is known

  // A device came or changed, by its presence to the gateway; or to these contacts, where that is the only sign of it.
  // Whether there is room for it.
  bool put(const std::string& full, UserPresence presence, const std::vector<base::ContactId>& contacts = {});
  // One device; with a bare address all of them (§4.5.4).
  void erase(const xmpp::Jid& user);
  // A device has shown itself to this contact, too.
  void show(const std::string& full, const base::ContactId& contact);
  // A device has shown itself at the gateway's domain, not only at its other address; whether it, or with a bare
  // address any, has.
  void show_at_domain(const std::string& full);
  bool is_at_domain(const xmpp::Jid& user) const;
  // A device (bare: every one) is not there for this contact any more (§4.6.3). Which of them were known only by such
  // presence, and have now taken back the last: they are to be erased.
  std::vector<std::string> hide(const xmpp::Jid& user, const base::ContactId& contact);

  // What is known may be old: every device is to show itself anew, by whatever presence.
  void doubt();
  std::vector<std::string> doubted() const;  // who have not

  bool empty() const { return by_jid_.empty(); }
  std::size_t size() const { return by_jid_.size(); }
  bool contains(const std::string& full) const { return by_jid_.contains(full); }
  const UserPresence* find(const std::string& full) const;
  std::vector<std::string> some(std::size_t most_of_them) const;

  // Whether a message to the bare address reaches a device, as far as presence tells.
  bool takes_messages() const;
  // What the network is shown of the user: the most available device's presence; among equals that of the highest
  // priority. A device that takes no messages counts only where no other is there. Nobody there: offline.
  UserPresence shown() const;

 private:
  struct Device {
    UserPresence presence;
    std::set<base::ContactId> contacts;  // by whom alone it is known; empty: it shows itself to the gateway
    bool is_at_domain = false;
    bool is_doubted = false;
  };
  std::map<std::string, Device> by_jid_;
};

}  // namespace wherry::accounts

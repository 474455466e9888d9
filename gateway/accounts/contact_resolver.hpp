// From what stands before the @ to the contact's one true id, as the connector decides. Who is in the user's list, or
// was looked up lately, costs no question, and can be written to while the connector cannot answer. Every question to
// the connector about an id is bounded here.
#pragma once

#include "gateway/accounts/live_account.hpp"
#include "gateway/accounts/quota.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/connector/contract.hpp"
#include "gateway/convert/address.hpp"
#include "gateway/xmpp/jid.hpp"
#include "gateway/xmpp/stanza.hpp"

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace wherry::accounts {

// A contact's id, or what whoever wrote to that address is answered.
using Resolved = boost::system::result<base::ContactId, xmpp::StanzaError>;

class ContactResolver {
 public:
  using Found = std::function<void(const Resolved&)>;

  explicit ContactResolver(asio::any_io_executor executor)
      : stanzas_(of_stanzas), questions_(of_questions), tasks_(std::move(executor)) {}
  void use(connector::Connector& connector) { connector_ = &connector; }

  // Calls `found` at once where the address is known, or where too many of the account's stanzas wait for an answer;
  // else when the connector has answered. Calls for one account and address keep their order. `account` null: nobody
  // registered asks, who holds a place_for(); that answer is not remembered, lest strangers push out what users need.
  void resolve(const convert::Address& address, const LiveAccount* account, Found found);

  // A place for one question that somebody waits for the answer to; nothing: too many are under way. `account` 0:
  // nobody registered asks.
  std::optional<Quota::Place> place_for(const xmpp::Jid& person, base::AccountId account) {
    return questions_.take(person.bare().str(), account != base::AccountId{});
  }
  // Asks the connector, for one who holds such a place. The answer is not remembered, and never `uncertain`.
  asio::awaitable<base::Result<base::ContactId>> look_up(std::string typed, base::AccountId account);

  // What was learned of an account no longer holds (its region, say, has changed).
  void forget(base::AccountId account);
  // Nothing is asked any more: who waits, or comes later, is told to try again.
  void cancel() {
    has_ended_ = true;
    tasks_.cancel();
  }

 private:
  // What is asked: an id as it was typed, or one that is the network's own, with its capitals.
  struct Key {
    base::AccountId account;
    std::string id;
    bool is_minted = false;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string>()(key.id) * 31 + static_cast<std::size_t>(key.account.value);
    }
  };
  struct Waiting {
    Found found;
    Quota::Place place;
  };
  asio::awaitable<void> ask(Key key);

  static constexpr std::size_t most_known = 20000;
  static constexpr QuotaLimits of_stanzas{1000, 0, 0};
  static constexpr QuotaLimits of_questions{10, 1, 20};
  connector::Connector* connector_ = nullptr;
  std::unordered_map<Key, base::ContactId, KeyHash> known_;
  std::unordered_map<Key, std::vector<Waiting>, KeyHash> asking_;
  Quota stanzas_, questions_;
  bool has_ended_ = false;
  base::TaskGroup tasks_;
};

}  // namespace wherry::accounts

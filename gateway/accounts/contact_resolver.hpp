// From what stands before the @ to the contact's one true id, as the connector decides; remembered, so that a known
// contact costs a look-up and no coroutine.
#pragma once

#include "gateway/base/task_group.hpp"
#include "gateway/connector/contract.hpp"
#include "gateway/xmpp/jid.hpp"

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace wherry::accounts {

class ContactResolver {
 public:
  // Called with the id, or with why there is none.
  using Found = std::function<void(const base::Result<base::ContactId>&)>;

  explicit ContactResolver(asio::any_io_executor executor) : tasks_(std::move(executor)) {}
  void use(connector::Connector& connector) { connector_ = &connector; }

  // Calls `found` at once where the address is known, else when the connector has answered. Calls for one account and
  // address keep their order. `account` 0: nobody registered asks.
  void resolve(const xmpp::Jid& address, base::AccountId account, Found found);

  // What was learned of an account no longer holds (its region, say, has changed).
  void forget(base::AccountId account);
  void cancel() { tasks_.cancel(); }

 private:
  using Key = std::pair<std::int64_t, std::string>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string>()(key.second) * 31 + static_cast<std::size_t>(key.first);
    }
  };
  asio::awaitable<void> ask(Key key, std::string typed);

  static constexpr std::size_t most_known = 20000;
  connector::Connector* connector_ = nullptr;
  std::unordered_map<Key, base::ContactId, KeyHash> known_;
  std::unordered_map<Key, std::vector<Found>, KeyHash> asking_;
  base::TaskGroup tasks_;
};

}  // namespace wherry::accounts

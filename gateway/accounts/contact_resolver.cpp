#include "gateway/accounts/contact_resolver.hpp"

#include "gateway/convert/address.hpp"

namespace wherry::accounts {

void ContactResolver::resolve(const xmpp::Jid& address, base::AccountId account, Found found) {
  Key key(account.value, std::string(address.local()));
  if (const auto known = known_.find(key); known != known_.end()) return found(known->second);
  const bool is_first = !asking_.contains(key);
  asking_[key].push_back(std::move(found));
  if (is_first) tasks_.spawn("contact.resolve", ask(std::move(key), convert::typed_by(address)));
}

asio::awaitable<void> ContactResolver::ask(Key key, std::string typed) {
  base::Result<base::ContactId> result = base::Error{base::Errc::unavailable, "The network's connector is not running; please try again later."};
  try {
    result = co_await connector_->parse_contact(std::move(typed), base::AccountId(key.first));
  } catch (const std::exception& e) {
    result = base::Error{base::Errc::unavailable, "The network's connector failed; please try again later."};
  }
  if (result) {
    if (auto minted = convert::minted(key.second)) result = std::move(*minted);  // the network's own id, with its capitals
    if (known_.size() >= most_known) known_.clear();
    known_[key] = *result;
  }
  const auto waiting = asking_.extract(key);
  if (waiting.empty()) co_return;
  for (const Found& found : waiting.mapped()) found(result);
}

void ContactResolver::forget(base::AccountId account) {
  std::erase_if(known_, [account](const auto& entry) { return entry.first.first == account.value; });
}

}  // namespace wherry::accounts

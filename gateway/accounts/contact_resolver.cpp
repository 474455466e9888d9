#include "gateway/accounts/contact_resolver.hpp"

#include "gateway/base/log.hpp"
#include "gateway/convert/address.hpp"
#include "gateway/convert/refusals.hpp"

namespace wherry::accounts {

namespace {

const char* too_many_text =
    "Too many of your messages and requests wait until the network has looked up whom they are for; please try again "
    "later.";
const char* failed_text = "The network's connector failed; please try again later.";
const char* ended_text = "The gateway is being restarted; please try again in a moment.";
const char* no_answer_text = "The network did not look up the address in time; please try again.";

// Whose own address it is among the user's contacts.
const base::ContactId* listed(const LiveAccount& account, const convert::Address& address) {
  if (address.spelling == convert::Spelling::typed) return nullptr;
  const auto contact = account.contacts.find(address.contact());
  return contact == account.contacts.end() ? nullptr : &contact->first;
}

}  // namespace

void ContactResolver::resolve(const convert::Address& address, const LiveAccount* account, Found found) {
  Key key{account ? account->id() : base::AccountId{}, address.id, address.spelling == convert::Spelling::minted};
  if (const auto known = known_.find(key); known != known_.end()) return found(known->second);
  const bool is_first = !asking_.contains(key);
  if (const base::ContactId* id = account && is_first ? listed(*account, address) : nullptr) return found(*id);
  if (has_ended_) return found(convert::no_such_contact({base::Errc::unavailable, ended_text}));
  auto place = stanzas_.take(std::to_string(key.account.value), true);
  if (!place) return found(convert::too_many_waiting(too_many_text));
  asking_[key].push_back(Waiting{std::move(found), std::move(*place)});
  if (is_first) tasks_.spawn("contact.resolve", ask(std::move(key)));
}

asio::awaitable<void> ContactResolver::ask(Key key) {
  auto result = co_await look_up(key.id, key.account);
  if (result) {
    if (key.is_minted) result = base::ContactId(key.id);
    if (known_.size() >= most_known) known_.clear();
    if (key.account.value != 0) known_[key] = *result;  // else a stranger's
  }
  const auto waiting = asking_.extract(key);
  if (waiting.empty()) co_return;
  const Resolved resolved = result ? Resolved(*result) : Resolved(convert::no_such_contact(result.error()));
  for (const Waiting& one : waiting.mapped()) one.found(resolved);
}

// Nothing has been sent yet, so that no outcome is uncertain.
asio::awaitable<base::Result<base::ContactId>> ContactResolver::look_up(std::string typed, base::AccountId account) {
  if (has_ended_) co_return base::Error{base::Errc::unavailable, ended_text};
  base::Result<base::ContactId> result = base::Error{base::Errc::unavailable, failed_text};
  try {
    result = co_await connector_->parse_contact(std::move(typed), account);
  } catch (const std::exception& e) {
    log::warn("contact.look_up_failed", {{"account", account.value}, {"error", e.what()}});
  }
  if (!result && result.error().code == base::Errc::uncertain)
    result = base::Error{base::Errc::unavailable, no_answer_text};
  co_return result;
}

void ContactResolver::forget(base::AccountId account) {
  std::erase_if(known_, [account](const auto& entry) { return entry.first.account == account; });
}

}  // namespace wherry::accounts

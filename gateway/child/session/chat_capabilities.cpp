#include "gateway/child/session/chat_capabilities.hpp"

#include "gateway/base/log.hpp"
#include "gateway/child/values.hpp"

#include <utility>

namespace wherry::child {

using nlohmann::json;

void ChatCapabilities::begin(Capabilities greeting, bool vary) {
  greeting_ = std::move(greeting);
  asks_ = vary;
}

const Capabilities& ChatCapabilities::find(AccountId account, const ChatId& chat) {
  if (!asks_) return greeting_;
  auto& chats = known_[account];
  if (const auto found = chats.find(chat); found != chats.end())
    return found->second->capabilities ? *found->second->capabilities : greeting_;
  if (chats.size() >= most_of_account) chats.clear();
  const auto entry = std::make_shared<Known>();
  chats.emplace(chat, entry);
  tasks_.spawn("child.capabilities", ask(account, chat, entry));
  return greeting_;
}

void ChatCapabilities::drop(AccountId account, const std::optional<ChatId>& chat) {
  if (!chat) return drop(account);
  if (const auto found = known_.find(account); found != known_.end()) found->second.erase(*chat);
}

asio::awaitable<void> ChatCapabilities::end() {
  asks_ = false;
  known_.clear();
  co_await tasks_.end();
}

asio::awaitable<void> ChatCapabilities::ask(AccountId account, ChatId chat, Entry entry) {
  json params;
  params["account"] = account.value;
  params["chat"] = base::to_string(chat);
  const auto answer = co_await peer_.call("capabilities", to_line(params), limit_, RpcPeer::Limit::usual);
  auto capabilities = answer ? parse_capabilities(*answer) : Result<Capabilities>(answer.error());
  if (capabilities) {
    entry->capabilities = std::move(*capabilities);
    co_return;
  }
  log::warn("child.no_capabilities", {{"account", account.value}, {"error", capabilities.error().text}});
  if (capabilities.error().code != Errc::unavailable) co_return;
  // It was not asked: the next one who wants to know asks again.
  const auto found = known_.find(account);
  if (found == known_.end()) co_return;
  const auto same = found->second.find(chat);
  if (same != found->second.end() && same->second == entry) found->second.erase(same);
}

}  // namespace wherry::child

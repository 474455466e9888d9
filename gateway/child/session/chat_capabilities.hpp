// What each chat's network can do, where a child says that it differs from chat to chat (`capabilities_vary`): asked
// once, and again after capabilities_changed. Until the child has answered, its greeting's capabilities hold.
#pragma once

#include "gateway/base/task_group.hpp"
#include "gateway/child/rpc_peer.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <memory>
#include <utility>

namespace wherry::child {

class ChatCapabilities {
 public:
  static constexpr std::size_t most_of_account = 1000;  // chats; beyond, all of that account's are asked anew

  // `peer` outlives this. `limit`: for the child's answer.
  ChatCapabilities(asio::any_io_executor executor, RpcPeer& peer, std::chrono::seconds limit)
      : peer_(peer), limit_(limit), tasks_(std::move(executor)) {}

  // What the child's greeting said, and whether it is to be asked.
  void begin(connector::Capabilities greeting, bool vary);
  // Of the chat. Asks the child where nothing is known yet.
  const connector::Capabilities& find(base::AccountId account, const base::ChatId& chat);
  // What was answered no longer holds: of one chat, or of all of the account's.
  void drop(base::AccountId account, const std::optional<base::ChatId>& chat);
  void drop(base::AccountId account) { known_.erase(account); }
  // The process is being ended: until begin() nothing is asked.
  asio::awaitable<void> end();

 private:
  struct Known {
    std::optional<connector::Capabilities> capabilities;  // none: the greeting's
  };
  using Entry = std::shared_ptr<Known>;

  // Fills `entry`; by then it may be nobody's any more.
  asio::awaitable<void> ask(base::AccountId account, base::ChatId chat, Entry entry);

  RpcPeer& peer_;
  const std::chrono::seconds limit_;
  connector::Capabilities greeting_;
  bool asks_ = false;  // the child varies, and its process runs
  std::map<base::AccountId, std::map<base::ChatId, Entry>> known_;
  base::TaskGroup tasks_;
};

}  // namespace wherry::child

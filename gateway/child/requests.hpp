// What a child asks of the gateway: publish, store_read, store_write, ask, fetched, and lines for the log. Each request
// is answered when what it asked for is done; how many there are at once is bounded, by number and by bytes.
#pragma once

#include "gateway/base/log_limit.hpp"
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/child/known_accounts.hpp"
#include "gateway/child/logins.hpp"
#include "gateway/child/memory.hpp"
#include "gateway/child/rpc_peer.hpp"
#include "gateway/child/session/chat_capabilities.hpp"
#include "gateway/child/session/fetches.hpp"

#include <string>

namespace wherry::child {

class Requests {
 public:
  static constexpr std::size_t most = 1000;           // unanswered at once
  static constexpr std::size_t most_bytes = 8 << 20;  // and the bytes of their lines

  // All of them outlive this.
  Requests(asio::any_io_executor executor, RpcPeer& peer, KnownAccounts& accounts, Logins& logins, Fetches& fetches,
           ChatCapabilities& capabilities, connector::Storage& storage);

  // Until there is room for another one: the child is not read meanwhile.
  asio::awaitable<void> wait_room();
  // Begins to work on a request that came in a line of so many bytes.
  void accept(RpcPeer::Incoming request, std::size_t bytes);
  void log_line(const nlohmann::json& params);
  // The process is being ended: nothing of it is answered any more.
  asio::awaitable<void> end();

  // Of the network, in the log.
  std::string name;

 private:
  asio::awaitable<void> answer(RpcPeer::Incoming request, std::size_t bytes);
  asio::awaitable<connector::Result<nlohmann::json>> answer_to(RpcPeer::Incoming& request);
  asio::awaitable<connector::Result<nlohmann::json>> publish(const nlohmann::json& params);

  RpcPeer& peer_;
  KnownAccounts& accounts_;
  Logins& logins_;
  Fetches& fetches_;
  ChatCapabilities& capabilities_;
  Memory memory_;
  base::LogLimit lines_;
  base::Signal answered_;  // one of them was
  std::size_t unanswered_ = 0, unanswered_bytes_ = 0;
  base::TaskGroup tasks_;
};

}  // namespace wherry::child

// What people typed, looked up by the child: bounded apart from sends, so that no burst of look-ups delays them.
#pragma once

#include "gateway/child/rpc_peer.hpp"
#include "gateway/child/turns.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <memory>
#include <string>

namespace wherry::child {

class LookUps {
 public:
  static constexpr std::size_t most_of_strangers = 100;         // with the child at once; the rest are refused
  static constexpr std::size_t most_of_accounts = 100;          // with the child at once; the rest wait
  static constexpr std::size_t most_of_account = 10;            // of these, one account's
  static constexpr std::size_t most_waiting_of_account = 5000;  // then that account is refused

  // `peer` outlives this. `limit`: for the child's answer.
  LookUps(asio::any_io_executor executor, RpcPeer& peer, std::chrono::seconds limit);

  // As Connector::parse_contact. `account` 0: nobody registered asks.
  asio::awaitable<base::Result<base::ContactId>> look_up(std::string typed, base::AccountId account);

 private:
  asio::awaitable<base::Result<base::ContactId>> ask(std::string typed, base::AccountId account);
  asio::awaitable<base::Result<base::ContactId>> ask_for_account(std::string typed, base::AccountId account);
  void forget_idle(base::AccountId account);

  asio::any_io_executor executor_;
  RpcPeer& peer_;
  const std::chrono::seconds limit_;
  Turns strangers_, all_;
  std::map<base::AccountId, std::shared_ptr<Turns>> accounts_;  // of those who are asking
};

}  // namespace wherry::child

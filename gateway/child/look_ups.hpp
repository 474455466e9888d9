// What people typed, looked up by the child: bounded apart from sends, so that no burst of look-ups delays them.
// A look-up has its place until the child has answered it or is gone, however long ago its asker was told to try again.
#pragma once

#include "gateway/base/log_limit.hpp"
#include "gateway/child/rpc_peer.hpp"
#include "gateway/child/turns.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace wherry::child {

class LookUps {
 public:
  static constexpr std::size_t most_of_strangers = 100;         // with the child at once; the rest are refused
  static constexpr std::size_t most_of_accounts = 100;          // with the child at once; the rest wait
  static constexpr std::size_t most_of_account = 10;            // of these, one account's
  static constexpr std::size_t most_waiting_of_account = 5000;  // then that account is refused

  // `peer` outlives this. `limit`: for the child's answer to a registered user, and for the line to move. A stranger
  // waits for the answer itself: so the place that the stranger has with the gateway is free no sooner than the
  // child's.
  LookUps(asio::any_io_executor executor, RpcPeer& peer, std::chrono::seconds limit);

  // As Connector::parse_contact. `account` 0: nobody registered asks.
  asio::awaitable<base::Result<base::ContactId>> look_up(std::string typed, base::AccountId account);

 private:
  struct Taken {
    std::shared_ptr<Turns> turns;
    Turns::Turn turn;
  };
  using Place = std::vector<Taken>;

  asio::awaitable<base::Result<base::ContactId>> ask(std::string typed, base::AccountId account,
                                                     std::shared_ptr<Place> place);
  asio::awaitable<bool> take(std::shared_ptr<Turns> turns, std::shared_ptr<Place> place);
  asio::awaitable<base::Result<base::ContactId>> ask_for_account(std::string typed, base::AccountId account);
  void forget_idle(base::AccountId account);

  asio::any_io_executor executor_;
  RpcPeer& peer_;
  const std::chrono::seconds limit_;
  base::LogLimit bad_contacts_;
  const std::shared_ptr<Turns> strangers_, all_;
  std::map<base::AccountId, std::weak_ptr<Turns>> accounts_;  // of those who are asking
};

}  // namespace wherry::child

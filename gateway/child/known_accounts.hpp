// Which accounts there are, and which of them the present process has been told of: all, however many they are.
// What the child must know completely is never dropped: it waits until the child keeps up.
#pragma once

#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/child/rpc_peer.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>

namespace wherry::child {

class KnownAccounts {
 public:
  static constexpr std::size_t most_at_once = 100;            // unanswered by the child
  static constexpr std::size_t most_bytes_at_once = 4 << 20;  // and of them the bytes

  // `peer` outlives this. `limit`: for the child's answer; then it counts as told.
  KnownAccounts(asio::any_io_executor executor, RpcPeer& peer, std::chrono::seconds limit);

  void put(const connector::Account& account, connector::EventSink& events);
  void remove(base::AccountId account);
  // Where the account's events go; null where it is not registered (any more).
  connector::EventSink* find(base::AccountId account) const;

  // Of the account's sends, where the present process's answer to know_account has said.
  std::optional<connector::Idempotency> idempotency(base::AccountId account) const;

  // Tells a new process everything, and then whatever changes; until cancelled.
  asio::awaitable<void> tell();
  // The present process has answered that it knows the account as it is now.
  bool is_told(base::AccountId account) const;
  // Until is_told(), in this process or a later one.
  asio::awaitable<void> wait_told(base::AccountId account);
  // The process is gone, and with it what it knew.
  void begin_anew();

 private:
  struct Known {
    connector::Account account;
    connector::EventSink* events = nullptr;
    std::uint64_t version = 0, told = 0;  // told == version: the child knows it as it is
    std::optional<connector::Idempotency> idempotency;
    std::shared_ptr<base::Signal> waiting;
  };

  struct Telling {
    base::AccountId account;
    std::uint64_t version = 0;  // 0: forgotten
    std::string method, params;
  };

  Telling telling(base::AccountId account) const;
  asio::awaitable<void> tell_one(Telling one);
  void note_idempotency(base::AccountId account, std::uint64_t version, const nlohmann::json& answer);
  void note_told(base::AccountId account, std::uint64_t version);
  void change(base::AccountId account);

  asio::any_io_executor executor_;
  RpcPeer& peer_;
  const std::chrono::seconds limit_;
  std::map<base::AccountId, Known> known_;
  std::uint64_t last_version_ = 0;
  std::set<base::AccountId> untold_;  // known or removed since the child heard of them
  std::size_t at_once_ = 0, bytes_at_once_ = 0;
  base::Signal changed_;
};

}  // namespace wherry::child

// The log-ins that a child has under way, and its questions to their users.
#pragma once

#include "gateway/base/task_group.hpp"
#include "gateway/child/rpc_peer.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <optional>

namespace wherry::child {

class Logins {
 public:
  static constexpr std::size_t most = 500;  // at once; beyond, people are asked to come later

  // `peer` outlives this.
  Logins(asio::any_io_executor executor, RpcPeer& peer) : executor_(std::move(executor)), peer_(peer) {}

  // As Connector::log_in.
  asio::awaitable<connector::Result<connector::Answers>> log_in(connector::Applicant applicant,
                                                                connector::Dialogue& user);
  // The child's `ask`: hands the question to its user, who answers it in time; or says why not.
  std::optional<base::Error> accept(RpcPeer::Incoming& request);

 private:
  // One log_in() under way, and its question to the user: one at a time.
  struct Login {
    connector::Dialogue& user;
    base::TaskGroup questions;
  };
  asio::awaitable<void> ask(Login& login, nlohmann::json id, connector::Form form);

  asio::any_io_executor executor_;
  RpcPeer& peer_;
  std::map<std::int64_t, Login*> logins_;
  std::int64_t last_ = 0;
};

}  // namespace wherry::child

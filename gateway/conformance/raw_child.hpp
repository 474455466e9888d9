// A child whose requests are written here, one at a time: for what the gateway's own code never asks.
#pragma once

#include "gateway/child/rpc_peer.hpp"
#include "gateway/conformance/description.hpp"
#include "gateway/conformance/watched_process.hpp"

#include <memory>
#include <string>
#include <vector>

namespace wherry::conformance {

class RawChild {
 public:
  // Throws Broken where the process cannot be started. `record` outlives this.
  RawChild(asio::any_io_executor executor, const std::vector<std::string>& command, Record& record,
           std::chrono::seconds wait);

  // The answer to a request. Throws Broken where the process ends or cannot be understood, and Silence.
  asio::awaitable<connector::Result<nlohmann::json>> ask(std::string method, nlohmann::json params);
  // Opens a session of an account that it was told of, until it is online.
  asio::awaitable<void> go_online(base::AccountId account, bool has_shared_link);
  // Cancels what go_online() began.
  void go_offline() { open_.reset(); }

  // Closes its standard input. Whether it ended by itself within `grace`.
  asio::awaitable<bool> end(std::chrono::milliseconds grace);

 private:
  asio::awaitable<void> read_answer(std::string method, const child::RpcPeer::Call& call);
  asio::awaitable<void> read_until_online();
  asio::awaitable<void> read_one(std::string method);
  void answer(const child::RpcPeer::Incoming& request);
  std::unique_ptr<child::RpcPeer::Call> begin(const std::string& method, const nlohmann::json& params);

  const std::chrono::seconds wait_;
  child::RpcPeer peer_;
  std::unique_ptr<net::LineProcess> process_;
  std::unique_ptr<child::RpcPeer::Call> link_, open_;
  bool is_online_ = false;
};

}  // namespace wherry::conformance

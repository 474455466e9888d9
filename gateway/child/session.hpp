// One account of a child connector, live: `open`, `perform`, `query`, `fetch` and `probe` over RPC.
#pragma once

#include "gateway/child/known_accounts.hpp"
#include "gateway/child/rpc_peer.hpp"
#include "gateway/child/session/chat_capabilities.hpp"
#include "gateway/child/session/fetches.hpp"
#include "gateway/connector/contract.hpp"

#include <memory>

namespace wherry::child {

// What the sessions of one child share; outlives them.
struct SessionContext {
  RpcPeer& peer;
  KnownAccounts& accounts;
  ChatCapabilities& capabilities;
  Fetches& fetches;
  std::chrono::seconds perform;  // for the child's answer; then the outcome is uncertain
  std::chrono::seconds answer;   // to a query
};

// `events` is where the account's events go.
std::unique_ptr<connector::Session> make_session(SessionContext context, base::AccountId account,
                                                 connector::EventSink& events);

}  // namespace wherry::child

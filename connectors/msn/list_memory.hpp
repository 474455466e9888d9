// What the account's lists were like, in the connector's storage: what has changed meanwhile is told after the next
// login.
#pragma once

#include "connectors/msn/roster.hpp"
#include "gateway/connector/contract.hpp"

#include <string>

namespace wherry::msn {

namespace asio = boost::asio;

class ListMemory {
 public:
  // `storage` outlives this. `email`: whose lists these are.
  ListMemory(connector::Storage& storage, std::string key, const std::string& email)
      : storage_(storage), key_(std::move(key)), owner_("of " + email + "\n") {}

  // As Contacts::memory() had it last; "": nothing is known, or it is of another account of MSN, whose lists say
  // nothing of this one.
  asio::awaitable<std::string> recall();
  // To be written once what they are about is told; none where nothing has changed.
  connector::Changes take_changes(const Contacts& contacts);
  // Writes them.
  asio::awaitable<void> remember(const Contacts& contacts);

 private:
  connector::Storage& storage_;
  const std::string key_, owner_;
  std::string written_;
};

}  // namespace wherry::msn

// Who was on an account's contact list when it was last looked at: what is missing at the next login was removed by
// another program meanwhile.
//
//   listed/ACCOUNT/NUMBER/CONTACT   a row for each; the number, because an account may become another one
#pragma once

#include "gateway/connector/contract.hpp"

#include <set>
#include <string>

namespace wherry::oscar {

namespace asio = boost::asio;

// What this connector keeps for an account begins with one of these.
std::string listed_prefix(connector::AccountId account);
std::string waiting_prefix(connector::AccountId account);

// Of one account.
class ListMemory {
 public:
  ListMemory(connector::AccountId account, const std::string& number, connector::Storage& storage);

  asio::awaitable<std::set<std::string>> recall();
  // The names that are not among those that it has.
  asio::awaitable<void> add(const std::set<std::string>& names, const std::set<std::string>& to);

  connector::Entry with(const std::string& contact) const { return {prefix_ + contact, "1"}; }
  connector::Entry without(const std::string& contact) const { return {prefix_ + contact, ""}; }

 private:
  std::string prefix_;
  connector::Storage& storage_;
};

}  // namespace wherry::oscar

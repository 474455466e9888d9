// A real connector that tells the history what it is asked and what it says. Otherwise it is as it was.
#pragma once

#include "gateway/connector/contract.hpp"

#include <memory>
#include <string>

namespace wherry::simulation {

class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual std::string person_of(const connector::Account& account) const = 0;  // account_name()
  virtual void performing(const std::string& user, const connector::Action& action) = 0;
  virtual void performed(const std::string& /*user*/, const connector::Action& /*action*/) {}  // it says so
  // publish() has returned; not `is_stored`: it has thrown.
  virtual void published(const std::string& /*user*/, const connector::Event& /*event*/, bool /*is_stored*/) {}
};

// `watcher` outlives it.
std::unique_ptr<connector::Connector> watch(std::unique_ptr<connector::Connector> inner, Watcher& watcher);

}  // namespace wherry::simulation

// What a network without something shows instead: one table, read across. Pure.
#pragma once

#include "gateway/connector/contract.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace wherry::convert {

// A message that an action refers to.
struct Referent {
  bool is_known = false;             // its ids in the action are the network's
  std::chrono::milliseconds age{0};  // since it was sent
  bool is_users = true;              // who wrote it
};
struct Referents {
  Referent target, reply;
};

struct Nothing {};  // nothing is to be done, and nobody is told

using Degraded = std::variant<connector::Action, base::Error, Nothing>;

// The action as this network can do it; an error with a sentence for its sender; or nothing. What an action refers to,
// and is not known any more, cannot be referred to.
Degraded degrade(connector::Action action, const connector::Capabilities& can, const Referents& referents);

// What such a network refuses whatever it refers to; nothing: it may be done.
std::optional<base::Error> refusal(const connector::Action& action, const connector::Capabilities& can);

// "✎ at nine"
std::string marked_as_correction(std::string_view text);

}  // namespace wherry::convert

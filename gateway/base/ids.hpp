// Identifiers that cannot be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>

namespace wherry::base {

// Minted by a connector, opaque to the gateway, stable across restarts.
template <class Tag>
struct Id {
  std::string value;
  auto operator<=>(const Id&) const = default;
};
using ContactId = Id<struct ContactTag>;  // a person, e.g. the E.164 number "+15550100"; unique within a network
using RoomId = Id<struct RoomTag>;        // a group chat
using MessageId = Id<struct MessageTag>;  // the network's own id, unique within an account
using ChatId = std::variant<ContactId, RoomId>;

// One registration of a user on one network; a row of `accounts`. Part of every key in the store.
struct AccountId {
  std::int64_t value = 0;
  auto operator<=>(const AccountId&) const = default;
};

// A ChatId as text: "c:" or "r:" and the id. The form it has in rows and in child lines.
std::string to_string(const ChatId& chat);

}  // namespace wherry::base

template <class Tag>
struct std::hash<wherry::base::Id<Tag>> {
  std::size_t operator()(const wherry::base::Id<Tag>& id) const noexcept { return std::hash<std::string>()(id.value); }
};
template <>
struct std::hash<wherry::base::AccountId> {
  std::size_t operator()(wherry::base::AccountId id) const noexcept { return std::hash<std::int64_t>()(id.value); }
};

#include "gateway/base/ids.hpp"

namespace wherry::base {

std::string to_string(const ChatId& chat) {
  if (const auto* contact = std::get_if<ContactId>(&chat)) return "c:" + contact->value;
  return "r:" + std::get<RoomId>(chat).value;
}

}  // namespace wherry::base

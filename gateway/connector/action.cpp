#include "gateway/connector/action.hpp"

#include <utility>

namespace wherry::connector {

const std::string* key_of(const Action& action) {
  return std::visit(
      [](const auto& it) -> const std::string* {
        if constexpr (requires { it.key; }) return &it.key;
        else return nullptr;
      },
      action);
}

std::string* key_of(Action& action) { return const_cast<std::string*>(key_of(std::as_const(action))); }

}  // namespace wherry::connector

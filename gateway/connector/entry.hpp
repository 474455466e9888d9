// What a connector's own durable memory consists of (contract.hpp, Storage).
#pragma once

#include <string>
#include <vector>

namespace wherry::connector {

struct Entry {
  std::string key;
  std::string value;  // empty in a change: the key is erased
  bool operator==(const Entry&) const = default;
};

// Made in their order.
using Changes = std::vector<Entry>;

}  // namespace wherry::connector

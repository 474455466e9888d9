// What is said to people.
#pragma once

#include <string_view>

namespace wherry::conformance {

inline bool is_sentence(std::string_view text) {
  return text.size() > 3 && (text.back() == '.' || text.back() == '!' || text.back() == '?');
}

}  // namespace wherry::conformance

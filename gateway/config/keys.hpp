// The gateway's own keys: the one table that the reader (config.cpp), the example and the reference page have.
#pragma once

#include "gateway/connector/keys.hpp"

#include <span>
#include <string_view>

namespace wherry::config {

// In the order of the example file. A section below [[transport]] is named "transport.server".
std::span<const connector::Section> sections();

std::span<const connector::Key> keys_of(std::string_view section);

// What the environment may say: name and meaning.
struct Variable {
  std::string_view name, meaning;
};
std::span<const Variable> variables();

}  // namespace wherry::config

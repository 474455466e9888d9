// How a command ends: its exit code, and what it says on standard error.
#pragma once

#include "gateway/base/error.hpp"

#include <iostream>

namespace wherry::cli {

inline constexpr int exit_ok = 0, exit_failed = 1, exit_bad_config = 2;

inline int complain(const base::Error& error) {
  std::cerr << "wherry: " << error.text << "\n";
  return exit_bad_config;
}

}  // namespace wherry::cli

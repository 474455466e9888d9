// How a command ends: its exit code, and what it says on standard error.
#pragma once

#include "gateway/base/error.hpp"

#include <iostream>
#include <sstream>

namespace wherry::cli {

// The last one is EX_TEMPFAIL of sysexits.h: what is configured is right, but not there now, or in use. systemd starts
// again after it, and not after a wrong configuration (RestartPreventExitStatus=).
inline constexpr int exit_ok = 0, exit_failed = 1, exit_bad_config = 2, exit_not_now = 75;

// A line for each mistake.
inline int complain(const base::Error& error) {
  std::istringstream lines(error.text);
  for (std::string line; std::getline(lines, line);) std::cerr << "wherry: " << line << "\n";
  return error.code == base::Errc::unavailable ? exit_not_now : exit_bad_config;
}

}  // namespace wherry::cli

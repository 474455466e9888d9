// Starts a program with pipes for its standard input, output and error: posix_spawn(3).
#pragma once

#include "gateway/base/error.hpp"

#include <string>
#include <vector>

namespace wherry::net {

// A program that runs. The descriptors are the caller's ends of its pipes; the caller closes them.
struct Spawned {
  int pid = 0;
  int in = -1, out = -1, err = -1;
};

// Runs `command` (looked up in PATH; no shell) in a process group of its own, with default signals, and with a minimal
// environment plus `environment` ("NAME=value"). It inherits no descriptor but its three pipes.
// bad_input where the command cannot be started.
base::Result<Spawned> spawn(std::vector<std::string> command, std::vector<std::string> environment);

}  // namespace wherry::net

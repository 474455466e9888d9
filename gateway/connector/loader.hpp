// Loads a connector's shared object: once, checked for the same build, never unloaded. Called at start, by App.
#pragma once

#include "gateway/connector/contract.hpp"

#include <string>

namespace wherry::connector {

// The plugin of the shared object at `path` (a path with a slash is taken as it is). bad_input when it cannot be
// opened, is no connector, or was built with another compiler, Boost or version of the contract; the text says which.
// It stays loaded for the process's life: live coroutines point into it.
Result<const Plugin*> load_connector(const std::string& path);

}  // namespace wherry::connector

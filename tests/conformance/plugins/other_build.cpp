// A connector of another build, for the loader's test: it must be refused before anything of it is called.
#include "gateway/connector/contract.hpp"

#include <cstdlib>

using namespace wherry::connector;

namespace {
Result<std::unique_ptr<Connector>> make(const nlohmann::json&, Services) { std::abort(); }
}  // namespace

extern "C" const Plugin wherry_plugin;
extern "C" const Plugin wherry_plugin{"0, some other compiler, Boost 1_00", &make};

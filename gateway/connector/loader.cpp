#include "gateway/connector/loader.hpp"

#include <dlfcn.h>

namespace wherry::connector {

Result<const Plugin*> load_connector(const std::string& path) {
  const auto failed = [&](const std::string& why) {
    return Error{Errc::bad_input, "cannot load the connector " + path + ": " + why};
  };
  // RTLD_NOW: a missing symbol shows at start, not in the middle of a message. RTLD_LOCAL: connectors do not see each
  // other.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return failed(::dlerror());
  const auto* plugin = static_cast<const Plugin*>(::dlsym(library, plugin_symbol));
  if (!plugin || !plugin->stamp || !plugin->make) {
    return failed(std::string("it does not export \"") + plugin_symbol + "\", so it is not a wherry connector");
  }
  if (plugin->stamp != std::string_view(plugin_stamp)) {
    return failed(std::string("it was built for \"") + plugin->stamp + "\", this gateway is \"" + plugin_stamp +
                  "\": build both together");
  }
  return plugin;
}

}  // namespace wherry::connector

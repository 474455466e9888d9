// A configuration file: read, or refused in words that begin with its name.
#include "gateway/config/config.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("wherry.toml", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  HOLDS(::ftruncate(file, 0) == 0 && ::pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
  const auto config = wherry::config::read_config(path);
  if (!config) {
    HOLDS(config.error().text.starts_with(path + ": ") && config.error().text.size() > path.size() + 2);
    return 0;
  }
  HOLDS(!config->transports.empty());
  for (const auto& entry : config->transports) {
    HOLDS(entry.connector.empty() != entry.child.empty());
    HOLDS(!entry.transport.link.secret.empty());
    (void)wherry::config::locate(*config,
                                 {wherry::base::Errc::bad_input, entry.where + ".configuration.a[0]: is wrong"});
  }
  return 0;
}

#include "gateway/config/places.hpp"

namespace wherry::config {

Places places_of_program() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto root = error ? std::filesystem::path("/usr") : program.parent_path().parent_path();
  return {root / "lib/wherry/connectors", root / "share/wherry/migrations"};
}

}  // namespace wherry::config

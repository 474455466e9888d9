#include "gateway/base/files/owner.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace wherry::base {

std::string our_user() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry ? entry->pw_name : std::to_string(::geteuid());
}

bool give_to_owner_of(const std::filesystem::path& folder, int descriptor) {
  if (::geteuid() != 0) return true;
  struct stat status = {};
  const std::filesystem::path place = folder.empty() ? "." : folder;
  if (::stat(place.c_str(), &status) != 0) return false;
  return status.st_uid == 0 || ::fchown(descriptor, status.st_uid, status.st_gid) == 0;
}

std::string no_permission(const std::filesystem::path& file) {
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0 && errno == EACCES)
    return fmt::format("the user {} has no permission to enter its folder", our_user());
  return fmt::format("the user {0} has no permission; `sudo chown {0} {1}` gives the file to it", our_user(),
                     file.string());
}

}  // namespace wherry::base

#include "gateway/connector/file.hpp"

#include "gateway/base/text.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <pwd.h>
#include <sstream>
#include <unistd.h>

namespace wherry::connector {

using base::Errc;
using base::Error;
using base::Result;

namespace {

std::string our_user() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry ? entry->pw_name : std::to_string(::geteuid());
}

std::string why(int error) {
  if (error == EACCES) return "the user " + our_user() + " may not";
  if (error == ENOENT) return "there is no such file";
  return std::strerror(error);
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& file) {
  const auto failed = [&](const std::string& reason) { return Error{Errc::bad_input, "cannot be read: " + reason}; };
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return failed("it is a folder");
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) return failed(why(errno));
  std::stringstream content;
  content << in.rdbuf();
  if (in.bad()) return failed(why(errno));
  return content.str();
}

Result<std::string> read_secret_file(const std::filesystem::path& file) {
  auto content = read_file(file);
  if (!content) return content.error();
  std::string secret(base::trim(*content));
  if (secret.empty()) return Error{Errc::bad_input, "is empty"};
  return secret;
}

}  // namespace wherry::connector

#include "gateway/connector/file.hpp"

#include "gateway/base/files/owner.hpp"
#include "gateway/base/text.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace wherry::connector {

using base::Errc;
using base::Error;
using base::Result;

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string why(int error, const std::filesystem::path& file) {
  if (error == EACCES) return base::no_permission(file);
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
  if (!in) return failed(why(errno, file));
  std::stringstream content;
  content << in.rdbuf();
  if (in.bad()) return failed(why(errno, file));
  return content.str();
}

Result<std::string> read_secret_file(const std::filesystem::path& file) {
  auto content = read_file(file);
  if (!content) return content.error();
  std::string_view text = *content;
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  const bool is_utf16 = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
  if (is_utf16 || text.find('\0') != text.npos)
    return Error{Errc::bad_input,
                 "is no text in UTF-8 (it looks like UTF-16, which Windows' `>` writes): save it as "
                 "UTF-8"};
  std::string secret(base::trim(text));
  if (secret.empty()) return Error{Errc::bad_input, "is empty"};
  return secret;
}

}  // namespace wherry::connector

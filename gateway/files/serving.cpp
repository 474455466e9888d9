#include "gateway/files/serving.hpp"

#include "gateway/base/files/media_type.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace wherry::files {

OpenFile::Opened OpenFile::open(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return {nullptr, errno == ENOENT || errno == ENOTDIR};
  struct stat status = {};
  const bool is_file = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  const auto bytes = is_file ? static_cast<std::uint64_t>(status.st_size) : 0;
  std::shared_ptr<OpenFile> opened(new OpenFile(descriptor, bytes));
  if (!is_file) return {nullptr, true};
  opened->media_type_ = base::media_type_of(opened->read(0, base::telling_octets));
  return {std::move(opened), false};
}

OpenFile::~OpenFile() { ::close(descriptor_); }

std::string OpenFile::read(std::uint64_t offset, std::size_t most) const {
  std::string piece(most, '\0');
  const ssize_t count = ::pread(descriptor_, piece.data(), piece.size(), static_cast<off_t>(offset));
  piece.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return piece;
}

std::optional<Range> range_of(std::string_view header, std::uint64_t bytes) {
  constexpr std::string_view unit = "bytes=";
  if (!header.starts_with(unit)) return std::nullopt;
  header.remove_prefix(unit.size());
  const std::size_t dash = header.find('-');
  if (dash == header.npos || header.find(',') != header.npos) return std::nullopt;
  const auto number = [](std::string_view text) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_one = error == std::errc() && rest == text.data() + text.size() && !text.empty();
    return is_one ? std::optional(value) : std::nullopt;
  };
  const auto first = number(header.substr(0, dash)), last = number(header.substr(dash + 1));
  if (!first && !last) return std::nullopt;
  if (!first) {  // so many at the end
    const std::uint64_t count = std::min(*last, bytes);
    return Range{bytes - count, count};
  }
  if (header.size() > dash + 1 && (!last || *last < *first)) return std::nullopt;
  if (*first >= bytes) return Range{};
  return Range{*first, std::min(last.value_or(bytes - 1), bytes - 1) - *first + 1};
}

net::ServerResponse serve(const OpenFile& file, std::string_view range_header, std::string_view name) {
  const auto range = range_of(range_header, file.bytes());
  net::ServerResponse response;
  if (range && range->bytes == 0) {
    response = net::respond(416, "The file has no such part.\n");
    response.headers.emplace_back("Content-Range", fmt::format("bytes */{}", file.bytes()));
    return response;
  }
  response.status = range ? 206 : 200;
  response.content_type = file.media_type().empty() ? "application/octet-stream" : file.media_type();
  response.first = range ? range->first : 0;
  response.bytes = range ? range->bytes : file.bytes();
  if (range) {
    const std::string part = fmt::format("bytes {}-{}/{}", range->first, range->first + range->bytes - 1, file.bytes());
    response.headers.emplace_back("Content-Range", part);
  }
  // Nothing in a stranger's file is to run in the name of this address.
  response.headers.emplace_back("Accept-Ranges", "bytes");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Content-Security-Policy", "default-src 'none'; sandbox");
  response.headers.emplace_back("Cache-Control", "private, max-age=86400, immutable");
  const bool is_shown = !file.media_type().empty() && file.media_type() != "text/vcard";
  const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
  const std::string named = is_plain && !name.empty() ? fmt::format("; filename=\"{}\"", name) : std::string();
  response.headers.emplace_back("Content-Disposition", (is_shown ? "inline" : "attachment") + named);
  return response;
}

}  // namespace wherry::files

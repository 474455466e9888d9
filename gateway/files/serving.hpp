// How a kept file is given to a browser or a client: its type, ranges of it (RFC 9110 §14), and that nothing in it
// runs.
#pragma once

#include "gateway/net/http_server.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace wherry::files {

// A file that is being read, from its opening on: it may be removed meanwhile. Blocks.
class OpenFile {
 public:
  struct Opened {
    std::shared_ptr<OpenFile> file;  // null: it cannot be opened
    bool is_gone = false;            // since there is none
  };
  static Opened open(const std::filesystem::path& path);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  std::uint64_t bytes() const { return bytes_; }
  const std::string& media_type() const { return media_type_; }
  // At most so many octets from there; fewer at its end, and where it cannot be read.
  std::string read(std::uint64_t offset, std::size_t most) const;

 private:
  OpenFile(int descriptor, std::uint64_t bytes) : descriptor_(descriptor), bytes_(bytes) {}
  int descriptor_;
  std::uint64_t bytes_;
  std::string media_type_;
};

struct Range {
  std::uint64_t first = 0, bytes = 0;
};
// What a Range header asks for of a file of so many octets. Null: all of it, as where the header asks for several
// ranges or is none. `bytes` 0: nothing that there is (416).
std::optional<Range> range_of(std::string_view header, std::uint64_t bytes);

// The head of the answer, and which octets belong to it; the pieces are the caller's to add.
net::ServerResponse serve(const OpenFile& file, std::string_view range_header, std::string_view name);

}  // namespace wherry::files

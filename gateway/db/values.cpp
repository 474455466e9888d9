#include "gateway/db/values.hpp"

#include "gateway/base/text.hpp"

#include <algorithm>
#include <cstring>

namespace wherry::db {

namespace {

// Most text is ASCII: eight bytes at a time, any with the high bit set sends it to the full check.
bool is_ascii(std::string_view text) {
  std::uint64_t seen = 0;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, text.data() + i, 8);
    seen |= eight;
  }
  for (; i < text.size(); ++i) seen |= static_cast<unsigned char>(text[i]);
  return (seen & 0x8080808080808080) == 0;
}

}  // namespace

void require_storable(std::span<const Value> parameters, std::string_view sql) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto* text = std::get_if<std::string>(&parameters[i]);
    if (!text) continue;
    const char* fault = nullptr;
    if (std::memchr(text->data(), '\0', text->size()))
      fault = "holds a NUL character, which no text in the database can";
    else if (!is_ascii(*text) && !base::is_utf8(*text)) fault = "is not UTF-8";
    if (fault)
      throw StatementFailed("parameter $" + std::to_string(i + 1) + " " + fault +
                            ", in: " + std::string(sql.substr(0, 100)));
  }
}

base::Result<std::unique_ptr<Driver>> open_driver(const std::string& url, DriverLimits limits) {
  constexpr std::string_view sqlite = "sqlite:";
  if (url.starts_with(sqlite)) return open_sqlite(url.substr(sqlite.size()));
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) return open_postgres(url, limits);
  // The URL itself may hold a password, so it is not shown.
  return base::Error{base::Errc::bad_input,
                     "The database must be given as sqlite:/path/to/file or postgresql://user:password@host/name."};
}

}  // namespace wherry::db

// What both drivers check of parameters before they bind them, so that both refuse the same.
#pragma once

#include "gateway/db/database.hpp"

namespace wherry::db {

// Throws StatementFailed for text that cannot be stored: a NUL character, which PostgreSQL has no room for (PostgreSQL
// manual §8.3), or bytes that are not UTF-8.
void require_storable(std::span<const Value> parameters, std::string_view sql);

// Which literal a statement is: its address and its length. (The address alone would not do: a linker may let one
// literal be the end, or the start, of another.)
struct Literal {
  const char* address = nullptr;
  std::size_t length = 0;
  bool operator==(const Literal&) const = default;
};
inline Literal literal(std::string_view sql) { return {sql.data(), sql.size()}; }

struct LiteralHash {
  std::size_t operator()(const Literal& l) const { return std::hash<const char*>()(l.address) ^ (l.length << 1); }
};

// The drivers. `path` without "sqlite:"; `uri` as libpq takes it.
base::Result<std::unique_ptr<Driver>> open_sqlite(const std::string& path);
base::Result<std::unique_ptr<Driver>> open_postgres(const std::string& uri, DriverLimits limits);

}  // namespace wherry::db
